/**
 * The client's side of RTMPE, type 6, as Flash Player 9 and later did it: digest scheme 1.
 *
 * The digest in S1 tells where the server's public key is; that is all it is good for. S2 is not looked at: the
 * key it is signed with is public.
 */
import { randomBytes } from 'node:crypto';
import { concat } from '../../codecs/bytes.ts';
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import { type KeyPair, makeKeyPair, sharedSecret } from './diffie-hellman.ts';
import { HANDSHAKE_BYTES, type HandshakeStep } from './handshake.ts';
import {
  DIGEST_SCHEMES,
  findDigest,
  PLAYER,
  publicKeyIn,
  putDigest,
  putPublicKey,
  SERVER,
  signAnswer,
} from './handshake-digest.ts';
import { RTMPE_VERSION, type RtmpCiphers, rtmpeCiphers } from './rtmpe.ts';

const CLIENT_SCHEME = DIGEST_SCHEMES[1];
/** Of Flash Player, as in `flashVer`. */
const CLIENT_VERSION = Uint8Array.of(9, 0, 124, 2);
const VERSION_AT = 4;
const S1_END = 1 + HANDSHAKE_BYTES;
const S2_END = S1_END + HANDSHAKE_BYTES;

export interface RtmpeHandshakeStep extends HandshakeStep {
  /** Set together with `rest`, which is already decrypted. */
  readonly ciphers: RtmpCiphers | undefined;
}

export class RtmpeClientHandshake {
  readonly #keys: KeyPair = makeKeyPair();
  #received: Uint8Array = new Uint8Array(0);
  #ciphers: RtmpCiphers | undefined;

  /** C0 and C1. */
  hello(): Uint8Array {
    const c1 = randomBytes(HANDSHAKE_BYTES);
    c1.fill(0, 0, VERSION_AT);
    c1.set(CLIENT_VERSION, VERSION_AT);
    putPublicKey(c1, CLIENT_SCHEME, this.#keys.publicKey);
    putDigest(c1, CLIENT_SCHEME, PLAYER);
    return concat(Uint8Array.of(RTMPE_VERSION), c1);
  }

  push(chunk: Uint8Array): RtmpeHandshakeStep {
    this.#received = concat(this.#received, chunk);
    const received = this.#received;
    const version = received[0] ?? RTMPE_VERSION;
    if (version !== RTMPE_VERSION) {
      throw new ProtocolError(
        'RTMPE_REFUSED',
        `it does not speak RTMPE: its first byte is ${version}, not ${RTMPE_VERSION}`,
      );
    }
    const reply = this.#reply();
    if (received.length < S2_END) return { reply, rest: undefined, ciphers: undefined };
    const rest = received.slice(S2_END);
    this.#ciphers?.decrypt(rest);
    return { reply, rest, ciphers: this.#ciphers };
  }

  /** C2, once S1 is complete. */
  #reply(): Uint8Array | undefined {
    if (this.#ciphers !== undefined || this.#received.length < S1_END) return undefined;
    const s1 = this.#received.subarray(1, S1_END);
    const found = findDigest(s1, SERVER);
    if (found === undefined) throw new ParseError('RTMPE: S1 has no digest', 1);
    const serverKey = publicKeyIn(s1, found.scheme);
    const secret = sharedSecret(this.#keys, serverKey);
    this.#ciphers = rtmpeCiphers(secret, this.#keys.publicKey, serverKey);
    const c2 = randomBytes(HANDSHAKE_BYTES);
    signAnswer(c2, found.digest, PLAYER);
    return c2;
  }
}
