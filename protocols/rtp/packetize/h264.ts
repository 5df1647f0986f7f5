/**
 * H.264 over RTP, RFC 6184, packetization-mode=1: single NAL units, STAP-A for small ones in a row, FU-A for large
 * ones. NAL units of the types that packets need for themselves (0, 24 to 31) mean nothing to a decoder and are left out.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { nalUnitType } from '../../../codecs/h264/nal-unit.ts';
import { H264_SYNTAX } from '../../../codecs/h264/nal-unit-syntax.ts';
import { MAX_PAYLOAD_BYTES, type PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';
import { sentNalUnits } from './sent-nal-units.ts';

const STAP_A = 24;
const FU_A = 28;
const FU_START = 0x80;
const FU_END = 0x40;
/** FU indicator and FU header. */
const FU_BYTES = 2;
const SIZE_BYTES = 2;
const FORBIDDEN = 0x80;
const REF_IDC = 0x60;

export class H264Packetizer implements Packetizer {
  /** Small NAL units that go into one packet. */
  readonly #together: Uint8Array[] = [];
  /** Of a STAP-A that holds them. */
  #togetherBytes = 1;

  packetize(unit: AccessUnit, timestamp: number, out: PacketBlock): void {
    const { track } = unit;
    const sets = track.codec === 'h264' ? [track.sps, track.pps] : [];
    for (const nalUnit of sentNalUnits(unit, sets, H264_SYNTAX)) {
      const type = nalUnitType(nalUnit[0] ?? 0);
      if (type === 0 || type >= STAP_A) continue;
      const withSize = SIZE_BYTES + nalUnit.length;
      if (this.#togetherBytes + withSize > MAX_PAYLOAD_BYTES) this.#flush(timestamp, out);
      if (nalUnit.length > MAX_PAYLOAD_BYTES) {
        fragment(nalUnit, timestamp, out);
      } else {
        this.#together.push(nalUnit);
        this.#togetherBytes += withSize;
      }
    }
    this.#flush(timestamp, out);
    out.markLast();
  }

  #flush(timestamp: number, out: PacketBlock): void {
    const [only, ...others] = this.#together;
    if (only === undefined) return;
    out.packet(timestamp);
    if (others.length === 0) out.bytes(only);
    else aggregate(this.#together, out);
    this.#together.length = 0;
    this.#togetherBytes = 1;
  }
}

/** §5.7.1: F is set when any has it, NRI is the highest of all. */
function aggregate(nalUnits: readonly Uint8Array[], out: PacketBlock): void {
  let forbidden = 0;
  let refIdc = 0;
  for (const [first = 0] of nalUnits) {
    forbidden |= first & FORBIDDEN;
    refIdc = Math.max(refIdc, first & REF_IDC);
  }
  out.u8(forbidden | refIdc | STAP_A);
  for (const nalUnit of nalUnits) {
    out.u16(nalUnit.length);
    out.bytes(nalUnit);
  }
}

/** §5.8. */
function fragment(nalUnit: Uint8Array, timestamp: number, out: PacketBlock): void {
  const first = nalUnit[0] ?? 0;
  for (let at = 1; at < nalUnit.length; at += MAX_PAYLOAD_BYTES - FU_BYTES) {
    const end = Math.min(nalUnit.length, at + MAX_PAYLOAD_BYTES - FU_BYTES);
    out.packet(timestamp);
    out.u8((first & (FORBIDDEN | REF_IDC)) | FU_A);
    out.u8(flags(at === 1, end === nalUnit.length) | nalUnitType(first));
    out.bytes(nalUnit, at, end);
  }
}

function flags(isFirst: boolean, isLast: boolean): number {
  return (isFirst ? FU_START : 0) | (isLast ? FU_END : 0);
}
