/**
 * NAL units out of an Annex B byte stream that comes in pieces (H.264 §B.1, H.265 §B.2): without
 * start codes and the zeros before them, each byte handed on once, in place. A piece is what one transport
 * packet carries, so start codes and zeros are looked for across pieces.
 */
export interface NalUnitReceiver {
  /**
   * A NAL unit begins with `length` bytes of `head`: as many as were asked for, fewer where it is shorter.
   * They are its first bytes and do not come again.
   */
  beginNalUnit(head: Uint8Array, length: number): void;
  appendToNalUnit(bytes: Uint8Array): void;
  endNalUnit(): void;
}

/** Zeros that turn out to belong to a NAL unit are handed on from here. */
const ZEROS = new Uint8Array(64);

export class AnnexBSplitter {
  readonly #receiver: NalUnitReceiver;
  readonly #head: Uint8Array;
  #headBytes = 0;
  /** `seeking`: bytes before the first start code belong to nothing. */
  #at: 'seeking' | 'head' | 'body' = 'seeking';
  /** Zeros at the end of the last piece: of the NAL unit, or before a start code. */
  #zeros = 0;

  /** `headBytes`: how much of a NAL unit the receiver must see at once. */
  constructor(receiver: NalUnitReceiver, headBytes: number) {
    this.#receiver = receiver;
    this.#head = new Uint8Array(headBytes);
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    let at = this.#zeros > 0 ? this.#afterZeros(bytes, from, to) : from;
    while (at < to) {
      const startCode = findStartCode(bytes, at, to);
      const limit = startCode === -1 ? to : startCode;
      let end = limit;
      while (end > at && bytes[end - 1] === 0) end -= 1;
      if (end > at) this.#content(bytes, at, end);
      if (startCode === -1) {
        this.#zeros = limit - end;
        return;
      }
      this.#startCode();
      at = startCode + 3;
    }
  }

  /** The stream is whole up to here: what is open ends. */
  end(): void {
    this.#startCode();
    this.reset();
  }

  /** Something is missing: nothing more before the next start code. What is open is left open. */
  reset(): void {
    this.#at = 'seeking';
    this.#headBytes = 0;
    this.#zeros = 0;
  }

  /** Zeros were held back: the bytes that follow tell what they are. Returns where to go on. */
  #afterZeros(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && bytes[at] === 0) at += 1;
    this.#zeros += at - from;
    if (at === to) return at;
    const zeros = this.#zeros;
    this.#zeros = 0;
    if (zeros >= 2 && bytes[at] === 1) {
      this.#startCode();
      return at + 1;
    }
    for (let left = zeros; left > 0; left -= ZEROS.length) {
      this.#content(ZEROS, 0, Math.min(left, ZEROS.length));
    }
    return at;
  }

  #startCode(): void {
    if (this.#at === 'head' && this.#headBytes > 0) this.#begin();
    if (this.#at === 'body') this.#receiver.endNalUnit();
    this.#at = 'head';
    this.#headBytes = 0;
  }

  #content(bytes: Uint8Array, from: number, to: number): void {
    if (this.#at === 'seeking') return;
    let at = from;
    if (this.#at === 'head') {
      const head = this.#head;
      for (; at < to && this.#headBytes < head.length; at += 1, this.#headBytes += 1) {
        head[this.#headBytes] = bytes[at] ?? 0;
      }
      if (this.#headBytes === head.length) this.#begin();
    }
    if (at < to) this.#receiver.appendToNalUnit(bytes.subarray(at, to));
  }

  #begin(): void {
    this.#at = 'body';
    this.#receiver.beginNalUnit(this.#head, this.#headBytes);
  }
}

/** Where 00 00 01 begins in `bytes[from…to)`; −1 when there is none. Looks at every third byte. */
function findStartCode(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from + 2; at < to; ) {
    const byte = bytes[at] ?? 0;
    if (byte > 1) at += 3;
    else if (byte === 0) at += 1;
    else if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
    else at += 3;
  }
  return -1;
}
