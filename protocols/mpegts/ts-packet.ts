/**
 * The fields of a transport packet, read in place. ISO/IEC 13818-1 §2.4.3.2 (transport packet),
 * §2.4.3.4 (adaptation field).
 *
 * | 0x47 | error, unit start, priority, PID (13) | scrambling (2), adaptation (2), counter (4) | …
 */
export const TS_PACKET_BYTES = 188;
export const SYNC_BYTE = 0x47;
/** Stuffing that only fills the bit rate. */
export const NULL_PID = 0x1fff;
export const PAT_PID = 0;
/** PIDs have 13 bits. */
export const PIDS = 0x2000;

const HEADER_BYTES = 4;
const PCR_FLAG = 0x10;
const DISCONTINUITY_FLAG = 0x80;
/** Length, flags and six bytes of PCR. */
const PCR_BYTES = 8;

/** One packet; a demuxer owns one of these and reads every packet into it. */
export class TsPacket {
  pid = 0;
  hasError = false;
  isUnitStart = false;
  isScrambled = false;
  hasPayload = false;
  continuityCounter = 0;
  /** Counter and clock may jump here, and it is meant so. */
  isDiscontinuity = false;
  /** Where the payload begins; the packet's end when there is none. */
  start = 0;
  end = 0;
  /** Where six bytes of PCR begin; 0 when there is none. */
  pcrAt = 0;

  /** Reads the 188 bytes at `at`; false when their adaptation field cannot be one. */
  read(bytes: Uint8Array, at: number): boolean {
    const second = bytes[at + 1] ?? 0;
    const control = bytes[at + 3] ?? 0;
    this.pid = ((second & 0x1f) << 8) | (bytes[at + 2] ?? 0);
    this.hasError = (second & 0x80) !== 0;
    this.isUnitStart = (second & 0x40) !== 0;
    this.isScrambled = (control & 0xc0) !== 0;
    this.hasPayload = (control & 0x10) !== 0;
    this.continuityCounter = control & 0x0f;
    this.isDiscontinuity = false;
    this.pcrAt = 0;
    this.start = at + HEADER_BYTES;
    this.end = at + TS_PACKET_BYTES;
    if ((control & 0x20) !== 0 && !this.#adaptationField(bytes)) return false;
    if (!this.hasPayload) this.start = this.end;
    return true;
  }

  #adaptationField(bytes: Uint8Array): boolean {
    const at = this.start;
    const length = bytes[at] ?? 0;
    this.start = at + 1 + length;
    if (this.start > this.end) return false;
    if (length === 0) return true;
    const flags = bytes[at + 1] ?? 0;
    this.isDiscontinuity = (flags & DISCONTINUITY_FLAG) !== 0;
    if ((flags & PCR_FLAG) !== 0 && 1 + length >= PCR_BYTES) this.pcrAt = at + 2;
    return true;
  }
}

/** The 33 bits of program_clock_reference_base, in ticks of 90 kHz (§2.4.3.5). */
export function pcrBase(bytes: Uint8Array, at: number): number {
  const high =
    (bytes[at] ?? 0) * 0x1000000 +
    ((bytes[at + 1] ?? 0) << 16) +
    ((bytes[at + 2] ?? 0) << 8) +
    (bytes[at + 3] ?? 0);
  return high * 2 + ((bytes[at + 4] ?? 0) >> 7);
}
