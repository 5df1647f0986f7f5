/**
 * Puts PSI sections together from the payloads of one PID: several in a packet, one over several
 * packets, behind a pointer_field. ISO/IEC 13818-1 §2.4.4.1, §2.4.4.2. Sections whose CRC is wrong
 * are dropped; tables are repeated several times a second.
 */
import { crc32 } from './crc32.ts';

const HEADER_BYTES = 3;
/** section_length of a PAT or PMT is at most 1021 (§2.4.4.4, §2.4.4.9). */
const MAX_SECTION_BYTES = HEADER_BYTES + 1021;
/** Five bytes of the long header and the CRC. */
const MIN_SECTION_BYTES = HEADER_BYTES + 9;
const CRC_BYTES = 4;
/** Where a table_id should be: the rest of the packet is stuffing. */
const STUFFING = 0xff;

export interface SectionReceiver {
  /** A whole section without its CRC, valid during the call. */
  section(section: Uint8Array): void;
  /** One whose CRC or length is wrong. */
  damaged(): void;
}

export class SectionAssembler {
  readonly #receiver: SectionReceiver;
  /** Empty until a section begins: a PAT may name hundreds of PIDs on which none does. */
  #section: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Bytes that come belong to a section. */
  #isInside = false;

  constructor(receiver: SectionReceiver) {
    this.#receiver = receiver;
  }

  /** The payload of one packet; `isUnitStart`: a section begins in it. */
  push(bytes: Uint8Array, from: number, to: number, isUnitStart: boolean): void {
    if (!isUnitStart) {
      this.#append(bytes, from, to);
      return;
    }
    const start = from + 1 + (bytes[from] ?? 0);
    if (from >= to || start > to) {
      this.reset();
      return;
    }
    this.#append(bytes, from + 1, start);
    this.#length = 0;
    this.#isInside = true;
    if (this.#section.length === 0) this.#section = new Uint8Array(MAX_SECTION_BYTES);
    this.#append(bytes, start, to);
  }

  /** Packets were lost: what has been collected is not whole. */
  reset(): void {
    this.#length = 0;
    this.#isInside = false;
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to && this.#isInside) {
      if (this.#length === 0 && bytes[at] === STUFFING) this.#isInside = false;
      else at = this.#take(bytes, at, to);
    }
  }

  /** Takes the rest of the section's header, or of its body. Returns where it ended. */
  #take(bytes: Uint8Array, at: number, to: number): number {
    const section = this.#section;
    const isHeader = this.#length < HEADER_BYTES;
    const wanted = isHeader ? HEADER_BYTES : this.#wholeLength();
    const end = Math.min(to, at + wanted - this.#length);
    section.set(bytes.subarray(at, end), this.#length);
    this.#length += end - at;
    if (this.#length < wanted) return end;
    if (isHeader) {
      const whole = this.#wholeLength();
      if (whole < MIN_SECTION_BYTES || whole > MAX_SECTION_BYTES) {
        this.#receiver.damaged();
        this.reset();
      }
    } else {
      this.#finish();
    }
    return end;
  }

  #wholeLength(): number {
    const section = this.#section;
    return HEADER_BYTES + ((((section[1] ?? 0) & 0x0f) << 8) | (section[2] ?? 0));
  }

  #finish(): void {
    const section = this.#section.subarray(0, this.#length);
    this.#length = 0;
    if (crc32(section) !== 0) this.#receiver.damaged();
    else this.#receiver.section(section.subarray(0, section.length - CRC_BYTES));
  }
}
