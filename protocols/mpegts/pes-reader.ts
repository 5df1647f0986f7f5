/**
 * The PES packets of one PID: headers out of transport packets, payloads handed on in place.
 * ISO/IEC 13818-1 §2.4.3.6. A packet whose beginning was missed is passed over.
 *
 * PES_packet_length may be 0 for video: such a packet ends where the next begins. Where lengths are
 * stated they are believed only after they have been right for a while: encoders exist that cut them to 16 bits.
 */
import { MAX_PES_HEADER_BYTES, PesHeader, UNBOUNDED } from './pes-header.ts';
import { TS_PACKET_BYTES } from './ts-packet.ts';

/** So many exact lengths in a row, and the next is believed. */
const PROVEN_LENGTHS = 16;

/** What takes the bytes of one elementary stream. */
export interface ElementaryStream {
  /** A PES packet begins; its payload comes with `data`, the first piece after this call. */
  beginPes(header: PesHeader): void;
  data(bytes: Uint8Array, from: number, to: number): void;
  /** The PES packet is known to be over. Not called where only the next one tells. */
  endPes(): void;
  /** Something is missing here. */
  gap(): void;
  /** Nothing more comes, and what came was whole. */
  flush(): void;
}

export class PesReader {
  damagedHeaders = 0;
  readonly #stream: ElementaryStream;
  readonly #header = new PesHeader();
  /** A header that goes on in the next transport packet. */
  readonly #held = new Uint8Array(MAX_PES_HEADER_BYTES + TS_PACKET_BYTES);
  #heldBytes = 0;
  #isInside = false;
  #hasGap = false;
  /** Bytes of payload still to come, or UNBOUNDED. */
  #left = UNBOUNDED;
  #exactLengths = 0;

  constructor(stream: ElementaryStream) {
    this.#stream = stream;
  }

  payload(bytes: Uint8Array, from: number, to: number, isUnitStart: boolean): void {
    if (isUnitStart) {
      this.#endBefore();
      this.#begin(bytes, from, to);
    } else if (this.#heldBytes > 0) {
      this.#held.set(bytes.subarray(from, to), this.#heldBytes);
      this.#begin(this.#held, 0, this.#heldBytes + to - from);
    } else if (this.#isInside) {
      this.#data(bytes, from, to);
    }
  }

  /** Transport packets of this PID are missing. */
  gap(): void {
    this.#heldBytes = 0;
    this.#hasGap = true;
    if (this.#isInside) this.#stream.gap();
  }

  flush(): void {
    this.#stream.flush();
  }

  #begin(bytes: Uint8Array, from: number, to: number): void {
    this.#heldBytes = 0;
    const result = this.#header.read(bytes, from, to);
    this.#isInside = result === 'whole';
    if (result === 'invalid') {
      this.damagedHeaders += 1;
      this.#stream.gap();
    } else if (result === 'short') {
      if (bytes !== this.#held) this.#held.set(bytes.subarray(from, to));
      this.#heldBytes = to - from;
    } else {
      this.#hasGap = false;
      this.#left = this.#header.payloadBytes;
      this.#stream.beginPes(this.#header);
      this.#data(bytes, this.#header.start, to);
    }
  }

  #data(bytes: Uint8Array, from: number, to: number): void {
    if (from < to) this.#stream.data(bytes, from, to);
    if (this.#left === UNBOUNDED) return;
    const left = this.#left - (to - from);
    this.#left = left;
    if (left < 0) {
      // Longer than it says. A packet ends with the transport packet, so this is no end.
      this.#left = UNBOUNDED;
      this.#exactLengths = 0;
    } else if (left === 0 && !this.#hasGap) {
      this.#exactLengths += 1;
      if (this.#exactLengths > PROVEN_LENGTHS) this.#stream.endPes();
    }
  }

  /** Another packet begins: was this one whole? */
  #endBefore(): void {
    if (!this.#isInside || this.#left <= 0 || this.#hasGap) return;
    // A multiple of sixteen transport packets can be lost without a gap in their numbers.
    if (this.#exactLengths > PROVEN_LENGTHS) this.#stream.gap();
    this.#exactLengths = 0;
  }
}
