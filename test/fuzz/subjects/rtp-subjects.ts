/** RTP and RTCP: whole sessions, packet after packet, as a camera would send them. */
import { loasElements } from '../../../codecs/aac/loas.ts';
import { concat } from '../../../codecs/bytes.ts';
import { selectMedias } from '../../../protocols/rtp/media-selection.ts';
import { ReorderWindow } from '../../../protocols/rtp/reorder-window.ts';
import { parseRtcp } from '../../../protocols/rtp/rtcp.ts';
import { RtpPacket } from '../../../protocols/rtp/rtp-packet.ts';
import { RtpPresentation } from '../../../protocols/rtp/rtp-presentation.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { LOAS } from '../../codecs/aac/latm-fixture.ts';
import { MAIN } from '../../codecs/h265/streams.ts';
import { hex } from '../../support/hex.ts';
import {
  aggregation,
  fragmentationUnits,
  fuA,
  h265NalUnit,
  nalUnit,
  rtpBytes,
  stapA,
} from '../../support/rtp-packets.ts';
import { VIDEO_TRACK } from '../../support/units.ts';
import { packetsInput, packetsOf, parserOf, type Subject } from '../subject.ts';

/** Inputs that one session takes: state and its faults add up. */
const INPUTS_PER_SESSION = 200;
const PACKET_INTERVAL_MS = 3;

const SENDER_REPORT = hex`80c80006 00000001 e8754700 80000000 00000e10 00000001 00000064`;
const BYE = hex`81cb0001 00000001`;

/** A session with one media of this description; every input is a run of its packets. */
function sessionOf(name: string, media: string, ...payloads: readonly Uint8Array[]): Subject {
  const packets = payloads.map((payload, index) =>
    rtpBytes({
      sequenceNumber: 65_530 + index,
      timestamp: 0xffff_f000 + Math.floor(index / 2) * 3600,
      marker: index % 2 === 1,
      payload,
    }),
  );
  return {
    name: `RTP payload: ${name}`,
    seeds: [packetsInput(...packets), packetsInput(...packets.slice(0, 2))],
    inputsPerParser: INPUTS_PER_SESSION,
    open: () => {
      const sink = { start: () => undefined, write: () => undefined, stop: () => undefined };
      const { selected } = selectMedias(parseSdp(`v=0\r\n${media}`));
      let nowMs = 0;
      const presentation = new RtpPresentation(selected, sink, () => nowMs, 1);
      const window = new ReorderWindow((...packet) => void presentation.rtp(0, ...packet));
      return (input) => {
        for (const packet of packetsOf(input)) {
          nowMs += PACKET_INTERVAL_MS;
          window.push(packet, 0, packet.length, nowMs);
        }
        presentation.receiverReport(0, 4);
      };
    },
  };
}

const H264_UNIT = nalUnit(0x65, 300);

export const RTP_SUBJECTS: readonly Subject[] = [
  parserOf(
    'RTP packet',
    (bytes) => new RtpPacket().read(bytes, 0, bytes.length),
    rtpBytes({ payload: hex`658801`, csrcs: [1, 2], extensionWords: 2, padding: 4 }),
  ),
  parserOf(
    'RTCP',
    (bytes) => parseRtcp(bytes, 0, bytes.length),
    concat(SENDER_REPORT, hex`81ca0003 00000001 0103 616263 000000`, BYE),
  ),
  sessionOf(
    'H.264',
    'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n',
    stapA(VIDEO_TRACK.sps, VIDEO_TRACK.pps),
    ...fuA(H264_UNIT, 120),
    nalUnit(0x41, 60),
    concat(hex`00000001`, VIDEO_TRACK.sps, hex`00000001`, VIDEO_TRACK.pps, hex`000001 6588`),
    nalUnit(0x06, 12),
  ),
  sessionOf(
    'H.265',
    'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n',
    aggregation([MAIN.vps, MAIN.sps, MAIN.pps]),
    ...fragmentationUnits(h265NalUnit(19, 300), 120),
    h265NalUnit(1, 60),
    concat(hex`00000001`, MAIN.vps, hex`00000001`, MAIN.sps, hex`000001`, MAIN.pps),
    h265NalUnit(39, 12),
  ),
  sessionOf(
    'H.265 with decoding order numbers',
    'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-max-don-diff=2\r\n',
    aggregation([MAIN.vps, MAIN.sps, MAIN.pps], 1),
    ...fragmentationUnits(h265NalUnit(19, 300), 120, 5),
    h265NalUnit(1, 60),
  ),
  sessionOf(
    'AAC',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/48000/2\r\na=fmtp:96 mode=AAC-hbr;config=1190;sizeLength=13;indexLength=3;indexDeltaLength=3\r\n',
    hex`0010 0018 212223`,
    hex`0020 0010 0010 2122 2324`,
    hex`0010 0040 21222324`,
    hex`0010 0040 25262728`,
  ),
  sessionOf(
    'AAC, interleaved, without a configuration',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/48000/2\r\na=fmtp:96 mode=AAC-hbr;maxDisplacement=4\r\n',
    hex`0020 0008 000a 21 22`,
    hex`0020 0048 000a fff14c80013ffc 2122 23`,
  ),
  sessionOf(
    'AAC in LATM, in band',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MP4A-LATM/8000\r\n',
    ...Array.from(loasElements(LOAS)),
  ),
  sessionOf(
    'AAC in LATM, out of band',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MP4A-LATM/48000/2\r\na=fmtp:96 cpresent=0;config=400023203fc0\r\n',
    hex`03 212223`,
    hex`04 2122`,
    hex`2324`,
  ),
  sessionOf('G.711', 'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 PCMA/8000\r\n', hex`d5d5`),
  sessionOf(
    'Opus',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n',
    hex`f8b42d`,
    hex`fcb406`,
  ),
  sessionOf(
    'MPEG audio',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPA/90000\r\n',
    hex`00000000 fff314c4 ${'5a'.repeat(20)} fff314c4 ${'5a'.repeat(20)}`,
    hex`00000000 fff314c4 ${'5a'.repeat(8)}`,
    hex`0000000c ${'5a'.repeat(12)}`,
  ),
  sessionOf(
    'MP3 as ADUs',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 mpa-robust/90000\r\n',
    hex`17 fff314c4 00 ${'00'.repeat(18)} 14 fff314c4 03 ${'00'.repeat(15)}`,
    hex`18 fff314c4 ${'00'.repeat(8)}`,
    hex`98 ${'00'.repeat(12)}`,
  ),
  sessionOf(
    'AC-3',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 AC3/48000\r\n',
    hex`0001 0b77e59a00402f84 ${'5a'.repeat(120)}`,
    hex`0103 0b77e59a00402f84 ${'5a'.repeat(60)}`,
    hex`0303 ${'5a'.repeat(60)}`,
  ),
  sessionOf(
    'E-AC-3',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 EAC3/48000\r\n',
    hex`0002 0b77000f3287c000 ${'5a'.repeat(24)} 0b7740073287c000 ${'5a'.repeat(8)}`,
    hex`0102 0b77000f3287c000 ${'5a'.repeat(8)}`,
    hex`0102 ${'5a'.repeat(16)}`,
  ),
];
