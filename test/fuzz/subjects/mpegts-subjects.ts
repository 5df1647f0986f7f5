/** MPEG-TS: whole streams, packet after packet, of every codec that is carried. */
import { concat } from '../../../codecs/bytes.ts';
import { TsDemuxer } from '../../../protocols/mpegts/demuxer.ts';
import { TsMuxer } from '../../../protocols/mpegts/muxer.ts';
import { parsePat, parsePmt } from '../../../protocols/mpegts/program-tables.ts';
import { SYNC_BYTE, TS_PACKET_BYTES } from '../../../protocols/mpegts/ts-packet.ts';
import { hex } from '../../support/hex.ts';
import { avcc } from '../../support/rtp-packets.ts';
import { patSection, pes, pmtSection, TsWriter } from '../../support/ts-packets.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { parserOf, type Subject } from '../subject.ts';

const { sps, pps } = VIDEO_TRACK;
const START = hex`00000001`;
const KEY = concat(START, hex`09f0`, START, sps, START, pps, hex`000001 658884aabbcc`);
const AUDIO: readonly (readonly [name: string, type: number, frame: Uint8Array])[] = [
  ['AAC', 0x0f, hex`fff14c8001bffc 210049900219`],
  ['LATM', 0x11, hex`56e01e 200011901fe0bef01002630bb319a9c97199b9718981800211004608c1c0`],
  ['MP3', 0x03, concat(hex`fffb54c4`, new Uint8Array(188))],
  ['AC-3', 0x81, concat(hex`0b77 0000 00 40 43 00`, new Uint8Array(120))],
];
/** Inputs that one demuxer takes: state and its faults add up. */
const INPUTS_PER_DEMUXER = 100;

function streamWith(audioType: number, frame: Uint8Array): Uint8Array {
  const ts = new TsWriter();
  const streams = [
    { pid: 0x100, type: 0x1b },
    { pid: 0x101, type: audioType },
  ];
  const packets = [
    ...ts.section(0, patSection({ 1: 0x1000 })),
    ...ts.section(0x1000, pmtSection(1, streams)),
  ];
  for (let n = 0; n < 4; n += 1) {
    const pts = 2 ** 33 - 7200 + n * 3600;
    packets.push(...ts.pes(0x100, pes(KEY, { pts: pts % 2 ** 33 }), { pcr: pts % 2 ** 33 }));
    packets.push(
      ...ts.pes(0x101, pes(concat(frame, frame), { pts: pts % 2 ** 33, bounded: true })),
    );
  }
  return concat(...packets);
}

export const MPEGTS_SUBJECTS: readonly Subject[] = [
  parserOf('PAT', parsePat, patSection({ 1: 0x1000, 2: 0x1001 }).subarray(0, -4)),
  parserOf(
    'PMT',
    parsePmt,
    pmtSection(1, [{ pid: 0x100, type: 0x06, descriptors: hex`05044f707573 7f028002` }]).subarray(
      0,
      -4,
    ),
  ),
  ...AUDIO.map(([name, type, frame]) => ({
    name: `MPEG-TS: H.264 and ${name}`,
    seeds: [streamWith(type, frame)],
    inputsPerParser: INPUTS_PER_DEMUXER,
    open: () => {
      const sink = { start: () => undefined, write: () => undefined, stop: () => undefined };
      let nowMs = 0;
      const demuxer = new TsDemuxer({ sink, now: () => nowMs, program: undefined });
      return (input: Uint8Array) => {
        nowMs += 40;
        demuxer.push(input, 0, input.length);
      };
    },
  })),
  {
    // What a publisher sends as a picture is muxed as it is, for viewers.
    name: 'MPEG-TS muxer',
    seeds: [avcc(hex`09f0`, sps, pps, hex`658884aabbcc`), avcc(hex`419a01`)],
    inputsPerParser: INPUTS_PER_DEMUXER,
    open: () => {
      const muxer = new TsMuxer();
      muxer.start([VIDEO_TRACK, AUDIO_TRACK]);
      let dtsUs = 0;
      return (input: Uint8Array) => {
        dtsUs += 40_000;
        for (const track of [VIDEO_TRACK, AUDIO_TRACK]) {
          const randomAccess = input.length % 2 === 0;
          const unit = { track, data: input, dtsUs, ptsUs: dtsUs, randomAccess, kept: false };
          const packets = muxer.frame(unit) ?? new Uint8Array(0);
          if (packets.length % TS_PACKET_BYTES !== 0) throw new Error('half a packet');
          for (let at = 0; at < packets.length; at += TS_PACKET_BYTES) {
            if (packets[at] !== SYNC_BYTE) throw new Error(`no sync byte at ${at}`);
          }
        }
      };
    },
  },
];
