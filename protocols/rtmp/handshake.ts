/**
 * The client's side of the plain handshake. RTMP 1.0 §5.2.
 *
 * C2 echoes S1 byte for byte, which is what strict servers check. What S2 echoes is not looked at:
 * several servers send other bytes there. Not handled: digests; RTMPE is in rtmpe-client-handshake.ts.
 */
import { randomBytes } from 'node:crypto';
import { concat } from '../../codecs/bytes.ts';
import { ParseError } from '../../codecs/errors.ts';

export const RTMP_VERSION = 3;
export const HANDSHAKE_BYTES = 1536;
/** §5.2.2: versions from 32 on are forbidden, so that text such as "HTTP/1.1" is told from RTMP. */
export const FIRST_TEXT_VERSION = 32;
/** C1 begins with time and four zero bytes; zeros there mean "no digest". */
const C1_FIXED_BYTES = 8;
const SERVER_BYTES = 1 + 2 * HANDSHAKE_BYTES;

export interface HandshakeStep {
  /** To be sent now. */
  readonly reply: Uint8Array | undefined;
  /** Set when the handshake is over: bytes that came behind it. */
  readonly rest: Uint8Array | undefined;
}

export class ClientHandshake {
  #received: Uint8Array = new Uint8Array(0);
  #replied = false;

  /** C0 and C1. */
  hello(): Uint8Array {
    const fixed = new Uint8Array(C1_FIXED_BYTES);
    const random = randomBytes(HANDSHAKE_BYTES - C1_FIXED_BYTES);
    return concat(Uint8Array.of(RTMP_VERSION), fixed, random);
  }

  push(chunk: Uint8Array): HandshakeStep {
    this.#received = concat(this.#received, chunk);
    const received = this.#received;
    const version = received[0];
    if (version !== undefined && version >= FIRST_TEXT_VERSION) {
      throw new ParseError(`not an RTMP server: its first byte is ${version}, not 3`, 0);
    }
    const isDone = received.length >= SERVER_BYTES;
    return { reply: this.#reply(), rest: isDone ? received.slice(SERVER_BYTES) : undefined };
  }

  /** C2, once S1 is complete. */
  #reply(): Uint8Array | undefined {
    if (this.#replied || this.#received.length < 1 + HANDSHAKE_BYTES) return undefined;
    this.#replied = true;
    return this.#received.slice(1, 1 + HANDSHAKE_BYTES);
  }
}
