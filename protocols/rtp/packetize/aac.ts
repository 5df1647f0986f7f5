/** AAC over RTP, RFC 3640 §3.3.6, mode AAC-hbr: a frame to a packet, or a large one over several. */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { MAX_PAYLOAD_BYTES, type PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';

/** AU-headers-length, and one AU header of 13 bits AU-size and 3 bits AU-Index. */
const HEADER_BYTES = 4;
const AU_HEADER_BITS = 16;
const MAX_FRAME_BYTES = 0x1fff;

export class AacPacketizer implements Packetizer {
  packetize({ data }: AccessUnit, timestamp: number, out: PacketBlock): void {
    if (data.length > MAX_FRAME_BYTES) return;
    for (let at = 0; at < data.length; at += MAX_PAYLOAD_BYTES - HEADER_BYTES) {
      out.packet(timestamp);
      out.u16(AU_HEADER_BITS);
      // Each piece states the size of the whole, §3.2.3.
      out.u16(data.length << 3);
      out.bytes(data, at, Math.min(data.length, at + MAX_PAYLOAD_BYTES - HEADER_BYTES));
    }
    out.markLast();
  }
}
