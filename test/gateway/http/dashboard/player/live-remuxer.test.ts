import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { concat } from '../../../../../codecs/bytes.ts';
import { FlvDemuxer } from '../../../../../codecs/flv/flv-demuxer.ts';
import { FlvReader } from '../../../../../codecs/flv/flv-reader.ts';
import { flvFileHeader } from '../../../../../codecs/flv/tag.ts';
import type { Track } from '../../../../../codecs/track.ts';
import {
  type Initialization,
  LiveRemuxer,
} from '../../../../../gateway/http/dashboard/player/live-remuxer.ts';
import { FlvFramer, NO_ENVELOPE } from '../../../../../gateway/viewers/flv-framer.ts';
import { Lender, makeTestMedia } from '../../../../support/test-media.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  HEVC_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../../../support/units.ts';

const run = promisify(execFile);

const PICTURE_US = 40_000;
const FRAME_US = 20_000;

/** A browser that decodes H.264 and AAC, as Chromium does; and what it is given. */
class Watched {
  readonly log: string[] = [];
  readonly initializations: Initialization[] = [];
  readonly bytes: Uint8Array[] = [];
  readonly remuxer: LiveRemuxer;

  constructor(canPlay = (type: string) => !/hvc1|opus|ac-3/.test(type)) {
    this.remuxer = new LiveRemuxer(canPlay, {
      initialized: (initialization) => {
        this.initializations.push(initialization);
        this.bytes.push(initialization.bytes);
        this.log.push(initialization.kinds);
      },
      fragment: (pieces) => {
        this.bytes.push(...pieces);
        this.log.push('fragment');
      },
      refused: (codec) => this.log.push(`refused ${codec}`),
    });
  }

  start(...tracks: Track[]): this {
    this.remuxer.start(tracks);
    return this;
  }

  /** Pictures from `fromS` to `toS`, a keyframe a second, with sound beside them where there is a track for it. */
  run(fromS: number, toS: number, { sound = true, video = VIDEO_TRACK } = {}): this {
    for (let us = fromS * 1_000_000; us < toS * 1_000_000; us += PICTURE_US) {
      const randomAccess = us % 1_000_000 === 0;
      this.remuxer.write(videoUnit({ dtsUs: us, randomAccess, track: video }));
      if (!sound) continue;
      this.remuxer.write(audioUnit({ dtsUs: us }));
      this.remuxer.write(audioUnit({ dtsUs: us + FRAME_US }));
    }
    return this;
  }

  /** Without fragments. */
  get events(): string[] {
    return this.log.filter((line) => line !== 'fragment');
  }
}

describe('access units become what the browser plays', () => {
  test('an initialization, and a fragment with each picture, closed by the next', () => {
    const watched = new Watched().start(VIDEO_TRACK, AUDIO_TRACK).run(0, 1);
    assert.deepEqual(watched.events, ['video+audio']);
    assert.equal(watched.log.length, 1 + 24);
    watched.remuxer.stop();
    assert.equal(watched.log.length, 1 + 25);
    const [first] = watched.initializations;
    assert.equal(first?.type, 'video/mp4; codecs="avc1.42c01e, mp4a.40.2"');
    assert.deepEqual(first?.leftOut, []);
  });

  test('nothing before a picture that decoding can begin with', () => {
    const watched = new Watched().start(VIDEO_TRACK);
    watched.remuxer.write(videoUnit({ randomAccess: false }));
    watched.remuxer.write(audioUnit());
    assert.deepEqual(watched.log, []);
  });

  test('sound that MP4 has no form for is left out and named', () => {
    const watched = new Watched().start(VIDEO_TRACK, G711_TRACK);
    for (let n = 0; n < 50; n += 1) {
      watched.remuxer.write(videoUnit({ dtsUs: n * PICTURE_US, randomAccess: n % 25 === 0 }));
      watched.remuxer.write(audioUnit({ dtsUs: n * PICTURE_US, track: G711_TRACK }));
    }
    assert.deepEqual(watched.events, ['video']);
    assert.deepEqual(watched.initializations[0]?.leftOut, ['pcma']);
  });

  test('sound that the browser has no decoder for is left out and named', () => {
    const watched = new Watched((type) => !type.includes('mp4a'));
    watched.start(VIDEO_TRACK, AUDIO_TRACK).run(0, 2);
    assert.deepEqual(watched.events, ['video']);
    assert.deepEqual(watched.initializations[0]?.leftOut, ['aac']);
  });

  test('a picture that the browser has no decoder for is refused, once', () => {
    const watched = new Watched().start(HEVC_TRACK, AUDIO_TRACK);
    for (let n = 0; n < 3; n += 1) {
      watched.remuxer.write(videoUnit({ dtsUs: n * PICTURE_US, track: HEVC_TRACK }));
      watched.remuxer.write(audioUnit({ dtsUs: n * PICTURE_US }));
    }
    assert.deepEqual(watched.log, ['refused h265']);
  });

  test('parameter sets that cannot be read are refused', () => {
    const broken = { ...VIDEO_TRACK, sps: VIDEO_TRACK.sps.subarray(0, 4) };
    const watched = new Watched().start(broken);
    watched.remuxer.write(videoUnit({ track: broken }));
    assert.deepEqual(watched.log, ['refused h264']);
  });

  test('a stream of sound alone', () => {
    const watched = new Watched().start(AUDIO_TRACK);
    for (let n = 0; n < 50; n += 1) watched.remuxer.write(audioUnit({ dtsUs: n * FRAME_US }));
    assert.deepEqual(watched.events, ['audio']);
    assert.equal(watched.initializations[0]?.type, 'audio/mp4; codecs="mp4a.40.2"');
    // Two frames of 20 ms each.
    assert.equal(watched.log.length, 1 + 24);
  });

  test('G.711 alone is refused', () => {
    const watched = new Watched().start(G711_TRACK);
    watched.remuxer.write(audioUnit({ track: G711_TRACK }));
    assert.deepEqual(watched.log, ['refused pcma']);
  });

  test('new parameter sets: a new initialization at the next keyframe, and nothing in between', () => {
    const watched = new Watched().start(VIDEO_TRACK, AUDIO_TRACK).run(0, 1);
    watched.remuxer.write(
      videoUnit({ dtsUs: 1_000_000, randomAccess: false, track: OTHER_VIDEO_TRACK }),
    );
    assert.deepEqual(watched.events, ['video+audio']);
    watched.run(2, 3, { video: OTHER_VIDEO_TRACK });
    assert.deepEqual(watched.events, ['video+audio', 'video+audio']);
  });

  test('another track that says the same goes on', () => {
    const watched = new Watched().start(VIDEO_TRACK, AUDIO_TRACK).run(0, 1);
    watched.run(1, 2, { video: { ...VIDEO_TRACK } });
    assert.deepEqual(watched.events, ['video+audio']);
  });

  test('sound that stays away does not hold the picture for ever, and comes back', () => {
    const watched = new Watched().start(VIDEO_TRACK, AUDIO_TRACK).run(0, 2);
    watched.run(2, 7, { sound: false });
    assert.deepEqual(watched.events, ['video+audio', 'video']);
    watched.run(7, 9);
    assert.deepEqual(watched.events, ['video+audio', 'video', 'video+audio']);
  });

  test('sound that was announced and never comes is given up, too', () => {
    const watched = new Watched().start(VIDEO_TRACK, AUDIO_TRACK).run(0, 6, { sound: false });
    assert.deepEqual(watched.events, ['video+audio', 'video']);
  });
});

test('what the gateway sends to players → what ffmpeg decodes without a complaint, B-frames and all', async () => {
  const media = await makeTestMedia({ seconds: 3, bFrames: 2 });
  const watched = new Watched();
  const demuxer = new FlvDemuxer(watched.remuxer, () => 0);
  const reader = new FlvReader((type, ms, body) => demuxer.push(type, ms, body));
  const framer = new FlvFramer(NO_ENVELOPE);
  const lender = new Lender();
  framer.start(media.tracks);
  reader.push(flvFileHeader(true, true));
  reader.push(framer.header());
  for (const unit of media.units) {
    // A year after its camera was switched on.
    const frame = framer.frame(lender.lend(unit, 365 * 24 * 3_600_000));
    if (frame !== undefined) reader.push(frame);
  }
  watched.remuxer.stop();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-remuxer-'));
  try {
    const file = join(folder, 'out.mp4');
    await writeFile(file, concat(...watched.bytes));
    const shown = [
      '-show_entries',
      'stream=codec_name,nb_read_frames,start_time',
      '-of',
      'csv=p=0',
    ];
    const probe = await run('ffprobe', ['-v', 'error', '-count_frames', ...shown, file]);
    const [video = '', audio = ''] = probe.stdout.trim().split('\n');
    assert.equal(probe.stderr, '');
    assert.match(video, /^h264,1\.0\d+,75$/);
    assert.match(audio, /^aac,[01]\.\d+,14\d$/);
    const decoded = await run('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-']);
    assert.equal(decoded.stderr, '');
  } finally {
    await rm(folder, { recursive: true });
  }
});
