/** RTCP of a sender: reports with a CNAME, and BYE. RFC 3550 §6.4.1, §6.5.1, §6.6. */
import { ByteWriter } from '../../../codecs/byte-writer.ts';
import type { RtpSource } from './rtp-source.ts';

const VERSION_2 = 0x80;
const PacketType = { senderReport: 200, receiverReport: 201, sdes: 202, bye: 203 } as const;
const SDES_CNAME = 1;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH_OFFSET_S = 2_208_988_800;

/** The moment of a report on both clocks. */
export interface ReportTime {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  readonly rtpTimestamp: number;
}

export function serializeSenderReport(
  source: RtpSource,
  { wallMs, rtpTimestamp }: ReportTime,
  cname: string,
): Uint8Array {
  const seconds = Math.floor(wallMs / 1000);
  const fraction = Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32);
  const writer = new ByteWriter()
    .u8(VERSION_2)
    .u8(PacketType.senderReport)
    .u16(6)
    .u32(source.ssrc)
    .u32(seconds + NTP_EPOCH_OFFSET_S)
    .u32(fraction)
    .u32(rtpTimestamp)
    .u32(source.packets)
    .u32(source.octets);
  return describe(writer, source.ssrc, cname).toBytes();
}

/** A compound begins with a report, §6.1: an empty one of a receiver. */
export function serializeBye(ssrc: number, cname: string): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(VERSION_2).u8(PacketType.receiverReport).u16(1).u32(ssrc);
  describe(writer, ssrc, cname);
  return writer
    .u8(VERSION_2 | 1)
    .u8(PacketType.bye)
    .u16(1)
    .u32(ssrc)
    .toBytes();
}

/** One chunk with one item; zeros end it, one at least, up to the next 32 bits. */
function describe(writer: ByteWriter, ssrc: number, cname: string): ByteWriter {
  const text = new TextEncoder().encode(cname);
  const chunkBytes = Math.ceil((4 + 2 + text.length + 1) / 4) * 4;
  writer
    .u8(VERSION_2 | 1)
    .u8(PacketType.sdes)
    .u16(chunkBytes / 4)
    .u32(ssrc)
    .u8(SDES_CNAME)
    .u8(text.length)
    .bytes(text);
  for (let at = 4 + 2 + text.length; at < chunkBytes; at += 1) writer.u8(0);
  return writer;
}
