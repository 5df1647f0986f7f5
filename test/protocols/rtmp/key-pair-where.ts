import { randomBytes } from 'node:crypto';
import { type KeyPair, publicKeyOf } from '../../../protocols/rtmp/diffie-hellman.ts';

/** A pair of keys that is wanted and does not come by itself: 1 in 256 begins with a zero. */
export function keyPairWhere(isWanted: (keys: KeyPair) => boolean): KeyPair {
  for (;;) {
    const privateKey = randomBytes(32);
    const keys = { privateKey, publicKey: publicKeyOf(privateKey) };
    if (isWanted(keys)) return keys;
  }
}
