import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { mediaPlaylist } from '../../../../gateway/viewers/hls/playlists.ts';
import { Segmenter } from '../../../../gateway/viewers/hls/segmenter.ts';
import { hex } from '../../../support/hex.ts';
import { checkReload, type HlsPlaylist, readMediaPlaylist } from '../../../support/hls-playlist.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../../support/units.ts';

const FIRST_NUMBER = 1000;
const FRAME_US = (1024 * 1_000_000) / 48_000;

/** A segmenter whose playlist is read, strictly, at every change. */
class Watched {
  readonly segmenter: Segmenter;
  nowMs = Date.UTC(2026, 10, 25);
  changes = 0;
  playlist: HlsPlaylist | undefined;

  constructor() {
    this.segmenter = new Segmenter(FIRST_NUMBER, () => this.nowMs, { changed: () => this.#look() });
  }

  #look(): void {
    this.changes += 1;
    const { segmenter } = this;
    if (segmenter.targetDurationS === undefined) return;
    const playlist = readMediaPlaylist(mediaPlaylist(segmenter, ''));
    if (this.playlist !== undefined) checkReload(this.playlist, playlist);
    this.playlist = playlist;
  }

  /** Pictures at `fps`, a keyframe each `gop`, from this time on; sound beside them. */
  run({ seconds = 10, fps = 25, gop = 25, fromUs = 0, sound = true, jitterUs = 0 } = {}): void {
    let soundUs = fromUs;
    for (let n = 0; n < seconds * fps; n += 1) {
      const dtsUs = fromUs + Math.round((n * 1_000_000) / fps) + (n % 2 === 0 ? 0 : jitterUs);
      this.nowMs += 1000 / fps;
      this.segmenter.write(videoUnit({ dtsUs, randomAccess: n % gop === 0, fill: n % 251 }));
      for (; sound && soundUs < dtsUs; soundUs += FRAME_US) {
        this.segmenter.write(audioUnit({ dtsUs: Math.round(soundUs) }));
      }
    }
  }

  sound({ seconds = 10, fromUs = 0 } = {}): void {
    for (let n = 0; n * FRAME_US < seconds * 1_000_000; n += 1) {
      this.nowMs += FRAME_US / 1000;
      this.segmenter.write(audioUnit({ dtsUs: Math.round(fromUs + n * FRAME_US) }));
    }
  }

  get durations(): number[] {
    return this.segmenter.segments
      .filter(({ isComplete }) => isComplete)
      .map(({ durationUs }) => durationUs / 1_000_000);
  }
}

function begun(tracks = [VIDEO_TRACK, AUDIO_TRACK] as const): Watched {
  const watched = new Watched();
  watched.segmenter.start(tracks);
  return watched;
}

describe('segments and parts', () => {
  test('GOPs of a second: the first segment at the first chance, then two GOPs each', () => {
    const watched = begun();
    watched.run();
    assert.deepEqual(watched.durations, [1, 2, 2, 2, 2]);
    assert.equal(watched.playlist!.targetDuration, 2);
    assert.equal(watched.playlist!.partTarget, 0.45);
    assert.equal(watched.playlist!.mediaSequence, FIRST_NUMBER);
    assert.ok(watched.playlist!.independentSegments);
    const parts = watched.segmenter.segments[1]!.parts.map(({ durationUs }) => durationUs / 1000);
    assert.deepEqual(parts, [400, 400, 400, 400, 400]);
  });

  test('the playlist tells the next part before it is there', () => {
    const watched = begun();
    watched.run({ seconds: 3.42 });
    assert.equal(watched.playlist!.preloadHint, `part-${FIRST_NUMBER + 2}-1.m4s`);
    watched.run({ seconds: 0.4, fromUs: 3_420_000, gop: 1000, sound: false });
    assert.ok(watched.segmenter.segments.at(-1)!.parts.length >= 1);
  });

  for (const [fps, gop, targetDuration] of [
    [30, 60, 2],
    [24, 48, 2],
    [15, 60, 4],
    [12.5, 25, 2],
    [10, 50, 5],
    [8, 16, 2],
    [7, 14, 2],
    [5, 10, 2],
    [1, 1, 2],
    [60, 120, 2],
    [25, 250, 10],
  ] as const) {
    test(`${fps} pictures a second, ${gop} in a GOP`, () => {
      const watched = begun();
      watched.run({ fps, gop, seconds: 40 });
      assert.equal(watched.playlist!.targetDuration, targetDuration);
      assert.ok(watched.durations.length >= 3);
      assert.ok(watched.playlist!.independentSegments);
    });
  }

  test('GOPs of a minute: segments of 10 s, most of them beginning within a GOP, which is said', () => {
    const watched = begun();
    watched.run({ seconds: 65, gop: 1500 });
    assert.equal(watched.playlist!.targetDuration, 10);
    assert.equal(watched.playlist!.independentSegments, false);
    assert.deepEqual(
      watched.segmenter.segments.map(({ isIndependent }) => isIndependent),
      [true, false, false, false, false, false, true],
    );
  });

  test('only sound', () => {
    const watched = begun([AUDIO_TRACK] as never);
    watched.sound();
    assert.ok(watched.durations.length >= 4);
    assert.deepEqual(watched.segmenter.segments[0]!.initialization.codecs, ['mp4a.40.2']);
  });

  test('what comes before the first keyframe is left out', () => {
    const watched = begun();
    watched.segmenter.write(videoUnit({ dtsUs: 0, randomAccess: false }));
    watched.segmenter.write(audioUnit({ dtsUs: 0 }));
    assert.equal(watched.segmenter.segments.length, 0);
    watched.run({ seconds: 3, fromUs: 40_000 });
    assert.deepEqual(watched.durations, [1]);
  });
});

describe('discontinuities', () => {
  test('the source returns: the same initialization, a discontinuity, no number left out', () => {
    const watched = begun();
    watched.run({ seconds: 5 });
    watched.segmenter.stop();
    assert.equal(watched.segmenter.segments.at(-1)!.isComplete, true);
    const before = watched.segmenter.segments.length;
    watched.nowMs += 60_000;
    watched.segmenter.start([VIDEO_TRACK, AUDIO_TRACK]);
    watched.run({ seconds: 5, fromUs: 70_000_000 });
    const after = watched.segmenter.segments[before]!;
    assert.equal(after.isDiscontinuity, true);
    assert.equal(after.number, FIRST_NUMBER + before);
    assert.equal(after.initialization, watched.segmenter.segments[0]!.initialization);
    assert.ok(Math.abs(after.startedAtMs - (Date.UTC(2026, 10, 25) + 65_000)) < 100);
  });

  test('a stream of that name begins again from 0', () => {
    const watched = begun();
    watched.run({ seconds: 5, fromUs: 100_000_000 });
    watched.segmenter.stop();
    watched.segmenter.start([VIDEO_TRACK, AUDIO_TRACK]);
    watched.run({ seconds: 5, fromUs: 0 });
    const [first] = watched.segmenter.segments.filter(({ isDiscontinuity }) => isDiscontinuity);
    assert.ok(first !== undefined && first.durationUs === 2_000_000);
  });

  test('other parameter sets in the middle: another initialization', () => {
    const watched = begun();
    watched.run({ seconds: 3 });
    for (const n of [0, 1, 2]) {
      const dtsUs = 3_000_000 + n * 40_000;
      watched.segmenter.write(
        videoUnit({ track: OTHER_VIDEO_TRACK, dtsUs, randomAccess: n === 1 }),
      );
    }
    watched.segmenter.stop();
    const last = watched.segmenter.segments.at(-1)!;
    assert.equal(last.isDiscontinuity, true);
    assert.equal(last.durationUs, 80_000);
    assert.notEqual(
      last.initialization.number,
      watched.segmenter.segments[0]!.initialization.number,
    );
  });

  test('a first segment that is broken off tells nothing of the length of others', () => {
    const watched = begun();
    watched.run({ seconds: 0.08 });
    watched.segmenter.stop();
    assert.equal(watched.segmenter.targetDurationS, undefined);
    watched.segmenter.start([VIDEO_TRACK, AUDIO_TRACK]);
    watched.run({ seconds: 5, fromUs: 1_000_000 });
    assert.equal(watched.playlist!.partTarget, 0.45);
    assert.equal(watched.playlist!.targetDuration, 2);
  });

  test('another track that does not begin with a keyframe: what is lost is told', () => {
    const watched = begun();
    watched.run({ seconds: 3 });
    const again = { ...VIDEO_TRACK };
    for (let n = 0; n < 30; n += 1) {
      const dtsUs = 3_000_000 + n * 40_000;
      watched.segmenter.write(videoUnit({ track: again, dtsUs, randomAccess: n === 25 }));
    }
    assert.equal(watched.segmenter.segments.at(-1)!.isDiscontinuity, true);
  });

  test('parameter sets said again, bit by bit the same: nothing happens but a cut', () => {
    const watched = begun();
    watched.run({ seconds: 3 });
    const again = { ...VIDEO_TRACK };
    watched.segmenter.write(videoUnit({ track: again, dtsUs: 3_000_000 }));
    assert.equal(watched.segmenter.segments.at(-1)!.isDiscontinuity, false);
    assert.equal(
      watched.segmenter.segments.at(-1)!.initialization,
      watched.segmenter.segments[0]!.initialization,
    );
  });

  test('sound that comes late is there from the next segment on', () => {
    const watched = begun([VIDEO_TRACK] as never);
    watched.run({ seconds: 6 });
    const codecs = watched.segmenter.segments.map(
      ({ initialization }) => initialization.codecs.length,
    );
    assert.deepEqual(codecs, [1, 2, 2, 2]);
    assert.equal(watched.segmenter.segments[1]!.isDiscontinuity, true);
  });

  test('pictures that come late begin a segment of their own, and what was sound alone goes', () => {
    const watched = begun([AUDIO_TRACK] as never);
    watched.sound({ seconds: 2.1 });
    const before = watched.playlist!;
    assert.equal(before.segments.length, 2);
    watched.run({ seconds: 3, fromUs: 2_200_000 });
    const [first, ...others] = watched.segmenter.segments;
    assert.equal(first!.isDiscontinuity, true);
    for (const { initialization } of [first!, ...others]) {
      assert.deepEqual(initialization.codecs, ['avc1.42c01e', 'mp4a.40.2']);
    }
    assert.ok(watched.playlist!.mediaSequence > before.mediaSequence);
    assert.equal(watched.playlist!.segments[0]!.discontinuity, true);
  });

  test('a source that returns without its picture: what had one goes; nothing flows until there is sound', () => {
    const watched = begun();
    watched.run({ seconds: 5 });
    watched.segmenter.stop();
    watched.segmenter.start([AUDIO_TRACK]);
    watched.sound({ seconds: 0.1, fromUs: 6_000_000 });
    assert.equal(watched.segmenter.isFlowing, false);
    watched.sound({ seconds: 3, fromUs: 6_100_000 });
    assert.equal(watched.segmenter.isFlowing, true);
    for (const { initialization } of watched.segmenter.segments) {
      assert.deepEqual(initialization.codecs, ['mp4a.40.2']);
    }
    assert.equal(watched.segmenter.discontinuitiesGone, 0);
    watched.segmenter.stop();
    watched.segmenter.start([VIDEO_TRACK, AUDIO_TRACK]);
    watched.run({ seconds: 3, fromUs: 12_000_000 });
    assert.equal(watched.segmenter.discontinuitiesGone, 1);
  });

  test('a picture that was announced and does not come: sound alone, until it comes', () => {
    const watched = begun();
    watched.sound({ seconds: 4.9 });
    assert.equal(watched.segmenter.segments.length, 0);
    watched.sound({ seconds: 5, fromUs: 4_900_000 });
    assert.deepEqual(watched.segmenter.segments[0]!.initialization.codecs, ['mp4a.40.2']);
    watched.run({ seconds: 3, fromUs: 10_000_000 });
    assert.deepEqual(watched.segmenter.segments[0]!.initialization.codecs, [
      'avc1.42c01e',
      'mp4a.40.2',
    ]);
  });

  test('a hole of three seconds', () => {
    const watched = begun();
    watched.run({ seconds: 4 });
    watched.nowMs += 3000;
    watched.run({ seconds: 4, fromUs: 7_000_000 });
    assert.deepEqual(
      watched.segmenter.segments.map(({ isDiscontinuity }) => isDiscontinuity),
      [false, false, false, true, false],
    );
  });
});

describe('what cannot be carried', () => {
  test('G.711 beside a picture is left out, and named', () => {
    const watched = begun([VIDEO_TRACK, G711_TRACK] as never);
    for (let n = 0; n < 60; n += 1) {
      const dtsUs = n * 40_000;
      watched.segmenter.write(videoUnit({ dtsUs, randomAccess: n % 25 === 0 }));
      watched.segmenter.write(audioUnit({ track: G711_TRACK, dtsUs }));
    }
    assert.deepEqual(watched.segmenter.leftOut, ['G.711 A-law']);
    assert.deepEqual(watched.durations, [1]);
    assert.equal(watched.segmenter.isRefused, false);
  });

  test('AC-3 tells in its frames what it is: a picture before the first frame waits for it, for a GOP', () => {
    const track = { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 6 } as const;
    // ffmpeg 5.1.9, 5.1 at 384 kbit/s.
    const frame = audioUnit({ track, byteLength: 16 });
    frame.data.set(hex`0b771e8b1c40ebf8403eff74fe1e1080`);
    const watched = begun([VIDEO_TRACK, track] as never);
    watched.run({ seconds: 0.8, sound: false });
    assert.deepEqual(watched.segmenter.segments, []);
    watched.segmenter.write(frame);
    watched.run({ seconds: 3, fromUs: 1_000_000, sound: false });
    const codecs = () =>
      watched.segmenter.segments.map(({ initialization }) => initialization.codecs.join());
    assert.deepEqual(codecs(), ['avc1.42c01e,ac-3', 'avc1.42c01e,ac-3']);
    watched.segmenter.stop();
    watched.segmenter.start([VIDEO_TRACK, track]);
    watched.run({ seconds: 1, fromUs: 9_000_000, sound: false });
    assert.equal(codecs().at(-1), 'avc1.42c01e,ac-3');
  });

  test('AC-3 that never comes is waited for no longer', () => {
    const track = { kind: 'audio', codec: 'eac3', sampleRate: 48_000, channels: 6 } as const;
    const watched = begun([VIDEO_TRACK, track] as never);
    watched.run({ seconds: 4, sound: false });
    assert.deepEqual(watched.durations, [1]);
    assert.deepEqual(watched.segmenter.leftOut, ['E-AC-3']);
  });

  test('nothing but G.711: refused at once, and again after a return; a picture ends that', () => {
    const watched = begun([G711_TRACK] as never);
    for (const dtsUs of [0, 20_000, 40_000]) {
      watched.segmenter.write(audioUnit({ track: G711_TRACK, dtsUs }));
    }
    assert.equal(watched.segmenter.isRefused, true);
    assert.equal(watched.changes, 1);
    watched.run({ seconds: 3, sound: false });
    assert.equal(watched.segmenter.isRefused, false);
    assert.deepEqual(watched.durations, [1]);
  });

  test('parameter sets that cannot be read', () => {
    const broken = { ...VIDEO_TRACK, sps: VIDEO_TRACK.sps.subarray(0, 3) };
    const watched = begun([broken] as never);
    watched.segmenter.write(videoUnit({ track: broken, dtsUs: 0 }));
    assert.equal(watched.segmenter.isRefused, true);
    assert.deepEqual(watched.segmenter.leftOut, ['H.264']);
  });
});

describe('bounds', () => {
  test('a segment that gets too large is cut within its GOP', () => {
    const watched = begun();
    const byteLength = 2 * 1024 * 1024;
    for (let n = 0; n < 30; n += 1) {
      watched.segmenter.write(videoUnit({ dtsUs: n * 40_000, randomAccess: n === 0, byteLength }));
    }
    assert.equal(watched.segmenter.segments.length, 4);
    assert.ok(watched.segmenter.segments.every((segment) => segment.byteLength < 20e6));
  });

  test('the picture stops and sound goes on: it ends, and waits for a keyframe', () => {
    const watched = begun();
    watched.run({ seconds: 3 });
    const byteLength = 1024 * 1024;
    for (let n = 0; n < 40; n += 1) {
      watched.segmenter.write(audioUnit({ dtsUs: 3_000_000 + n * 1000, byteLength }));
    }
    assert.equal(watched.segmenter.segments.at(-1)!.isComplete, true);
    assert.ok(watched.segmenter.segments.reduce((sum, one) => sum + one.byteLength, 0) < 20e6);
  });

  test('the oldest go, discontinuities are counted, the one that is being made stays', () => {
    const watched = begun();
    watched.run({ seconds: 3 });
    watched.segmenter.stop();
    watched.segmenter.start([VIDEO_TRACK, AUDIO_TRACK]);
    watched.run({ seconds: 3, fromUs: 10_000_000 });
    for (let n = 0; n < 10; n += 1) watched.segmenter.dropOldest();
    assert.equal(watched.segmenter.segments.length, 1);
    assert.equal(watched.segmenter.segments[0]!.isComplete, false);
    assert.equal(watched.segmenter.discontinuitiesGone, 1);
  });
});

test('pictures that come unevenly, at any rate: every playlist keeps the rules', () => {
  fc.assert(
    fc.property(
      fc.record({
        fps: fc.constantFrom(5, 8, 10, 12, 15, 20, 25, 30, 50),
        gop: fc.integer({ min: 5, max: 90 }),
        jitterUs: fc.integer({ min: 0, max: 4_000 }),
        sound: fc.boolean(),
      }),
      (options) => {
        const watched = begun();
        watched.run({ ...options, seconds: 30 });
        assert.ok(watched.playlist !== undefined || options.gop / options.fps > 10);
      },
    ),
    { numRuns: 25 },
  );
});
