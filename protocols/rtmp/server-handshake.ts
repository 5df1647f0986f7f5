/**
 * The server's side of the handshake: plain (RTMP 1.0 §5.2), with digests in either scheme, and RTMPE, told
 * by what the client sends. What C2 echoes is not looked at, as nobody does.
 *
 * Not handled: RTMPE of the types 8 and 9, which Flash Player 10 offered to servers that ask for a verified SWF.
 */
import { randomBytes } from 'node:crypto';
import { concat } from '../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { agreeWith } from './diffie-hellman.ts';
import { FIRST_TEXT_VERSION, HANDSHAKE_BYTES, RTMP_VERSION } from './handshake.ts';
import {
  type FoundDigest,
  findDigest,
  PLAYER,
  publicKeyIn,
  putDigest,
  putPublicKey,
  SERVER,
  signAnswer,
} from './handshake-digest.ts';
import { RTMPE_VERSION, type RtmpCiphers, rtmpeCiphers } from './rtmpe.ts';

const UNSUPPORTED_VERSIONS: readonly number[] = [8, 9];
const HELLO_BYTES = 1 + HANDSHAKE_BYTES;
/** Of the client, behind the time in C1. Zero: it knows nothing of digests. */
const VERSION_AT = 4;
/** In S1; zero would mean: no digest. Clients that check digests do so from server version 3 on. */
const SERVER_VERSION = Uint8Array.of(3, 5, 1, 1);

export interface ServerHandshakeStep {
  /** To be sent now, as it is. */
  readonly reply: Uint8Array | undefined;
  /** Set when the handshake is over: bytes that came behind it, already decrypted. */
  readonly rest: Uint8Array | undefined;
  /** Set together with `rest` when the connection is RTMPE. */
  readonly ciphers: RtmpCiphers | undefined;
}

/** What the server says, and how the connection goes on. */
interface Answer {
  readonly reply: Uint8Array;
  readonly ciphers: RtmpCiphers | undefined;
}

type State =
  | { readonly at: 'hello'; readonly received: Uint8Array }
  | { readonly at: 'c2'; readonly missingBytes: number; readonly ciphers: RtmpCiphers | undefined };

export class ServerHandshake {
  #state: State = { at: 'hello', received: new Uint8Array(0) };

  /** Throws when it is not RTMP, or an RTMPE that cannot be answered. */
  push(chunk: Uint8Array): ServerHandshakeStep {
    if (this.#state.at === 'c2') return this.#readC2(chunk, this.#state);
    const received = concat(this.#state.received, chunk);
    checkVersion(received);
    if (received.length < HELLO_BYTES) {
      this.#state = { at: 'hello', received };
      return { reply: undefined, rest: undefined, ciphers: undefined };
    }
    const { reply, ciphers } = answer(received.subarray(0, HELLO_BYTES));
    const waiting: State = { at: 'c2', missingBytes: HANDSHAKE_BYTES, ciphers };
    this.#state = waiting;
    return { ...this.#readC2(received.subarray(HELLO_BYTES), waiting), reply };
  }

  #readC2(chunk: Uint8Array, { missingBytes, ciphers }: State & { at: 'c2' }): ServerHandshakeStep {
    if (chunk.length < missingBytes) {
      this.#state = { at: 'c2', missingBytes: missingBytes - chunk.length, ciphers };
      return { reply: undefined, rest: undefined, ciphers: undefined };
    }
    const rest = concat(chunk.subarray(missingBytes));
    ciphers?.decrypt(rest);
    return { reply: undefined, rest, ciphers };
  }
}

function checkVersion([version = RTMP_VERSION]: Uint8Array): void {
  if (version >= FIRST_TEXT_VERSION) {
    throw new ParseError(`not an RTMP client: its first byte is ${version}, not 3`, 0);
  }
  if (UNSUPPORTED_VERSIONS.includes(version)) {
    throw new UnsupportedError(`RTMPE of type ${version}; only type 6 can be answered`);
  }
}

function answer(hello: Uint8Array): Answer {
  const c1 = hello.subarray(1);
  if (hello[0] === RTMPE_VERSION) return encryptedAnswer(c1);
  const isOldClient = c1.subarray(VERSION_AT, VERSION_AT + 4).every((byte) => byte === 0);
  // A client that says it knows digests and sends none that is valid gets a plain answer, as from most servers.
  const found = isOldClient ? undefined : findDigest(c1, PLAYER);
  if (found === undefined) return { reply: plainReply(c1), ciphers: undefined };
  return { reply: signedReply(RTMP_VERSION, makeS1(), found), ciphers: undefined };
}

function encryptedAnswer(c1: Uint8Array): Answer {
  const found = findDigest(c1, PLAYER);
  if (found === undefined) throw new ParseError('RTMPE: C1 has no digest', 1);
  const peerKey = publicKeyIn(c1, found.scheme);
  const { publicKey, secret } = agreeWith(peerKey);
  const s1 = makeS1();
  putPublicKey(s1, found.scheme, publicKey);
  return {
    reply: signedReply(RTMPE_VERSION, s1, found),
    ciphers: rtmpeCiphers(secret, publicKey, peerKey),
  };
}

/** §5.2.3, §5.2.4: zeros for a time and a version, and C1 once more: librtmp compares it. */
function plainReply(c1: Uint8Array): Uint8Array {
  const s1 = randomBytes(HANDSHAKE_BYTES);
  s1.fill(0, 0, VERSION_AT + 4);
  return concat(Uint8Array.of(RTMP_VERSION), s1, c1);
}

function makeS1(): Uint8Array {
  const s1 = randomBytes(HANDSHAKE_BYTES);
  s1.fill(0, 0, VERSION_AT);
  s1.set(SERVER_VERSION, VERSION_AT);
  return s1;
}

function signedReply(version: number, s1: Uint8Array, { scheme, digest }: FoundDigest): Uint8Array {
  putDigest(s1, scheme, SERVER);
  const s2 = randomBytes(HANDSHAKE_BYTES);
  signAnswer(s2, digest, SERVER);
  return concat(Uint8Array.of(version), s1, s2);
}
