/**
 * The key agreement of RTMPE: Diffie-Hellman in the 1024-bit group of RFC 2409 §6.2 (Oakley group 2).
 *
 * Numbers are 128 bytes on the wire, zeros in front. Some peers (librtmp with OpenSSL, crtmpserver) leave these zeros
 * out of the number or put them behind it, and fail in 1 of 256 sessions; so whatever we choose ourselves begins
 * with a byte that is not zero.
 */
import { createDiffieHellman, type DiffieHellman, randomBytes } from 'node:crypto';
import { ParseError } from '../../codecs/errors.ts';

export const PUBLIC_KEY_BYTES = 128;
/** Twice the strength of the group. */
const PRIVATE_KEY_BYTES = 32;
const GENERATOR = 2;
const PRIME = Buffer.from(
  `
  ffffffffffffffff c90fdaa22168c234 c4c6628b80dc1cd1 29024e088a67cc74
  020bbea63b139b22 514a08798e3404dd ef9519b3cd3a431b 302b0a6df25f1437
  4fe1356d6d51c245 e485b576625e7ec6 f44c42e9a637ed6b 0bff5cb6f406b7ed
  ee386bfb5a899fa5 ae9f24117c4b1fe6 49286651ece65381 ffffffffffffffff
  `.replace(/\s/g, ''),
  'hex',
);
/** p − 1: p ends with 0xff. */
const PRIME_MINUS_ONE = Buffer.concat([PRIME.subarray(0, -1), Uint8Array.of(0xfe)]);

/** Made once: checking that the prime is one takes 30 ms of the event loop, a key 0.1 ms. */
let group: DiffieHellman | undefined;

export interface KeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

export interface Agreement {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}

export function makeKeyPair(): KeyPair {
  for (;;) {
    const privateKey = randomBytes(PRIVATE_KEY_BYTES);
    const publicKey = publicKeyOf(privateKey);
    if (publicKey[0] !== 0) return { privateKey, publicKey };
  }
}

/** Throws ParseError when the peer's key is none: the secret would be known to everybody, or outside of the group. */
export function sharedSecret({ privateKey }: KeyPair, peerKey: Uint8Array): Uint8Array {
  checkPublicKey(peerKey);
  publicKeyOf(privateKey);
  return padded(oakleyGroup().computeSecret(peerKey));
}

/** For the side that chooses last: a key of ours with which the secret, too, has no zero in front. */
export function agreeWith(peerKey: Uint8Array): Agreement {
  checkPublicKey(peerKey);
  for (;;) {
    const keys = makeKeyPair();
    const secret = sharedSecret(keys, peerKey);
    if (secret[0] !== 0) return { publicKey: keys.publicKey, secret };
  }
}

function oakleyGroup(): DiffieHellman {
  group ??= createDiffieHellman(PRIME, GENERATOR);
  return group;
}

/** The group then holds `privateKey`. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  oakleyGroup().setPrivateKey(privateKey);
  return padded(oakleyGroup().generateKeys());
}

/** RFC 2631 §2.1.5: from 2 to p − 2. In this group there is no other small subgroup to fall into. */
function checkPublicKey(key: Uint8Array): void {
  const isAboveOne = key.some((byte, index) => byte > (index === PUBLIC_KEY_BYTES - 1 ? 1 : 0));
  if (key.length !== PUBLIC_KEY_BYTES || !isAboveOne || Buffer.compare(key, PRIME_MINUS_ONE) >= 0) {
    throw new ParseError('RTMPE: the public key of the peer is none');
  }
}

function padded(number: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PUBLIC_KEY_BYTES);
  bytes.set(number, PUBLIC_KEY_BYTES - number.length);
  return bytes;
}
