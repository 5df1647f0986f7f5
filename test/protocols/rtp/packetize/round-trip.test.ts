/** What is packetized here is read by our own depacketizers, as a receiver of the description would: bit by bit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../../../codecs/access-unit.ts';
import { concat } from '../../../../codecs/bytes.ts';
import { nalUnits } from '../../../../codecs/nal-units.ts';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../../../codecs/opus/identification-header.ts';
import type { Track } from '../../../../codecs/track.ts';
import { selectMedias } from '../../../../protocols/rtp/media-selection.ts';
import { offeredTracks } from '../../../../protocols/rtp/packetize/offered-medias.ts';
import { nextInBlock, PacketBlock } from '../../../../protocols/rtp/packetize/packet-block.ts';
import { StreamPacketizer } from '../../../../protocols/rtp/packetize/stream-packetizer.ts';
import { RtpPresentation } from '../../../../protocols/rtp/rtp-presentation.ts';
import { parseSdp } from '../../../../protocols/sdp/sdp.ts';
import { serializeSdp } from '../../../../protocols/sdp/serialize-sdp.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { avcc } from '../../../support/rtp-packets.ts';
import { AUDIO_TRACK, G711_TRACK, HEVC_TRACK, VIDEO_TRACK } from '../../../support/units.ts';

const OPUS_TRACK = opusTrack(serializeOpusIdentificationHeader(2));
const MP3_TRACK = { kind: 'audio', codec: 'mp3', sampleRate: 32_000, channels: 2 } as const;
const AC3_TRACK = { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 2 } as const;
const EAC3_TRACK = { kind: 'audio', codec: 'eac3', sampleRate: 48_000, channels: 2 } as const;

/** A second before RTP's clock and its numbers wrap around. */
const NEARLY_OVER = 0xffff_ffff - 90_000;

/** Of some units: through blocks, a description and a presentation. */
function roundTrip(
  tracks: readonly Track[],
  units: readonly AccessUnit[],
  random: () => number = () => NEARLY_OVER,
): RecordingSink {
  const packetizer = new StreamPacketizer({
    block: new PacketBlock(),
    wallMs: () => 1_000_000,
    newestUs: () => undefined,
    random,
    cname: 'test',
  });
  packetizer.start(tracks);
  const medias = offeredTracks(tracks).map(({ media }) => media);
  const sdp = serializeSdp({ name: 'test', version: 1, address: '10.0.0.1', medias });
  const { selected, leftOut } = selectMedias(parseSdp(sdp));
  assert.deepEqual(leftOut, []);
  const sink = new RecordingSink();
  let nowMs = 1000;
  const presentation = new RtpPresentation(selected, sink, () => nowMs, 1);
  for (const unit of units) {
    nowMs += 10;
    const before = unit.data.slice();
    const block = packetizer.frame(unit);
    assert.deepEqual(unit.data, before, 'the unit is left as it was');
    for (const [channel, packet] of packetsOf(block ?? new Uint8Array(0))) {
      const index = tracks.length === 1 ? 0 : channel >> 1;
      if ((channel & 1) === 1) {
        assert.equal(presentation.rtcp(index, packet, 0, packet.length), false, 'no BYE');
        continue;
      }
      assert.ok(presentation.rtp(index, packet, 0, packet.length), 'the packet is taken');
    }
  }
  return sink;
}

function* packetsOf(block: Uint8Array): Generator<[channel: number, packet: Uint8Array]> {
  for (let at = 0; at < block.length; ) {
    const next = nextInBlock(block, at);
    assert.equal(block[at], 0x24);
    yield [block[at + 1]!, block.slice(at + 4, next)];
    at = next;
  }
}

function unit(track: Track, data: Uint8Array, ptsUs = 0, randomAccess = true): AccessUnit {
  const buffer = new Uint8Array(ACCESS_UNIT_HEADROOM + data.length);
  buffer.set(data, ACCESS_UNIT_HEADROOM);
  const lent = buffer.subarray(ACCESS_UNIT_HEADROOM);
  return { track, ptsUs, dtsUs: ptsUs, randomAccess, data: lent, kept: false };
}

/** A slice that begins a picture, with contents that a seed tells. */
function slice(header: readonly number[], byteLength: number, seed: number): Uint8Array {
  const bytes = Uint8Array.from({ length: byteLength }, (_, i) => (i * 7 + seed) & 0xff);
  bytes.set([...header, 0x80 | (seed & 0x7f)]);
  return bytes;
}

/** Around the sizes where packets end. */
const sizes = fc.oneof(
  fc.integer({ min: 8, max: 60 }),
  fc.integer({ min: 1370, max: 1400 }),
  fc.integer({ min: 2750, max: 2790 }),
  fc.integer({ min: 8, max: 100_000 }),
);

const codecs = [
  {
    track: VIDEO_TRACK,
    sets: [VIDEO_TRACK.sps, VIDEO_TRACK.pps],
    random: [0x65],
    other: [0x41],
    delimiter: hex`09f0`,
    small: hex`06 05 04 deadbeef 80`,
  },
  {
    track: HEVC_TRACK,
    sets: [HEVC_TRACK.vps, HEVC_TRACK.sps, HEVC_TRACK.pps],
    random: [19 << 1, 1],
    other: [1 << 1, 1],
    delimiter: hex`460150`,
    small: hex`4e01 05 04 deadbeef 80`,
  },
];

for (const { track, sets, random, other, delimiter, small } of codecs) {
  describe(`${track.codec} there and back`, () => {
    const pictures = fc.array(
      fc.record({ bytes: sizes, slices: fc.integer({ min: 1, max: 4 }), seed: fc.nat(255) }),
      { minLength: 1, maxLength: 6 },
    );

    test('pictures of any size come as they were, with their times', () => {
      fc.assert(
        fc.property(pictures, (drawn) => {
          const units = drawn.map(({ bytes, slices, seed }, n) => {
            const header = n === 0 ? random : other;
            const own = Array.from({ length: slices }, (_, i) => {
              const nalUnit = slice(header, bytes, seed + i);
              if (i > 0) nalUnit[header.length]! &= 0x7f; // no first slice
              return nalUnit;
            });
            const parts = n === 0 ? [delimiter, ...sets, small, ...own] : [delimiter, ...own];
            return unit(track, avcc(...parts), n * 40_000, n === 0);
          });
          const { video } = roundTrip([track], units);
          assert.deepEqual(
            video.map(({ data }) => toHex(data)),
            units.map(({ data }) => toHex(data)),
          );
          assert.deepEqual(
            video.map(({ ptsUs }) => ptsUs),
            units.map(({ ptsUs }) => ptsUs),
          );
        }),
        { numRuns: 60 },
      );
    });

    test('parameter sets go in front of a random access picture that has none', () => {
      const picture = slice(random, 3000, 1);
      const [got] = roundTrip([track], [unit(track, avcc(picture))]).video;
      assert.deepEqual([...nalUnits(got!.data)].map(toHex), [...sets, picture].map(toHex));
    });

    test('… and behind its delimiter', () => {
      const picture = slice(random, 300, 1);
      const [got] = roundTrip([track], [unit(track, avcc(delimiter, picture))]).video;
      const want = [delimiter, ...sets, picture];
      assert.deepEqual([...nalUnits(got!.data)].map(toHex), want.map(toHex));
    });

    test('… only those that are missing, and not before other pictures', () => {
      const lastSet = sets.at(-1)!;
      const picture = slice(random, 300, 1);
      const next = slice(other, 300, 2);
      const { video } = roundTrip(
        [track],
        [unit(track, avcc(lastSet, picture)), unit(track, avcc(next), 40_000, false)],
      );
      const want = [...sets.slice(0, -1), lastSet, picture];
      assert.deepEqual([...nalUnits(video[0]!.data)].map(toHex), want.map(toHex));
      assert.deepEqual(toHex(video[1]!.data), toHex(avcc(next)));
    });

    test('NAL units of types that RTP needs for itself are left out', () => {
      const reserved = track.codec === 'h264' ? hex`7c 01` : hex`7c 01 01`;
      const picture = slice(random, 300, 1);
      const [got] = roundTrip([track], [unit(track, avcc(...sets, picture, reserved))]).video;
      assert.equal(toHex(got!.data), toHex(avcc(...sets, picture)));
    });

    test('a damaged unit is left out, and the next one is not harmed', () => {
      const picture = avcc(...sets, slice(random, 300, 1));
      const cut = picture.subarray(0, picture.length - 1);
      const { video } = roundTrip([track], [unit(track, cut), unit(track, picture, 40_000)]);
      assert.deepEqual(
        video.map(({ data }) => toHex(data)),
        [toHex(picture)],
      );
    });
  });
}

interface AudioCase {
  readonly name: string;
  readonly track: Track;
  readonly frame: (byteLength: number, seed: number) => Uint8Array;
  readonly frameUs: number;
  /** Of all its frames, where it cannot be any. */
  readonly byteLength?: number;
  readonly maxBytes?: number;
}

const plain = (byteLength: number, seed: number) =>
  Uint8Array.from({ length: byteLength }, (_, i) => (i * 13 + seed) & 0x7f);
const headed = (header: Uint8Array) => (byteLength: number, seed: number) =>
  concat(header, plain(byteLength - header.length, seed));

const audios: readonly AudioCase[] = [
  { name: 'AAC', track: AUDIO_TRACK, frame: plain, frameUs: 21_333, maxBytes: 8191 },
  { name: 'G.711 A-law', track: G711_TRACK, frame: plain, frameUs: 20_000, byteLength: 160 },
  {
    name: 'G.711 µ-law, stereo at 16 kHz',
    track: { ...G711_TRACK, codec: 'pcmu', sampleRate: 16_000, channels: 2 },
    frame: plain,
    frameUs: 20_000,
    byteLength: 640,
  },
  {
    name: 'Opus',
    track: OPUS_TRACK,
    frame: headed(hex`fc`), // CELT, 20 ms, stereo
    frameUs: 20_000,
    maxBytes: 5000,
  },
  {
    name: 'MP3, frames larger than a packet',
    track: MP3_TRACK,
    frame: headed(hex`fffbe800`), // MPEG-1 layer III, 320 kbit/s, 32 kHz
    frameUs: 36_000,
    byteLength: 1440,
  },
  {
    name: 'AC-3, frames larger than a packet',
    track: AC3_TRACK,
    frame: headed(hex`0b77 0000 1c 40 43 00`), // 384 kbit/s, 48 kHz, stereo
    frameUs: 32_000,
    byteLength: 1536,
  },
  {
    name: 'E-AC-3',
    track: EAC3_TRACK,
    frame: headed(hex`0b77 00ff 34 80 00 00`), // 512 bytes, 48 kHz, 6 blocks, stereo
    frameUs: 32_000,
    byteLength: 512,
  },
];

describe('audio there and back', () => {
  for (const { name, track, frame, frameUs, byteLength, maxBytes = 2000 } of audios) {
    test(name, () => {
      const drawnSizes =
        byteLength === undefined ? fc.integer({ min: 2, max: maxBytes }) : fc.constant(byteLength);
      const frames = fc.array(fc.tuple(drawnSizes, fc.nat(255)), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(frames, (drawn) => {
          const units = drawn.map(([bytes, seed], n) =>
            unit(track, frame(bytes, seed), n * frameUs),
          );
          const { audio, tracks } = roundTrip([track], units);
          assert.deepEqual(tracks, [track]);
          assert.deepEqual(
            audio.map(({ data }) => toHex(data)),
            units.map(({ data }) => toHex(data)),
          );
          for (const [n, { ptsUs }] of audio.entries()) {
            assert.ok(Math.abs(ptsUs - n * frameUs) <= 63, `${ptsUs} of ${n * frameUs}`);
          }
        }),
        { numRuns: 40 },
      );
    });
  }

  test('G.711 in one large piece is split, and the pieces have their times', () => {
    const data = plain(4000, 1);
    const { audio } = roundTrip([G711_TRACK], [unit(G711_TRACK, data)]);
    assert.equal(toHex(concat(...audio.map((each) => each.data))), toHex(data));
    assert.deepEqual(
      audio.map(({ ptsUs }) => ptsUs),
      [0, 173_500, 347_000],
    );
  });
});
