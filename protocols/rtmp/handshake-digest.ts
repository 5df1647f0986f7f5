/**
 * The digests that Flash Player 9 and Flash Media Server 3 put into the handshake, to know one another. Not in the
 * specification; the keys have been public since 2009.
 *
 * C1 and S1 hold a digest of all the rest of them, and for RTMPE a public key, at places that four of their own
 * bytes give. There are two layouts ("schemes"). C2 and S2 end with an answer to the digest of the other side.
 */
import { createHmac } from 'node:crypto';
import { concat, equalBytes } from '../../codecs/bytes.ts';
import { PUBLIC_KEY_BYTES } from './diffie-hellman.ts';

const DIGEST_BYTES = 32;

/** Behind the name of either party. */
const KEY_TAIL = Buffer.from(
  'f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae',
  'hex',
);

export interface DigestParty {
  /** Signs C1 and S1. */
  readonly name: Uint8Array;
  /** Signs C2 and S2. */
  readonly key: Uint8Array;
}

export const PLAYER = party('Genuine Adobe Flash Player 001');
export const SERVER = party('Genuine Adobe Flash Media Server 001');

/** The sum of the four bytes at `sumAt`, modulo `modulus`, is added to `from`. */
interface Place {
  readonly sumAt: number;
  readonly modulus: number;
  readonly from: number;
}

export interface DigestScheme {
  readonly digest: Place;
  readonly publicKey: Place;
}

/** Flash uses 0 for plain RTMP and 1 for RTMPE; either may come with either. */
export const DIGEST_SCHEMES: readonly [DigestScheme, DigestScheme] = [
  {
    digest: { sumAt: 8, modulus: 728, from: 12 },
    publicKey: { sumAt: 1532, modulus: 632, from: 772 },
  },
  {
    digest: { sumAt: 772, modulus: 728, from: 776 },
    publicKey: { sumAt: 768, modulus: 632, from: 8 },
  },
];

export interface FoundDigest {
  readonly scheme: DigestScheme;
  readonly digest: Uint8Array;
}

/** Of a C1 or S1 that `party` made; undefined when it has no digest. */
export function findDigest(bytes: Uint8Array, { name }: DigestParty): FoundDigest | undefined {
  for (const scheme of DIGEST_SCHEMES) {
    const at = offsetOf(bytes, scheme.digest);
    const digest = bytes.slice(at, at + DIGEST_BYTES);
    if (equalBytes(digest, digestAround(bytes, at, name))) return { scheme, digest };
  }
  return undefined;
}

/** Puts the digest of `party` in; last of all, because it is of everything else. */
export function putDigest(
  bytes: Uint8Array,
  { digest }: DigestScheme,
  { name }: DigestParty,
): void {
  const at = offsetOf(bytes, digest);
  bytes.set(digestAround(bytes, at, name), at);
}

export function publicKeyIn(bytes: Uint8Array, { publicKey }: DigestScheme): Uint8Array {
  const at = offsetOf(bytes, publicKey);
  return bytes.slice(at, at + PUBLIC_KEY_BYTES);
}

export function putPublicKey(
  bytes: Uint8Array,
  { publicKey }: DigestScheme,
  key: Uint8Array,
): void {
  bytes.set(key, offsetOf(bytes, publicKey));
}

/** Makes random bytes the C2 or S2 that answers the digest of the other side: `party` knows the key. */
export function signAnswer(random: Uint8Array, digest: Uint8Array, { key }: DigestParty): void {
  const signedBytes = random.length - DIGEST_BYTES;
  random.set(hmac(hmac(key, digest), random.subarray(0, signedBytes)), signedBytes);
}

export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function party(nameText: string): DigestParty {
  const name = Buffer.from(nameText, 'latin1');
  return { name, key: concat(name, KEY_TAIL) };
}

function offsetOf(bytes: Uint8Array, { sumAt, modulus, from }: Place): number {
  let sum = 0;
  for (const byte of bytes.subarray(sumAt, sumAt + 4)) sum += byte;
  return (sum % modulus) + from;
}

function digestAround(bytes: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  return hmac(key, bytes.subarray(0, at), bytes.subarray(at + DIGEST_BYTES));
}
