import assert from 'node:assert/strict';
import { createHash, getDiffieHellman } from 'node:crypto';
import { test } from 'node:test';
import { ParseError } from '../../../codecs/errors.ts';
import {
  agreeWith,
  type KeyPair,
  makeKeyPair,
  publicKeyOf,
  sharedSecret,
} from '../../../protocols/rtmp/diffie-hellman.ts';
import { hex, toHex } from '../../support/hex.ts';
import { keyPairWhere } from './key-pair-where.ts';

function keyPair(byte: number): KeyPair {
  const privateKey = new Uint8Array(32).fill(byte);
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

const PRIME = new Uint8Array(getDiffieHellman('modp2').getPrime());

function primePlus(difference: number): Uint8Array {
  const bytes = PRIME.slice();
  const carried = (bytes[127] ?? 0) + difference;
  if (carried > 0xff) return new Uint8Array(128).fill(0xff);
  bytes[127] = carried;
  return bytes;
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(128);
  bytes[127] = value;
  return bytes;
}

test('the keys and the secret are those that Python computes', () => {
  // pow(2, 0x1111…, p) and pow(2, 0x1111… * 0x2222…, p), Python 3.11.
  const a = keyPair(0x11);
  const b = keyPair(0x22);
  assert.deepEqual(a.publicKey.subarray(0, 8), hex`a3616141ace28df1`);
  const secret = sharedSecret(a, b.publicKey);
  assert.deepEqual(secret, sharedSecret(b, a.publicKey));
  assert.equal(
    createHash('sha256').update(secret).digest('hex'),
    '2dfd7f5ec3137cddc8a0f6a837818d34a8c870fd389e1677a6c0611f69aea069',
  );
});

for (const [name, key] of [
  ['0', number(0)],
  ['1', number(1)],
  ['p - 1', primePlus(-1)],
  ['p', PRIME],
  ['more than p', primePlus(1)],
  ['127 bytes', PRIME.subarray(1)],
  ['no bytes', new Uint8Array(0)],
] as const) {
  test(`a public key of ${name} is refused`, () => {
    assert.throws(() => sharedSecret(keyPair(1), key), ParseError);
    assert.throws(() => agreeWith(key), ParseError);
  });
}

for (const [name, key] of [
  ['2', number(2)],
  ['p - 2', primePlus(-2)],
] as const) {
  test(`a public key of ${name} is one`, () => {
    assert.equal(sharedSecret(keyPair(1), key).length, 128);
  });
}

test('zeros in front of a public key and of a secret stay there', () => {
  const short = keyPairWhere(({ publicKey }) => publicKey[0] === 0);
  assert.equal(short.publicKey.length, 128);
  const other = keyPairWhere((keys) => sharedSecret(keys, short.publicKey)[0] === 0);
  const secret = sharedSecret(short, other.publicKey);
  assert.equal(secret.length, 128);
  assert.equal(secret[0], 0);
  assert.deepEqual(secret, sharedSecret(other, short.publicKey));
});

test('what we choose begins with no zero, so that peers who lose zeros are served, too', () => {
  const peer = keyPair(0x33);
  for (let count = 0; count < 500; count += 1) {
    const { publicKey, secret } = agreeWith(peer.publicKey);
    assert.notEqual(publicKey[0], 0, toHex(publicKey));
    assert.notEqual(secret[0], 0, toHex(secret));
  }
  assert.deepEqual(sharedSecret(peer, agreeWith(peer.publicKey).publicKey).length, 128);
  assert.notDeepEqual(makeKeyPair().privateKey, makeKeyPair().privateKey);
});
