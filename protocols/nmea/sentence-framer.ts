/**
 * NMEA 0183 sentences in a stream of bytes: `$`, an address, fields between commas, `*`, two digits of a checksum. What is between
 * them (binary messages of the receiver's own, noise, halves of sentences) is skipped and counted.
 *
 * NMEA 0183 §5.3. Sentences without a checksum are not taken: nothing says then that a noisy line has not changed them.
 */

/** §5.3 allows 82 with `$` and CR LF; receivers with more digits send up to 100 (Trimble BD9xx: 91, Furuno GT-88: 88). */
const MAX_SENTENCE_BYTES = 128;

const DOLLAR = 0x24;
const ASTERISK = 0x2a;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

export interface NmeaSentence {
  /** GP, GL, GA, GB, BD, GN …; empty for sentences of a maker (`$P…`). */
  readonly talker: string;
  /** GGA, RMC …; all of the address for sentences of a maker. */
  readonly type: string;
  readonly fields: readonly string[];
}

export class NmeaFramer {
  /** Of no sentence. */
  skippedBytes = 0;
  /** Whole, but with a checksum that is not theirs. */
  damagedSentences = 0;
  readonly #held = new Uint8Array(MAX_SENTENCE_BYTES);
  /** 0: waiting for the next `$`. */
  #length = 0;
  /** Where `*` is; 0: not yet. */
  #asteriskAt = 0;

  push(chunk: Uint8Array): NmeaSentence[] {
    const sentences: NmeaSentence[] = [];
    for (const byte of chunk) {
      if (byte === DOLLAR) {
        this.#skip();
        this.#hold(byte);
      } else if (this.#length === 0) {
        this.skippedBytes += isLineEnd(byte) ? 0 : 1;
      } else if (!isPrintable(byte) || this.#length === MAX_SENTENCE_BYTES) {
        this.#skip();
        this.skippedBytes += isLineEnd(byte) ? 0 : 1;
      } else {
        this.#hold(byte);
        if (this.#asteriskAt > 0 && this.#length === this.#asteriskAt + 3) {
          const sentence = this.#take();
          if (sentence !== undefined) sentences.push(sentence);
        }
      }
    }
    return sentences;
  }

  #hold(byte: number): void {
    if (byte === ASTERISK && this.#asteriskAt === 0) this.#asteriskAt = this.#length;
    this.#held[this.#length] = byte;
    this.#length += 1;
  }

  #skip(): void {
    this.skippedBytes += this.#length;
    this.#length = 0;
    this.#asteriskAt = 0;
  }

  #take(): NmeaSentence | undefined {
    const body = this.#held.subarray(1, this.#asteriskAt);
    const digits = text(this.#held.subarray(this.#asteriskAt + 1, this.#length));
    const isWhole = /^[0-9A-F]{2}$/i.test(digits) && Number.parseInt(digits, 16) === sum(body);
    if (isWhole) {
      this.#length = 0;
      this.#asteriskAt = 0;
      return sentenceOf(text(body));
    }
    this.damagedSentences += 1;
    this.#skip();
    return undefined;
  }
}

function sentenceOf(body: string): NmeaSentence {
  const [address = '', ...fields] = body.split(',');
  const isMakers = address.startsWith('P');
  return {
    talker: isMakers ? '' : address.slice(0, 2),
    type: isMakers ? address : address.slice(2),
    fields,
  };
}

/** Exclusive or of all between `$` and `*`. */
function sum(bytes: Uint8Array): number {
  let result = 0;
  for (const byte of bytes) result ^= byte;
  return result;
}

function text(ascii: Uint8Array): string {
  return String.fromCharCode(...ascii);
}

function isPrintable(byte: number): boolean {
  return byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE;
}

function isLineEnd(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a;
}
