import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../../codecs/bytes.ts';
import {
  AC3_FORMAT,
  EAC3_FORMAT,
  FramedAudioDepacketizer,
  type FramedAudioFormat,
  MPEG_AUDIO_FORMAT,
} from '../../../../protocols/rtp/payload/framed-audio.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { UnitLog } from '../../../support/unit-log.ts';

/** MPEG-1 layer III, 44.1 kHz, stereo, 32 kbit/s: 104 bytes, with padding 105. */
const MP3 = framed(hex`fffb1004`, 104);
const MP3_PADDED = framed(hex`fffb1204`, 105);
/** MPEG-1 layer II, 48 kHz, mono, 64 kbit/s. */
const MP2 = framed(hex`fffd44c4`, 192);
/** 48 kHz, mono, 96 kbit/s. */
const AC3 = framed(hex`0b77e59a0c402f84`, 384);
/** 48 kHz, mono: an independent frame, and a dependent one of the same time. */
const EAC3 = framed(hex`0b7700273287c000`, 80);
const EAC3_DEPENDENT = framed(hex`0b7740073287c000`, 16);

/** What precedes the frames: RFC 2250 §3.5, RFC 4184 §4.1, RFC 4598 §4.1. */
const MPA_WHOLE = hex`00000000`;
const AC3_WHOLE = hex`0001`;
const EAC3_WHOLE = hex`0001`;

function framed(header: Uint8Array, byteLength: number): Uint8Array {
  const frame = Uint8Array.from({ length: byteLength }, (_, n) => n);
  frame.set(header);
  return frame;
}

function open(format: FramedAudioFormat, clockRate: number) {
  return new UnitLog((receiver) => new FramedAudioDepacketizer(receiver, clockRate, format));
}

function openMpa() {
  return open(MPEG_AUDIO_FORMAT, 90_000);
}

function mpaPieces(frame: Uint8Array): Uint8Array[] {
  return [0, 40, 80].map((at) =>
    concat(Uint8Array.of(0, 0, 0, at), frame.subarray(at, Math.min(at + 40, frame.length))),
  );
}

/** FT 1 for a first piece with five eighths of the frame, 3 for the others; NF pieces. */
function ac3Pieces(frame: Uint8Array): Uint8Array[] {
  return [0, 160, 320].map((at) =>
    concat(Uint8Array.of(at === 0 ? 1 : 3, 3), frame.subarray(at, at + 160)),
  );
}

function eac3Pieces(frame: Uint8Array): Uint8Array[] {
  return [0, 32, 64].map((at) => concat(hex`0103`, frame.subarray(at, at + 32)));
}

describe('MPEG audio', () => {
  test('the track is known with the first frame', () => {
    const log = openMpa();
    assert.equal(log.depacketizer.track, undefined);
    log.push(concat(MPA_WHOLE, MP3), { timestamp: 5, marker: true });
    const track = { kind: 'audio', codec: 'mp3', sampleRate: 44_100, channels: 2 };
    assert.deepEqual(log.depacketizer.track, track);
    assert.deepEqual(log.tracks, [track]);
    assert.deepEqual(log.units, [[toHex(MP3), 5]]);
  });

  test('several frames in a packet: their times by the 90 kHz clock, not drifting', () => {
    const log = openMpa();
    const frames = [MP3, MP3_PADDED, MP3, MP3, MP3];
    log.push(concat(MPA_WHOLE, ...frames), { timestamp: 0xffff_ff00 });
    // 1152 samples at 44.1 kHz are 2351.02 ticks: 13 frames later that would be a tick.
    assert.deepEqual(
      log.units.map(([data, at]) => [data.length / 2, (at + 0x100) >>> 0]),
      [
        [104, 0],
        [105, 2351],
        [104, 4702],
        [104, 7053],
        [104, 9404],
      ],
    );
    assert.equal(log.tracks.length, 1);
  });

  test('layer II is refused, in words; nothing is damaged', () => {
    const log = openMpa();
    log.push(concat(MPA_WHOLE, MP2));
    log.push(concat(MPA_WHOLE, MP3));
    assert.equal(log.depacketizer.refusal, 'it is MPEG layer II, not MP3');
    assert.deepEqual(log.units, []);
    assert.equal(log.depacketizer.damagedUnits, 0);
  });

  test('junk behind a frame that looks like another layer is damage', () => {
    const log = openMpa();
    log.push(concat(MPA_WHOLE, MP3, MP2), { timestamp: 0 });
    log.push(concat(MPA_WHOLE, MP3), { timestamp: 2351 });
    assert.equal(log.depacketizer.refusal, undefined);
    assert.equal(log.units.length, 2);
    assert.equal(log.depacketizer.damagedUnits, 1);
  });

  test('another rate makes another track', () => {
    const log = openMpa();
    log.push(concat(MPA_WHOLE, MP3));
    log.push(concat(MPA_WHOLE, framed(hex`fff3306c`, 78)));
    assert.deepEqual(
      log.tracks.map((track) => track.kind === 'audio' && track.sampleRate),
      [44_100, 22_050],
    );
  });
});

describe('AC-3', () => {
  test('three frames in a packet, as GStreamer 1.22 sends them', () => {
    const log = open(AC3_FORMAT, 48_000);
    log.push(concat(hex`0003`, AC3, AC3, AC3), { timestamp: 0xffff_fa00, marker: true });
    assert.deepEqual(log.units, [
      [toHex(AC3), 0xffff_fa00],
      [toHex(AC3), 0],
      [toHex(AC3), 1536],
    ]);
    assert.deepEqual(log.tracks, [
      { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 1 },
    ]);
  });

  test('E-AC-3: frames of the same time are one unit', () => {
    const log = open(EAC3_FORMAT, 48_000);
    log.push(concat(hex`0003`, EAC3, EAC3_DEPENDENT, EAC3), { timestamp: 0 });
    assert.deepEqual(log.units, [
      [toHex(concat(EAC3, EAC3_DEPENDENT)), 0],
      [toHex(EAC3), 1536],
    ]);
    const [track] = log.tracks;
    assert.equal(track?.codec, 'eac3');
  });
});

for (const { name, format, whole, frame, pieces } of [
  {
    name: 'MPEG audio',
    format: MPEG_AUDIO_FORMAT,
    whole: MPA_WHOLE,
    frame: MP3,
    pieces: mpaPieces(MP3),
  },
  { name: 'AC-3', format: AC3_FORMAT, whole: AC3_WHOLE, frame: AC3, pieces: ac3Pieces(AC3) },
  { name: 'E-AC-3', format: EAC3_FORMAT, whole: EAC3_WHOLE, frame: EAC3, pieces: eac3Pieces(EAC3) },
]) {
  describe(`${name}, a frame over three packets`, () => {
    const last = (n: number) => ({ marker: n === 2 });

    test('is one frame again', () => {
      const log = open(format, 48_000);
      for (const [n, piece] of pieces.entries()) log.push(piece, { timestamp: 9, ...last(n) });
      assert.deepEqual(log.units, [[toHex(frame), 9]]);
    });

    test('and no marker: its length tells', () => {
      const log = open(format, 48_000);
      for (const piece of pieces) log.push(piece, { timestamp: 9 });
      log.push(concat(whole, frame), { timestamp: 1161 });
      assert.equal(log.units.length, 2);
    });

    for (const [part, kept] of [
      ['start', [1, 2]],
      ['middle', [0, 2]],
      ['end', [0, 1]],
    ] as const) {
      test(`that lost its ${part} is dropped, and only that one`, () => {
        const log = open(format, 48_000);
        let before = -1;
        for (const n of kept) {
          log.push(pieces[n]!, { timestamp: 9, ...last(n), gap: n !== before + 1 });
          before = n;
        }
        log.push(concat(whole, frame), { timestamp: 1161, gap: before !== 2 });
        assert.deepEqual(log.units, [[toHex(frame), 1161]]);
        assert.equal(log.depacketizer.damagedUnits, 1);
      });
    }

    test('a lost packet between whole frames costs nothing else', () => {
      const log = open(format, 48_000);
      log.push(concat(whole, frame), { timestamp: 0 });
      log.push(concat(whole, frame), { timestamp: 4000, gap: true });
      assert.equal(log.units.length, 2);
      assert.equal(log.depacketizer.damagedUnits, 0);
    });

    for (const [what, payload] of [
      ['nothing', hex``],
      ['the header alone', whole],
      ['no frame', concat(whole, hex`0102030405060708`)],
      ['a frame with junk behind it', concat(whole, frame, hex`01020304`)],
    ] as const) {
      test(`${what} is counted, and the next packet is read`, () => {
        const log = open(format, 48_000);
        log.push(payload, { timestamp: 0 });
        log.push(concat(whole, frame), { timestamp: 1000 });
        assert.deepEqual(log.units.at(-1), [toHex(frame), 1000]);
        assert.equal(log.depacketizer.damagedUnits, 1);
      });
    }

    test('arbitrary payloads never throw; what comes has the length that its header tells', () => {
      const payload = fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(...pieces, concat(whole, frame)),
      );
      const packet = fc.record({ payload, timestamp: fc.nat(2), gap: fc.boolean() });
      fc.assert(
        fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
          const log = open(format, 48_000);
          for (const { payload: bytes, ...fields } of packets) log.push(bytes, fields);
          for (const data of log.data) assert.equal(data.length / 2, frame.length);
        }),
      );
    });
  });
}
