/**
 * RTCP, RFC 3550 §6: sender reports and BYE are read, receiver reports with a CNAME are written.
 * Other packets of a compound are skipped.
 */
import type { Reception } from './reception.ts';

const PacketType = { senderReport: 200, receiverReport: 201, sdes: 202, bye: 203 } as const;
const SDES_CNAME = 1;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH_OFFSET_S = 2_208_988_800;

export interface SenderReport {
  readonly ssrc: number;
  /** The sender's wall clock in microseconds since 1970. */
  readonly wallUs: number;
  /** The middle 32 bits of the NTP time, as receiver reports return them. */
  readonly ntpMiddle: number;
  readonly rtpTimestamp: number;
}

export interface RtcpNews {
  readonly senderReport: SenderReport | undefined;
  /** Who says goodbye; undefined: nobody. Empty: whoever sent this. */
  readonly byes: readonly number[] | undefined;
}

/** Reads a compound in `bytes[from…to)`; damaged parts are passed over. */
export function parseRtcp(bytes: Uint8Array, from: number, to: number): RtcpNews {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let senderReport: SenderReport | undefined;
  let byes: number[] | undefined;
  for (let at = from; at + 8 <= to; ) {
    const length = (view.getUint16(at + 2) + 1) * 4;
    if (view.getUint8(at) >> 6 !== 2 || at + length > to) break;
    const type = view.getUint8(at + 1);
    if (type === PacketType.senderReport && length >= 28) senderReport = readSenderReport(view, at);
    if (type === PacketType.bye) {
      byes ??= [];
      byes.push(...readSources(view, at, length));
    }
    at += length;
  }
  return { senderReport, byes };
}

/** RFC 3550 §6.6: as many as the count says, as far as the packet reaches. */
function readSources(view: DataView, at: number, length: number): number[] {
  const count = Math.min(view.getUint8(at) & 0x1f, length / 4 - 1);
  return Array.from({ length: count }, (_, index) => view.getUint32(at + 4 + index * 4));
}

function readSenderReport(view: DataView, at: number): SenderReport {
  const seconds = view.getUint32(at + 8);
  const fraction = view.getUint32(at + 12);
  return {
    ssrc: view.getUint32(at + 4),
    wallUs:
      (seconds - NTP_EPOCH_OFFSET_S) * 1_000_000 + Math.round((fraction / 2 ** 32) * 1_000_000),
    ntpMiddle: (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0,
    rtpTimestamp: view.getUint32(at + 16),
  };
}

export interface LastReport {
  readonly ntpMiddle: number;
  /** Milliseconds since it arrived. */
  readonly ageMs: number;
}

/** A receiver report and the CNAME that must go with it (§6.4.2, §6.5.1), with `headroom` bytes left free in front. */
export function serializeReceiverReport(
  reception: Reception,
  ownSsrc: number,
  lastReport: LastReport | undefined,
  headroom: number,
): Uint8Array {
  const cname = 'sluice';
  const sdesBytes = Math.ceil((8 + 2 + cname.length + 1) / 4) * 4;
  const bytes = new Uint8Array(headroom + 32 + sdesBytes);
  const view = new DataView(bytes.buffer, headroom);
  view.setUint8(0, 0x81);
  view.setUint8(1, PacketType.receiverReport);
  view.setUint16(2, 7);
  view.setUint32(4, ownSsrc);
  view.setUint32(8, reception.ssrc);
  // Fraction lost, and the cumulative number as a 24-bit integer.
  view.setUint32(
    12,
    ((reception.takeFractionLost() << 24) | Math.min(reception.lostPackets, 0x7fffff)) >>> 0,
  );
  view.setUint32(16, reception.extendedHighest);
  view.setUint32(20, Math.round(reception.jitter));
  view.setUint32(24, lastReport?.ntpMiddle ?? 0);
  view.setUint32(28, lastReport === undefined ? 0 : Math.round(lastReport.ageMs * 65.536));
  view.setUint8(32, 0x81);
  view.setUint8(33, PacketType.sdes);
  view.setUint16(34, sdesBytes / 4 - 1);
  view.setUint32(36, ownSsrc);
  view.setUint8(40, SDES_CNAME);
  view.setUint8(41, cname.length);
  for (let i = 0; i < cname.length; i += 1) view.setUint8(42 + i, cname.charCodeAt(i));
  return bytes;
}
