/**
 * H.265 over RTP, RFC 7798, without decoding order numbers: single NAL units, and fragmentation units for large ones.
 * NAL units of the types that packets need for themselves (from 48 on) are left out.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { NAL_UNIT_HEADER_BYTES, nalUnitType } from '../../../codecs/h265/nal-unit.ts';
import { H265_SYNTAX } from '../../../codecs/h265/nal-unit-syntax.ts';
import { MAX_PAYLOAD_BYTES, type PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';
import { sentNalUnits } from './sent-nal-units.ts';

const AGGREGATION_PACKET = 48;
const FRAGMENTATION_UNIT = 49;
const FU_START = 0x80;
const FU_END = 0x40;
/** Payload header and FU header. */
const FU_BYTES = 3;
/** forbidden_zero_bit and the upper bit of nuh_layer_id. */
const AROUND_TYPE = 0x81;

export class H265Packetizer implements Packetizer {
  packetize(unit: AccessUnit, timestamp: number, out: PacketBlock): void {
    const { track } = unit;
    const sets = track.codec === 'h265' ? [track.vps, track.sps, track.pps] : [];
    for (const nalUnit of sentNalUnits(unit, sets, H265_SYNTAX)) {
      const isCarried = nalUnitType(nalUnit[0] ?? 0) < AGGREGATION_PACKET;
      if (!isCarried || nalUnit.length < NAL_UNIT_HEADER_BYTES) continue;
      if (nalUnit.length > MAX_PAYLOAD_BYTES) {
        fragment(nalUnit, timestamp, out);
      } else {
        out.packet(timestamp);
        out.bytes(nalUnit);
      }
    }
    out.markLast();
  }
}

/** §4.4.3. */
function fragment(nalUnit: Uint8Array, timestamp: number, out: PacketBlock): void {
  const [first = 0, second = 0] = nalUnit;
  const most = MAX_PAYLOAD_BYTES - FU_BYTES;
  for (let at = NAL_UNIT_HEADER_BYTES; at < nalUnit.length; at += most) {
    const end = Math.min(nalUnit.length, at + most);
    const start = at === NAL_UNIT_HEADER_BYTES ? FU_START : 0;
    out.packet(timestamp);
    out.u8((first & AROUND_TYPE) | (FRAGMENTATION_UNIT << 1));
    out.u8(second);
    out.u8(start | (end === nalUnit.length ? FU_END : 0) | nalUnitType(first));
    out.bytes(nalUnit, at, end);
  }
}
