/** RTP and RTCP: whole sessions, packet after packet, as a camera would send them. */
import { concat } from '../../../codecs/bytes.ts';
import { selectMedias } from '../../../protocols/rtp/media-selection.ts';
import { ReorderWindow } from '../../../protocols/rtp/reorder-window.ts';
import { parseRtcp } from '../../../protocols/rtp/rtcp.ts';
import { RtpPacket } from '../../../protocols/rtp/rtp-packet.ts';
import { RtpPresentation } from '../../../protocols/rtp/rtp-presentation.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { hex } from '../../support/hex.ts';
import { fuA, nalUnit, rtpBytes, stapA } from '../../support/rtp-packets.ts';
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
    'AAC',
    'm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/48000/2\r\na=fmtp:96 mode=AAC-hbr;config=1190;sizeLength=13;indexLength=3;indexDeltaLength=3\r\n',
    hex`0010 0018 212223`,
    hex`0020 0010 0010 2122 2324`,
    hex`0010 0040 21222324`,
    hex`0010 0040 25262728`,
  ),
];
