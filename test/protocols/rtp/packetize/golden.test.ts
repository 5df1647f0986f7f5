/** Bytes laid out by field as the RFCs have them, written by hand on 2026-11-25. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessUnit } from '../../../../codecs/access-unit.ts';
import { concat } from '../../../../codecs/bytes.ts';
import type { Track } from '../../../../codecs/track.ts';
import { beginningOf } from '../../../../protocols/rtp/packetize/beginning.ts';
import { nextInBlock, PacketBlock } from '../../../../protocols/rtp/packetize/packet-block.ts';
import { RtpSource } from '../../../../protocols/rtp/packetize/rtp-source.ts';
import { serializeBye } from '../../../../protocols/rtp/packetize/sender-report.ts';
import { StreamPacketizer } from '../../../../protocols/rtp/packetize/stream-packetizer.ts';
import { parseRtcp } from '../../../../protocols/rtp/rtcp.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { avcc } from '../../../support/rtp-packets.ts';
import { AUDIO_TRACK, HEVC_TRACK, VIDEO_TRACK } from '../../../support/units.ts';

/** 2026-11-25 00:00:00.500 UTC. */
const WALL_MS = 1_795_564_800_500;
const START = { seq: 0x1000, ssrc: 0x5a5a5a5a };

class Harness {
  wallMs = WALL_MS;
  newestUs: number | undefined;
  readonly packetizer: StreamPacketizer;
  #draws = 0;

  constructor(tracks: readonly Track[]) {
    // Of each source: SSRC, first timestamp, first number.
    const draws = [START.ssrc, 0, START.seq, START.ssrc + 1, 0, START.seq];
    this.packetizer = new StreamPacketizer({
      block: new PacketBlock(),
      wallMs: () => this.wallMs,
      newestUs: () => this.newestUs,
      random: () => draws[this.#draws++] ?? 0,
      cname: 'ab',
    });
    this.packetizer.start(tracks);
  }

  /** The packets of a unit in hex: channel, and what is behind the interleaved header. */
  packets(track: Track, data: Uint8Array, ptsUs = 0, randomAccess = false): [number, string][] {
    const block = this.block(track, data, ptsUs, randomAccess);
    const packets: [number, string][] = [];
    for (let at = 0; at < block.length; at = nextInBlock(block, at)) {
      packets.push([block[at + 1]!, toHex(block.subarray(at + 4, nextInBlock(block, at)))]);
    }
    return packets;
  }

  block(track: Track, data: Uint8Array, ptsUs = 0, randomAccess = false): Uint8Array {
    const unit: AccessUnit = { track, ptsUs, dtsUs: ptsUs, randomAccess, data, kept: false };
    return this.packetizer.frame(unit) ?? new Uint8Array(0);
  }
}

const joined = (...fields: readonly string[]) => fields.join('').replace(/\s/g, '');
const of = (byteLength: number, fill: number) => new Uint8Array(byteLength).fill(fill);

describe('packets as the RFCs lay them out', () => {
  test('H.264: parameter sets and what is small in one STAP-A, then the marker', () => {
    const harness = new Harness([VIDEO_TRACK]);
    harness.packets(VIDEO_TRACK, avcc(hex`41 9a`));
    const [, ...packets] = harness.packets(
      VIDEO_TRACK,
      avcc(hex`09 f0`, hex`65 88 84`),
      40_000,
      true,
    );
    const { sps, pps } = VIDEO_TRACK;
    assert.deepEqual(packets, [
      [
        0,
        joined(
          '80 e0 1001 00000e10 5a5a5a5a', // marker, type 96, 3600 ticks
          '78', // NRI 3, STAP-A
          '0002 09f0',
          `00${sps.length.toString(16)} ${toHex(sps)}`,
          `000${pps.length} ${toHex(pps)}`,
          '0003 658884',
        ),
      ],
    ]);
  });

  test('H.264: FU-A', () => {
    const harness = new Harness([VIDEO_TRACK]);
    harness.packets(VIDEO_TRACK, avcc(hex`41 9a`));
    const packets = harness.packets(VIDEO_TRACK, avcc(concat(hex`41`, of(2773, 0xaa))));
    const header = (marker: string, seq: string) => `80${marker}${seq}000000005a5a5a5a`;
    assert.deepEqual(packets, [
      [0, joined(header('60', '1001'), '5c 81', toHex(of(1386, 0xaa)))],
      [0, joined(header('60', '1002'), '5c 01', toHex(of(1386, 0xaa)))],
      [0, joined(header('e0', '1003'), '5c 41', 'aa')],
    ]);
  });

  test('H.265: fragmentation units', () => {
    const harness = new Harness([HEVC_TRACK]);
    harness.packets(HEVC_TRACK, avcc(hex`02 01 80`));
    const packets = harness.packets(HEVC_TRACK, avcc(concat(hex`02 01`, of(1387, 0xbb))));
    const header = (marker: string, seq: string) => `80${marker}${seq}000000005a5a5a5a`;
    assert.deepEqual(packets, [
      [0, joined(header('60', '1001'), '62 01 81', toHex(of(1385, 0xbb)))],
      [0, joined(header('e0', '1002'), '62 01 41', 'bbbb')],
    ]);
  });

  test('AAC: the AU header states 13 bits of size', () => {
    const harness = new Harness([AUDIO_TRACK]);
    harness.packets(AUDIO_TRACK, hex`21`);
    const packets = harness.packets(AUDIO_TRACK, hex`21 10 04 60`, 21_333);
    // 1024 ticks at 48 kHz
    assert.deepEqual(packets, [
      [2, joined('80 e1 1001 00000400 5a5a5a5a', '0010 0020', '21100460')],
    ]);
  });

  test('AC-3: the pieces of a frame tell how many there are, and whether a decoder may begin', () => {
    const track = { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 6 } as const;
    const harness = new Harness([track]);
    const [, one, two] = harness.packets(track, of(2000, 0x0b));
    assert.equal(one?.[1].slice(24, 28), '0102'); // FT 1: five eighths are there
    assert.equal(two?.[1].slice(24, 28), '0302');
    const [three] = harness.packets(track, of(3000, 0x0b));
    assert.equal(three?.[1].slice(24, 28), '0203'); // FT 2: they are not
  });

  test('a block is one run of bytes with interleaved headers', () => {
    const harness = new Harness([AUDIO_TRACK]);
    harness.block(AUDIO_TRACK, hex`21`);
    const block = harness.block(AUDIO_TRACK, hex`22`, 0);
    assert.equal(toHex(block), joined('24 02 0011', '80 e1 1001 00000000 5a5a5a5a 0010 0008 22'));
  });
});

describe('sender reports', () => {
  const report = (channelSsrc: string, rtp: string, packets: string, octets: string) =>
    joined(
      `80 c8 0006 ${channelSsrc}`,
      'eeb0a380 80000000', // NTP: seconds since 1900, and a half
      `${rtp} ${packets} ${octets}`,
      `81 ca 0003 ${channelSsrc} 01 02 6162 00000000`.replace('00000000', '00 000000'),
    );

  test('come first, of all tracks for one moment, with a CNAME', () => {
    const harness = new Harness([VIDEO_TRACK, AUDIO_TRACK]);
    const packets = harness.packets(VIDEO_TRACK, avcc(hex`41 9a`), 1_000_000);
    assert.deepEqual(
      packets.map(([channel]) => channel),
      [1, 3, 0],
    );
    assert.equal(packets[0]?.[1], report('5a5a5a5a', '00015f90', '00000000', '00000000'));
    assert.equal(packets[1]?.[1], report('5a5a5a5b', '0000bb80', '00000000', '00000000'));
  });

  test('are read by our own receiver as they were meant', () => {
    const harness = new Harness([VIDEO_TRACK]);
    const block = harness.block(VIDEO_TRACK, avcc(hex`41 9a`), 1_000_000);
    const { senderReport } = parseRtcp(block, 4, nextInBlock(block, 0));
    assert.equal(senderReport?.wallUs, WALL_MS * 1000);
    assert.equal(senderReport?.rtpTimestamp, 90_000);
    assert.equal(senderReport?.ssrc, START.ssrc);
  });

  test('come again where a GOP begins, and every five seconds within one', () => {
    const harness = new Harness([VIDEO_TRACK]);
    const count = (ms: number, randomAccess: boolean) => {
      harness.wallMs = WALL_MS + ms;
      const packets = harness.packets(VIDEO_TRACK, avcc(hex`65 88`), ms * 1000, randomAccess);
      return packets.filter(([channel]) => channel === 1).length;
    };
    assert.equal(count(0, true), 1);
    assert.equal(count(40, true), 1, 'a player may begin at each of them');
    assert.equal(count(1000, true), 1);
    assert.equal(count(5900, false), 0);
    assert.equal(count(6000, false), 1);
  });

  test('come twice a second where there is only sound', () => {
    const harness = new Harness([AUDIO_TRACK]);
    const reports = Array.from({ length: 100 }, (_, n) =>
      harness.packets(AUDIO_TRACK, hex`21`, n * 20_000, true).filter(([channel]) => channel === 3),
    );
    assert.equal(reports.flat().length, 4);
  });

  test('count packets and octets of payload', () => {
    const harness = new Harness([VIDEO_TRACK]);
    harness.packets(VIDEO_TRACK, avcc(hex`41 9a`));
    harness.packets(VIDEO_TRACK, avcc(concat(hex`41`, of(1388, 1))));
    const [[, bytes]] = harness.packets(VIDEO_TRACK, avcc(hex`41 9a`), 5_000_000) as [
      [number, string],
    ];
    // 2, and 1388 with two FU headers of 2
    assert.equal(
      bytes.slice(40, 56),
      joined('00000003', (2 + 1388 + 4).toString(16).padStart(8, '0')),
    );
  });

  test('a stall of the source moves nothing', () => {
    const harness = new Harness([VIDEO_TRACK]);
    const offset = (block: Uint8Array) => {
      const { senderReport } = parseRtcp(block, 4, nextInBlock(block, 0));
      return senderReport!.wallUs / 1000 - senderReport!.rtpTimestamp / 90;
    };
    const first = offset(harness.block(VIDEO_TRACK, avcc(hex`65 88`), 0, true));
    harness.wallMs += 3000;
    const late = offset(harness.block(VIDEO_TRACK, avcc(hex`65 88`), 1_000_000, true));
    assert.equal(late, first);
  });

  test('a replayed GOP is placed where it was, not where it is replayed', () => {
    const harness = new Harness([VIDEO_TRACK]);
    harness.newestUs = 8_000_000;
    const block = harness.block(VIDEO_TRACK, avcc(hex`65 88`), 1_000_000, true);
    const { senderReport } = parseRtcp(block, 4, nextInBlock(block, 0));
    assert.equal(senderReport?.rtpTimestamp, 8 * 90_000);
  });

  test('BYE with what must come before it', () => {
    assert.equal(
      toHex(serializeBye(0x01020304, 'ab')),
      joined(
        '80 c9 0001 01020304',
        '81 ca 0003 01020304 01 02 6162 00000000',
        '81 cb 0001 01020304',
      ),
    );
    const bytes = serializeBye(0x01020304, 'sluice-0123456789ab');
    assert.deepEqual(parseRtcp(bytes, 0, bytes.length).byes, [0x01020304]);
  });
});

describe('a returning source', () => {
  test('goes on with its numbers when the format is the same, and with another SSRC when not', () => {
    const harness = new Harness([VIDEO_TRACK]);
    const ssrcOf = (packets: [number, string][]) => packets.at(-1)?.[1].slice(16, 24);
    const first = harness.packets(VIDEO_TRACK, avcc(hex`41 9a`));
    harness.packetizer.start([{ ...VIDEO_TRACK, pps: hex`68 cb83cb40` }]);
    const second = harness.packets(VIDEO_TRACK, avcc(hex`41 9a`));
    assert.equal(ssrcOf(second), ssrcOf(first));
    assert.equal(second.at(-1)?.[1].slice(4, 8), '1001');
    harness.packetizer.start([HEVC_TRACK]);
    const third = harness.packets(HEVC_TRACK, avcc(hex`02 01 80`));
    assert.notEqual(ssrcOf(third), ssrcOf(first));
  });

  test('what RTP does not carry is nothing', () => {
    const track = { kind: 'video', codec: 'av1', config: hex`81` } as const;
    assert.equal(new Harness([track]).block(track, hex`12 00`).length, 0);
  });
});

describe('where a receiver begins', () => {
  const tracks = [
    { channel: 0, clockRate: 90_000 },
    { channel: 2, clockRate: 48_000 },
  ];

  test('both tracks at the moment of the earliest packet', () => {
    const harness = new Harness([VIDEO_TRACK, AUDIO_TRACK]);
    const video = harness.block(VIDEO_TRACK, avcc(hex`65 88`), 1_040_000, true);
    const audio = harness.block(AUDIO_TRACK, hex`21`, 1_000_000);
    assert.deepEqual(beginningOf([video, audio], tracks), [
      { seq: 0x1000, rtpTimestamp: 90_000 },
      { seq: 0x1000, rtpTimestamp: 48_000 },
    ]);
  });

  test('a track that has no packet yet has a time all the same', () => {
    const harness = new Harness([VIDEO_TRACK, AUDIO_TRACK]);
    const video = harness.block(VIDEO_TRACK, avcc(hex`65 88`), 1_000_000, true);
    assert.deepEqual(beginningOf([video], tracks), [
      { seq: 0x1000, rtpTimestamp: 90_000 },
      { seq: undefined, rtpTimestamp: 48_000 },
    ]);
  });

  test('nothing is known of nothing', () => {
    const unknown = { seq: undefined, rtpTimestamp: undefined };
    assert.deepEqual(beginningOf([], tracks), [unknown, unknown]);
  });
});

test('times wrap at 32 bits and stay exact after years', () => {
  const source = new RtpSource({ channel: 0, payloadType: 96, clockRate: 90_000, random: () => 0 });
  const years = 5 * 365 * 24 * 3600;
  assert.equal(source.timestampAt(years * 1_000_000 + 11), (years * 90_000 + 1) % 2 ** 32);
  assert.equal(source.timestampAt(-1_000_000), 2 ** 32 - 90_000);
});
