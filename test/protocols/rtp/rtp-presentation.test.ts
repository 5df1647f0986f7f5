import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import type { Track } from '../../../codecs/track.ts';
import { selectMedias } from '../../../protocols/rtp/media-selection.ts';
import { RtpPresentation } from '../../../protocols/rtp/rtp-presentation.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { hex } from '../../support/hex.ts';
import { nalUnit, type RtpFields, rtpBytes } from '../../support/rtp-packets.ts';
import { VIDEO_TRACK } from '../../support/units.ts';

const VIDEO = 0;
const AUDIO = 1;
const SETS = [VIDEO_TRACK.sps, VIDEO_TRACK.pps]
  .map((set) => Buffer.from(set).toString('base64'))
  .join(',');
const SDP = `v=0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 sprop-parameter-sets=${SETS}
m=audio 0 RTP/AVP 97
a=rtpmap:97 MPEG4-GENERIC/48000/2
a=fmtp:97 mode=AAC-hbr;config=1190;sizeLength=13;indexLength=3;indexDeltaLength=3
`;

interface Written {
  readonly kind: string;
  readonly ptsUs: number;
  readonly dtsUs: number;
}

class Harness {
  readonly written: Written[] = [];
  readonly started: (readonly Track[])[] = [];
  nowMs = 50_000;
  readonly presentation: RtpPresentation;
  readonly #sequenceNumbers = [0, 0];

  constructor(sdp = SDP) {
    const sink = {
      start: (tracks: readonly Track[]) => void this.started.push(tracks),
      write: ({ track, ptsUs, dtsUs }: { track: Track; ptsUs: number; dtsUs: number }) =>
        void this.written.push({ kind: track.kind, ptsUs, dtsUs }),
      stop: () => {},
    };
    const { selected } = selectMedias(parseSdp(sdp));
    this.presentation = new RtpPresentation(selected, sink, () => this.nowMs, 0x0a0b0c0d);
  }

  video(timestamp: number, header = 0x65, fields: RtpFields = {}): boolean {
    return this.#send(VIDEO, { timestamp, payload: nalUnit(header, 50), marker: true, ...fields });
  }

  audio(timestamp: number, fields: RtpFields = {}): boolean {
    const payload = hex`0010 0018 212223`;
    return this.#send(AUDIO, { timestamp, payload, marker: true, payloadType: 97, ...fields });
  }

  report(track: number, seconds: number, rtpTimestamp: number, extra = hex``): boolean {
    const bytes = new Uint8Array(28);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x80c80006);
    const whole = Math.floor(seconds);
    view.setUint32(8, 3_900_000_000 + whole);
    view.setUint32(12, Math.round((seconds - whole) * 2 ** 32));
    view.setUint32(16, rtpTimestamp);
    const compound = concat(bytes, extra);
    return this.presentation.rtcp(track, compound, 0, compound.length);
  }

  times(kind: string): number[] {
    return this.written.filter((unit) => unit.kind === kind).map((unit) => unit.ptsUs);
  }

  #send(track: number, fields: RtpFields): boolean {
    const sequenceNumber = this.#sequenceNumbers[track]!;
    this.#sequenceNumbers[track] = sequenceNumber + 1;
    const bytes = rtpBytes({ sequenceNumber, ...fields });
    return this.presentation.rtp(track, bytes, 0, bytes.length);
  }
}

test('starts the sink once, with all tracks, before the first unit', () => {
  const harness = new Harness();
  harness.video(0);
  harness.audio(0);
  harness.video(3600, 0x41);
  assert.deepEqual(
    harness.started.map((tracks) => tracks.map((track) => track.kind)),
    [['video', 'audio']],
  );
  assert.equal(harness.written.length, 3);
});

test('waits for parameter sets that come in band, and drops what came before', () => {
  const harness = new Harness(SDP.replace(/a=fmtp:96.*\n/, ''));
  harness.audio(0);
  harness.video(0);
  assert.deepEqual(harness.started, []);
  harness.video(3600, 0x67, { payload: VIDEO_TRACK.sps, marker: false });
  harness.video(3600, 0x68, { payload: VIDEO_TRACK.pps, marker: false });
  harness.video(3600);
  harness.audio(1024);
  assert.equal(harness.started.length, 1);
  assert.deepEqual(
    harness.written.map((unit) => unit.kind),
    ['video', 'audio'],
  );
});

describe('audio that tells what it is only in its packets', () => {
  const SDP_MP3 = SDP.replace(/m=audio.*/s, 'm=audio 0 RTP/AVP 14\n');
  /** MPEG-1 layer III and layer II. */
  const mp3 = concat(hex`00000000 fffb1004`, new Uint8Array(100));
  const mp2 = concat(hex`00000000 fffd44c4`, new Uint8Array(188));
  const fields = { payloadType: 14 };
  const kinds = (harness: Harness) =>
    harness.started.map((tracks) => tracks.map((track) => track.codec));

  test('is waited for, and nothing of the first GOP is lost', () => {
    const harness = new Harness(SDP_MP3);
    harness.video(0);
    harness.nowMs += 40;
    harness.audio(0, { ...fields, payload: mp3 });
    harness.video(3600);
    assert.deepEqual(kinds(harness), [['h264', 'mp3']]);
    assert.deepEqual(
      harness.written.map((unit) => unit.kind),
      ['video', 'audio', 'video'],
    );
    assert.deepEqual(harness.times('video'), [0, 40_000]);
  });

  test('but not with more than 8 MiB of pictures', () => {
    const harness = new Harness(SDP_MP3);
    for (let n = 0; n < 160; n += 1) {
      const payload = nalUnit(n === 0 ? 0x65 : 0x41, 60_000);
      harness.video(n * 36, 0x41, { payload });
    }
    assert.deepEqual(kinds(harness), [['h264']]);
    assert.equal(harness.written.length, 160);
  });

  test('for two seconds; then the picture goes on, and says so', () => {
    const harness = new Harness(SDP_MP3);
    for (let n = 0; n < 50; n += 1) {
      harness.video(n * 3600);
      harness.nowMs += 40;
    }
    assert.deepEqual(harness.started, []);
    assert.deepEqual(harness.presentation.notes, []);
    harness.video(50 * 3600);
    assert.deepEqual(kinds(harness), [['h264']]);
    assert.deepEqual(
      harness.times('video'),
      Array.from({ length: 51 }, (_, n) => n * 40_000),
    );
    assert.match(harness.presentation.notes.join(), /audio does not tell what it is; the picture/);
  });

  test('and comes in with its first unit when it comes late', () => {
    const harness = new Harness(SDP_MP3);
    harness.video(0);
    harness.nowMs += 2000;
    harness.video(180_000);
    harness.nowMs += 40;
    harness.audio(777, { ...fields, payload: mp3 });
    assert.deepEqual(kinds(harness), [['h264']]);
    assert.deepEqual(harness.times('audio'), [2_040_000]);
    assert.deepEqual(harness.presentation.notes, []);
  });

  test('is not waited for once it is refused', () => {
    const harness = new Harness(SDP_MP3);
    harness.video(0);
    harness.audio(0, { ...fields, payload: mp2 });
    harness.video(3600);
    harness.audio(2160, { ...fields, payload: mp2 });
    assert.deepEqual(kinds(harness), [['h264']]);
    assert.deepEqual(harness.times('audio'), []);
    assert.deepEqual(harness.presentation.notes, [
      'Left out: audio mpa, it is MPEG layer II, not MP3.',
    ]);
  });

  test('ends a session that has nothing else, when it is refused', () => {
    const harness = new Harness(SDP_MP3.replace(/m=video.*?(?=m=audio)/s, ''));
    const packet = rtpBytes({ ...fields, payload: mp2 });
    assert.throws(() => harness.presentation.rtp(0, packet, 0, packet.length), {
      name: 'UnsupportedError',
      message: 'nothing that it offers can be carried: it is MPEG layer II, not MP3.',
    });
  });

  test('a video that tells nothing is waited for longer', () => {
    const harness = new Harness(SDP.replace(/a=fmtp:96.*\n/, ''));
    harness.audio(0);
    harness.nowMs += 5000;
    harness.audio(240_000);
    assert.deepEqual(harness.started, []);
  });
});

test('the RTP times that PLAY stated are 0', () => {
  const harness = new Harness();
  harness.presentation.setOrigins([90_000, 48_000]);
  harness.video(90_000 + 9000);
  harness.nowMs += 700;
  harness.audio(48_000 + 4800);
  assert.deepEqual(harness.times('video'), [100_000]);
  assert.deepEqual(harness.times('audio'), [100_000]);
});

test('without them each track begins when its first packet comes', () => {
  const harness = new Harness();
  harness.video(123_456_789);
  harness.nowMs += 250;
  harness.audio(4_000_000_000);
  harness.video(123_456_789 + 27_000, 0x41);
  assert.deepEqual(harness.times('video'), [0, 300_000]);
  assert.deepEqual(harness.times('audio'), [250_000]);
});

test('a stated time far from the first packet is not believed', () => {
  const harness = new Harness();
  harness.presentation.setOrigins([0, 0]);
  harness.video(900_000_000);
  harness.audio(2_000_000_000);
  assert.deepEqual(harness.times('video'), [0]);
  assert.deepEqual(harness.times('audio'), [0]);
});

test('sender reports correct the offset once: late audio is moved forward', () => {
  const harness = new Harness();
  harness.video(0);
  harness.audio(0);
  // At the same wall clock the video is at 1.0 s, the audio at 0.7 s of its own time.
  harness.report(VIDEO, 100, 90_000);
  harness.report(AUDIO, 100, 33_600);
  harness.audio(48_000);
  harness.video(90_000, 0x65);
  assert.deepEqual(harness.times('audio'), [0, 1_300_000]);
  assert.deepEqual(harness.times('video'), [0, 1_000_000]);
  harness.report(AUDIO, 100, 0);
  harness.audio(96_000);
  assert.equal(harness.times('audio').at(-1), 2_300_000, 'once is enough');
});

test('reports that come before the first packets align the tracks from the first unit on', () => {
  for (const videoFirst of [true, false]) {
    const harness = new Harness();
    harness.report(VIDEO, 100, 0);
    harness.report(AUDIO, 100, 0);
    // Pictures are shown from 80 ms on, as behind two B-frames.
    if (videoFirst) harness.video(7200);
    harness.audio(0);
    if (!videoFirst) harness.video(7200);
    harness.audio(3840);
    harness.video(10_800, 0x41);
    const [picture, next] = harness.times('video');
    assert.equal(next! - picture!, 40_000);
    assert.equal(picture! - harness.times('audio').at(-1)!, 0, String(videoFirst));
  }
});

test('no track is ever moved back: late video is moved forward, at its next random access point', () => {
  const harness = new Harness();
  harness.video(0);
  harness.audio(0);
  harness.report(VIDEO, 100, 63_000);
  harness.report(AUDIO, 100, 48_000);
  harness.video(3600, 0x41);
  harness.audio(1024);
  harness.video(7200, 0x65);
  assert.deepEqual(harness.times('video'), [0, 40_000, 80_000 + 300_000]);
  assert.deepEqual(harness.times('audio'), [0, 21_333]);
});

for (const [name, rtpTimestamp] of [
  ['20 ms and less', 48_000 - 900],
  ['a wrong clock', 48_000 * 30],
] as const) {
  test(`sender reports that differ by ${name} change nothing`, () => {
    const harness = new Harness();
    harness.video(0);
    harness.audio(0);
    harness.report(VIDEO, 100, 90_000);
    harness.report(AUDIO, 100, rtpTimestamp);
    harness.audio(1024);
    harness.video(3600);
    assert.deepEqual(harness.times('audio'), [0, 21_333]);
    assert.deepEqual(harness.times('video'), [0, 40_000]);
  });
}

test('decoding times are those of the pictures’ order', () => {
  const harness = new Harness();
  const pictures = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11];
  for (const n of pictures) harness.video(n * 3600, n === 0 ? 0x65 : 0x41);
  const units = harness.written;
  for (const { ptsUs, dtsUs } of units) assert.ok(dtsUs <= ptsUs || dtsUs < 200_000);
  for (const [index, { dtsUs }] of units.entries()) {
    if (index > 0) assert.ok(dtsUs > units[index - 1]!.dtsUs);
  }
});

test('counts loss, damage and bytes', () => {
  const harness = new Harness();
  harness.video(0, 0x65, { sequenceNumber: 10 });
  harness.video(3600, 0x41, { sequenceNumber: 13 });
  harness.audio(0);
  const counters = {
    receivedBytes: 0,
    receivedPackets: 0,
    lostPackets: 0,
    damagedUnits: 0,
    jitterMs: -1,
    clockPercent: undefined,
    awaits: undefined as 'keyframe' | undefined,
  };
  harness.presentation.readCounters(counters);
  assert.deepEqual(counters, {
    receivedBytes: 62 + 62 + 19,
    receivedPackets: 3,
    lostPackets: 2,
    damagedUnits: 1,
    jitterMs: counters.jitterMs,
    clockPercent: undefined,
    awaits: 'keyframe',
  });
  assert.ok(counters.jitterMs >= 0);
});

test('packets of another payload type, and what is no packet, are not taken', () => {
  const harness = new Harness();
  assert.equal(harness.video(0, 0x65, { payloadType: 100 }), false);
  assert.equal(harness.presentation.rtp(VIDEO, hex`80`, 0, 1), false);
  assert.equal(harness.presentation.rtp(7, hex`80`, 0, 1), false);
  assert.deepEqual(harness.written, []);
});

test('a sender that begins a new sequence and clock goes on from where it was', () => {
  const harness = new Harness();
  harness.video(0, 0x65, { sequenceNumber: 100 });
  harness.video(3600, 0x41, { sequenceNumber: 101 });
  harness.nowMs += 300;
  harness.video(2_000_000_000, 0x65, { sequenceNumber: 40_000, ssrc: 9 });
  harness.video(2_000_003_600, 0x41, { sequenceNumber: 40_001, ssrc: 9 });
  assert.deepEqual(harness.times('video'), [0, 40_000, 340_000, 380_000]);
});

test('packets of another sender in the middle are left out, and told', () => {
  const harness = new Harness();
  harness.audio(0);
  harness.video(0);
  assert.equal(harness.video(77, 0x41, { sequenceNumber: 9000, ssrc: 9 }), false);
  harness.video(3600, 0x41, { sequenceNumber: 1 });
  assert.deepEqual(harness.times('video'), [0, 40_000]);
  assert.match(harness.presentation.notes.join(), /packets of another sender/);
});

/** gortsplib#65: an m= line may name several, and the camera sends one of them. */
const TWO_TYPES = SDP.replace('RTP/AVP 96', 'RTP/AVP 98 96').replace(
  'a=rtpmap:96',
  'a=rtpmap:98 H265/90000\na=rtpmap:96',
);

test('two payload types on an m= line: that which comes is taken', () => {
  const harness = new Harness(TWO_TYPES);
  harness.audio(0);
  harness.video(0);
  harness.video(3600, 0x41);
  assert.deepEqual(harness.times('video'), [0, 40_000]);
  assert.equal(harness.started[0]?.[0]?.codec, 'h264');
});

test('the same format under two numbers: both are taken', () => {
  const harness = new Harness(TWO_TYPES.replace('98 H265', '98 H264'));
  harness.audio(0);
  harness.video(0);
  harness.video(3600, 0x41, { payloadType: 98 });
  harness.video(7200, 0x41);
  assert.deepEqual(harness.times('video'), [0, 40_000, 80_000]);
});

test('a clock that jumps: a few packets apart, both go on and stay aligned; told', () => {
  const harness = new Harness();
  let at = 0;
  const play = (count: number, video: number, audio: number) => {
    for (let n = 0; n < count; n += 1) {
      at += 40;
      harness.nowMs += 40;
      harness.video(at * 90 + video, 0x65);
      harness.audio(at * 48 + audio);
    }
  };
  play(50, 0, 0);
  play(3, 900 * 90_000, 0);
  play(50, 900 * 90_000, 900 * 48_000);
  assert.deepEqual(harness.times('video'), harness.times('audio'));
  assert.equal(harness.times('video').at(-1), 102 * 40_000);
  assert.deepEqual(harness.presentation.notes, [
    'The video: its clock jumped; times went on from arrival.',
    'The audio: its clock jumped; times went on from arrival.',
  ]);
});

test('an encoder that restarts after a silence, pictures without markers: sound stays with them', () => {
  const harness = new Harness();
  const play = (video: number, audio: number) => {
    for (let n = 0; n < 50; n += 1) {
      harness.nowMs += 40;
      harness.video(n * 3600 + video, 0x65, { marker: false });
      harness.audio(n * 1920 + audio);
    }
  };
  play(2_000_000_000, 1_000_000_000);
  harness.nowMs += 5000;
  play(0, 0);
  assert.equal(harness.times('video')[50], 50 * 40_000 + 5_000_000);
  assert.deepEqual(harness.times('video'), harness.times('audio').slice(0, -1));
});

test('sender reports align the tracks once more after a jump, and only with reports that came after it', () => {
  const harness = new Harness();
  const both = (video: number, audio: number) => {
    harness.nowMs += 40;
    harness.video(video, 0x65);
    harness.audio(audio);
  };
  both(0, 0);
  harness.report(VIDEO, 100, 0);
  harness.report(AUDIO, 100, 0);
  both(3600, 1920);
  // The encoder restarts: both clocks begin anew, the audio's 200 ms late.
  both(2_000_000_000, 1_000_000_000);
  harness.report(AUDIO, 200, 1_000_000_000);
  both(2_000_003_600, 1_000_001_920);
  assert.deepEqual(harness.times('audio'), harness.times('video'));
  harness.report(VIDEO, 200.2, 2_000_000_000);
  both(2_000_007_200, 1_000_003_840);
  assert.equal(harness.times('audio').at(-1), 160_000);
  assert.equal(harness.times('video').at(-1), 360_000);
});

test('a sender report about the clock after a jump, before the jump is seen, changes nothing', () => {
  const harness = new Harness();
  harness.video(0);
  harness.audio(0);
  harness.report(VIDEO, 100, 2_000_000_000);
  harness.report(AUDIO, 100, 0);
  harness.audio(1024);
  harness.video(3600);
  assert.deepEqual(harness.times('audio'), [0, 21_333]);
  assert.deepEqual(harness.times('video'), [0, 40_000]);
});

test('25 fps stamped, 21 shipped (open-nvr#229): measured, corrected from arrival, told', () => {
  const harness = new Harness();
  for (let n = 0; n < 21 * 200; n += 1) {
    harness.nowMs += 1000 / 21;
    harness.video(n * 3600, 0x65);
    if (n % 2 === 0) harness.audio(Math.round((n * 48_000) / 21));
  }
  const [video, audio] = ['video', 'audio'].map((kind) => harness.times(kind).at(-1) ?? 0);
  assert.ok(Math.abs(video! - audio!) < 300_000, `${video} ${audio}`);
  const counters = {
    ...{ receivedBytes: 0, receivedPackets: 0, lostPackets: 0, damagedUnits: 0, jitterMs: 0 },
    clockPercent: 0 as number | undefined,
    awaits: undefined,
  };
  harness.presentation.readCounters(counters);
  assert.equal(counters.clockPercent, -16);
  assert.deepEqual(harness.presentation.notes, [
    'The video: its clock runs 16 % slow; times are corrected from arrival.',
  ]);
});

test('says goodbye when the camera does', () => {
  const harness = new Harness();
  assert.equal(harness.report(VIDEO, 1, 0), false);
  assert.equal(harness.report(VIDEO, 2, 0, hex`81cb0001 00000001`), true);
});

test('reports reception, with the time of the last sender report', () => {
  const harness = new Harness();
  assert.equal(harness.presentation.receiverReport(VIDEO, 4), undefined);
  harness.video(0);
  harness.report(VIDEO, 100.5, 0);
  harness.nowMs += 1500;
  const report = harness.presentation.receiverReport(VIDEO, 4)!;
  const view = new DataView(report.buffer);
  assert.equal(view.getUint32(4 + 4), 0x0a0b0c0d);
  assert.equal(view.getUint32(4 + 24), (((3_900_000_100 & 0xffff) << 16) | 0x8000) >>> 0);
  assert.equal(view.getUint32(4 + 28), 1.5 * 65_536);
});
