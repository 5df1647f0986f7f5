/** The ciphers of an RTMPE connection, from the end of the handshake on: RC4, one key for each direction. */
import { HANDSHAKE_BYTES } from './handshake.ts';
import { hmac } from './handshake-digest.ts';
import { Rc4 } from './rc4.ts';

/** The first byte of either side. 8 and 9 are the same with XTEA and Blowfish in C2 and S2. */
export const RTMPE_VERSION = 6;
const KEY_BYTES = 16;

export interface RtmpCiphers {
  /** In place. */
  encrypt(bytes: Uint8Array): void;
  /** In place. */
  decrypt(bytes: Uint8Array): void;
}

/** Each side encrypts with the key that is made of the public key of the other. */
export function rtmpeCiphers(
  secret: Uint8Array,
  ourPublicKey: Uint8Array,
  peerPublicKey: Uint8Array,
): RtmpCiphers {
  const sending = cipher(secret, peerPublicKey);
  const receiving = cipher(secret, ourPublicKey);
  return {
    encrypt: (bytes) => sending.apply(bytes),
    decrypt: (bytes) => receiving.apply(bytes),
  };
}

function cipher(secret: Uint8Array, publicKey: Uint8Array): Rc4 {
  const rc4 = new Rc4(hmac(secret, publicKey).subarray(0, KEY_BYTES));
  // C2 and S2 go out as they are, and yet count.
  rc4.apply(new Uint8Array(HANDSHAKE_BYTES));
  return rc4;
}
