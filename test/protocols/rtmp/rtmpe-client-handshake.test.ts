import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { type KeyPair, makeKeyPair, sharedSecret } from '../../../protocols/rtmp/diffie-hellman.ts';
import { HANDSHAKE_BYTES } from '../../../protocols/rtmp/handshake.ts';
import {
  DIGEST_SCHEMES,
  type DigestScheme,
  findDigest,
  hmac,
  PLAYER,
  publicKeyIn,
  putDigest,
  putPublicKey,
  SERVER,
} from '../../../protocols/rtmp/handshake-digest.ts';
import { rtmpeCiphers } from '../../../protocols/rtmp/rtmpe.ts';
import { RtmpeClientHandshake } from '../../../protocols/rtmp/rtmpe-client-handshake.ts';
import { hex } from '../../support/hex.ts';
import { keyPairWhere } from './key-pair-where.ts';

const S2 = new Uint8Array(HANDSHAKE_BYTES).fill(0x52);
const BEHIND = hex`02 00 00 00 00 04 05`;

function makeS1(scheme: DigestScheme, { publicKey }: KeyPair): Uint8Array {
  const s1 = randomBytes(HANDSHAKE_BYTES);
  putPublicKey(s1, scheme, publicKey);
  putDigest(s1, scheme, SERVER);
  return s1;
}

test('hello is type 6, the version of a Flash Player, a digest in scheme 1 and a public key', () => {
  const hello = new RtmpeClientHandshake().hello();
  assert.equal(hello.length, 1537);
  assert.deepEqual(hello.subarray(0, 9), hex`06 00000000 09007c02`);
  assert.equal(findDigest(hello.subarray(1), PLAYER)?.scheme, DIGEST_SCHEMES[1]);
});

function assertConversation(scheme: DigestScheme, chooseKeys: (c1: Uint8Array) => KeyPair): void {
  const client = new RtmpeClientHandshake();
  const c1 = client.hello().slice(1);
  const serverKeys = chooseKeys(c1);
  const clientKey = publicKeyIn(c1, DIGEST_SCHEMES[1]);
  const secret = sharedSecret(serverKeys, clientKey);
  const server = rtmpeCiphers(secret, serverKeys.publicKey, clientKey);
  const behind = BEHIND.slice();
  server.encrypt(behind);
  const s1 = makeS1(scheme, serverKeys);
  const { reply, rest, ciphers } = client.push(concat(Uint8Array.of(6), s1, S2, behind));
  assert.deepEqual(rest, BEHIND);
  const digest = findDigest(s1, SERVER)?.digest ?? new Uint8Array(0);
  assert.deepEqual(
    reply?.subarray(HANDSHAKE_BYTES - 32),
    hmac(hmac(PLAYER.key, digest), reply?.subarray(0, HANDSHAKE_BYTES - 32) ?? S2),
  );
  const sent = BEHIND.slice();
  ciphers?.encrypt(sent);
  server.decrypt(sent);
  assert.deepEqual(sent, BEHIND);
}

for (const [number, scheme] of DIGEST_SCHEMES.entries()) {
  test(`a server that answers in scheme ${number}`, () => {
    assertConversation(scheme, () => makeKeyPair());
  });
}

test('a server whose public key begins with a zero', () => {
  assertConversation(DIGEST_SCHEMES[1], () => keyPairWhere(({ publicKey }) => publicKey[0] === 0));
});

test('a server with which the secret begins with a zero', () => {
  assertConversation(DIGEST_SCHEMES[1], (c1) => {
    const clientKey = publicKeyIn(c1, DIGEST_SCHEMES[1]);
    return keyPairWhere((keys) => sharedSecret(keys, clientKey)[0] === 0);
  });
});

for (const version of [3, 'H'.charCodeAt(0)]) {
  test(`a server whose first byte is ${version} does not speak RTMPE`, () => {
    assert.throws(
      () => new RtmpeClientHandshake().push(Uint8Array.of(version)),
      (error) => error instanceof ProtocolError && error.code === 'RTMPE_REFUSED',
    );
  });
}

test('an S1 without a digest, or with a bad public key, ends it', () => {
  const noDigest = concat(Uint8Array.of(6), new Uint8Array(HANDSHAKE_BYTES).fill(1));
  assert.throws(() => new RtmpeClientHandshake().push(noDigest), ParseError);
  const keys = { privateKey: new Uint8Array(32), publicKey: new Uint8Array(128) };
  const badKey = concat(Uint8Array.of(6), makeS1(DIGEST_SCHEMES[1], keys));
  assert.throws(() => new RtmpeClientHandshake().push(badKey), ParseError);
});

test('C2 comes once, as soon as S1 is whole, however the bytes are cut', () => {
  const bytes = concat(Uint8Array.of(6), makeS1(DIGEST_SCHEMES[0], makeKeyPair()), S2, BEHIND);
  for (let cut = 1; cut < bytes.length; cut += 13) {
    const client = new RtmpeClientHandshake();
    const steps = [client.push(bytes.slice(0, cut)), client.push(bytes.slice(cut))];
    assert.equal(steps.filter(({ reply }) => reply !== undefined).length, 1, `cut at ${cut}`);
    assert.equal(steps[0]?.reply !== undefined, cut >= 1 + HANDSHAKE_BYTES);
    assert.equal(steps[0]?.rest !== undefined, cut >= 1 + 2 * HANDSHAKE_BYTES);
  }
});
