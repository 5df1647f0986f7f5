/**
 * Assembles an access unit in place: the one copy of a frame's bytes on its way through.
 *
 * One buffer is used again and again, with room for the sink's header before the unit
 * (access-unit.ts). Video is a run of NAL units behind 4-byte lengths (AVCC); audio appends the bare frame.
 *
 *   assembler.appendNalUnit(payload);                       a whole NAL unit
 *   assembler.beginNalUnit(); append(…); endNalUnit();      one that comes in fragments
 *   const data = assembler.take();                          lent: append nothing now
 *   sink.write({ …, data, kept: false });
 *   assembler.release(unit.kept);                           empty again
 *
 * A unit past the limit is not an error of the session: `overflowed` turns true, further bytes are
 * ignored, and the owner calls `clear()` and counts one damaged unit.
 */
import { ACCESS_UNIT_HEADROOM, MAX_ACCESS_UNIT_BYTES } from './access-unit.ts';

/** Holds any audio frame; video grows it within the first pictures, and it stays grown. */
const INITIAL_CAPACITY = 8 * 1024;
/** How long a large unit keeps its buffer large: about 20 s, longer than most GOPs. */
const SHRINK_AFTER_UNITS = 512;
const LENGTH_BYTES = 4;
const NONE = -1;

export class AccessUnitAssembler {
  #buffer = new Uint8Array(ACCESS_UNIT_HEADROOM + INITIAL_CAPACITY);
  #end = ACCESS_UNIT_HEADROOM;
  /** Where the length of the NAL unit being assembled goes, or NONE. */
  #nalUnitAt = NONE;
  #overflowed = false;
  /** The largest end since the capacity was last looked at, and the units since then. */
  #largestEnd = ACCESS_UNIT_HEADROOM;
  #units = 0;

  get byteLength(): number {
    return this.#end - ACCESS_UNIT_HEADROOM;
  }

  /** The unit exceeds MAX_ACCESS_UNIT_BYTES and is not whole: drop it with `clear()`. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Bytes of memory held, headroom included. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Appends a whole NAL unit; an empty one is ignored. */
  appendNalUnit(nalUnit: Uint8Array): void {
    const { length } = nalUnit;
    if (this.#nalUnitAt !== NONE) this.abandonNalUnit();
    if (length === 0 || !this.#hasRoom(LENGTH_BYTES + length)) return;
    this.#putLength(this.#end, length);
    this.#buffer.set(nalUnit, this.#end + LENGTH_BYTES);
    this.#end += LENGTH_BYTES + length;
  }

  /** Leaves room for the length of a NAL unit that comes in pieces; one still open is abandoned. */
  beginNalUnit(): void {
    if (this.#nalUnitAt !== NONE) this.abandonNalUnit();
    if (!this.#hasRoom(LENGTH_BYTES)) return;
    this.#nalUnitAt = this.#end;
    this.#end += LENGTH_BYTES;
  }

  /** Appends bytes as they are: a piece of the open NAL unit, or of an audio frame. */
  append(bytes: Uint8Array): void {
    if (!this.#hasRoom(bytes.length)) return;
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Appends one byte: the NAL unit header that a fragmentation unit takes apart (RFC 6184 §5.8). */
  appendByte(byte: number): void {
    if (!this.#hasRoom(1)) return;
    this.#buffer[this.#end] = byte;
    this.#end += 1;
  }

  /** Writes the length of the NAL unit that was begun; an empty one disappears. */
  endNalUnit(): void {
    const at = this.#nalUnitAt;
    if (at === NONE) return;
    const length = this.#end - at - LENGTH_BYTES;
    if (length === 0) this.#end = at;
    else this.#putLength(at, length);
    this.#nalUnitAt = NONE;
  }

  /** What has come of the NAL unit that was begun: a view, valid until anything else is called. */
  openNalUnit(): Uint8Array {
    if (this.#nalUnitAt === NONE) return this.#buffer.subarray(this.#end, this.#end);
    return this.#buffer.subarray(this.#nalUnitAt + LENGTH_BYTES, this.#end);
  }

  /** Takes back the NAL unit that was begun, as if it had never come. */
  abandonNalUnit(): void {
    if (this.#nalUnitAt === NONE) return;
    this.#end = this.#nalUnitAt;
    this.#nalUnitAt = NONE;
  }

  /** The unit: a view into the buffer, valid until `release()` or `clear()`. An open NAL unit is abandoned. */
  take(): Uint8Array {
    this.abandonNalUnit();
    return this.#buffer.subarray(ACCESS_UNIT_HEADROOM, this.#end);
  }

  /** After the sink returned. `kept`: somebody still reads the bytes, so leave them the buffer. */
  release(kept: boolean): void {
    const end = this.#end;
    this.clear();
    if (end > this.#largestEnd) this.#largestEnd = end;
    this.#units += 1;
    if (kept) this.#buffer = new Uint8Array(capacityFor(end));
    if (this.#units >= SHRINK_AFTER_UNITS) this.#shrink();
  }

  /** Forgets the unit being assembled. */
  clear(): void {
    this.#end = ACCESS_UNIT_HEADROOM;
    this.#nalUnitAt = NONE;
    this.#overflowed = false;
  }

  #hasRoom(length: number): boolean {
    if (this.#overflowed) return false;
    const end = this.#end + length;
    if (end <= this.#buffer.length) return true;
    if (end > ACCESS_UNIT_HEADROOM + MAX_ACCESS_UNIT_BYTES) {
      this.#overflowed = true;
      return false;
    }
    this.#grow(end);
    return true;
  }

  #grow(end: number): void {
    const larger = new Uint8Array(capacityFor(end));
    larger.set(this.#buffer.subarray(ACCESS_UNIT_HEADROOM, this.#end), ACCESS_UNIT_HEADROOM);
    this.#buffer = larger;
  }

  /** One large unit must not hold its memory for ever. */
  #shrink(): void {
    const capacity = capacityFor(this.#largestEnd);
    if (capacity < this.#buffer.length) this.#buffer = new Uint8Array(capacity);
    this.#largestEnd = ACCESS_UNIT_HEADROOM;
    this.#units = 0;
  }

  #putLength(at: number, length: number): void {
    const buffer = this.#buffer;
    buffer[at] = length >>> 24;
    buffer[at + 1] = length >>> 16;
    buffer[at + 2] = length >>> 8;
    buffer[at + 3] = length;
  }
}

/** Doubles until `end` fits. */
function capacityFor(end: number): number {
  let capacity = INITIAL_CAPACITY;
  while (ACCESS_UNIT_HEADROOM + capacity < end) capacity *= 2;
  return ACCESS_UNIT_HEADROOM + capacity;
}
