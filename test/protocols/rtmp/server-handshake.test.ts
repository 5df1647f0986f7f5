import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import { type KeyPair, makeKeyPair, sharedSecret } from '../../../protocols/rtmp/diffie-hellman.ts';
import { ClientHandshake, HANDSHAKE_BYTES } from '../../../protocols/rtmp/handshake.ts';
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
import { type RtmpCiphers, rtmpeCiphers } from '../../../protocols/rtmp/rtmpe.ts';
import { RtmpeClientHandshake } from '../../../protocols/rtmp/rtmpe-client-handshake.ts';
import { ServerHandshake } from '../../../protocols/rtmp/server-handshake.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex } from '../../support/hex.ts';
import { FFMPEG, LIBRTMP_RTMPE, LIBRTMP_SWF } from './client-hellos.ts';
import { keyPairWhere } from './key-pair-where.ts';

const C2 = new Uint8Array(HANDSHAKE_BYTES).fill(0xc2);
const BEHIND = hex`03 00 00 00 00 01 02`;

interface Parts {
  readonly version: number;
  readonly s1: Uint8Array;
  readonly s2: Uint8Array;
}

function partsOf(reply: Uint8Array | undefined): Parts {
  assert.equal(reply?.length, 1 + 2 * HANDSHAKE_BYTES);
  return {
    version: reply[0] ?? -1,
    s1: reply.slice(1, 1 + HANDSHAKE_BYTES),
    s2: reply.slice(1 + HANDSHAKE_BYTES),
  };
}

function helloWith(version: number, scheme: DigestScheme, keys: KeyPair): Uint8Array {
  const c1 = randomBytes(HANDSHAKE_BYTES);
  c1.set([0, 0, 0, 0, 9, 0, 124, 2]);
  putPublicKey(c1, scheme, keys.publicKey);
  putDigest(c1, scheme, PLAYER);
  return concat(Uint8Array.of(version), c1);
}

/** S2 must be signed with the key that is made of the digest in C1. */
function assertSigned(s2: Uint8Array, c1: Uint8Array): void {
  const digest = findDigest(c1, PLAYER)?.digest ?? new Uint8Array(0);
  const signed = s2.subarray(0, HANDSHAKE_BYTES - 32);
  assert.deepEqual(
    Buffer.from(s2.subarray(HANDSHAKE_BYTES - 32)),
    hmac(hmac(SERVER.key, digest), signed),
  );
}

function assertPlain(hello: Uint8Array): void {
  const { version, s1, s2 } = partsOf(new ServerHandshake().push(hello).reply);
  assert.equal(version, 3);
  assert.deepEqual(s1.subarray(0, 8), new Uint8Array(8));
  assert.deepEqual(s2, hello.slice(1));
}

test('a client of version 0 gets C1 back and random bytes of ours', () => {
  const hello = new ClientHandshake().hello();
  assertPlain(hello);
  const [first, second] = [0, 1].map(() => partsOf(new ServerHandshake().push(hello).reply).s1);
  assert.notDeepEqual(first, second);
});

test('version 0 wins over a digest that is there all the same', () => {
  const hello = helloWith(3, DIGEST_SCHEMES[0], makeKeyPair());
  hello.fill(0, 5, 9);
  putDigest(hello.subarray(1), DIGEST_SCHEMES[0], PLAYER);
  assertPlain(hello);
});

test('a client that claims a version and has no valid digest gets a plain answer', () => {
  const hello = FFMPEG.slice();
  hello[1000] = (hello[1000] ?? 0) ^ 1;
  assertPlain(hello);
});

for (const version of [0, 2, 4, 31]) {
  test(`a client of RTMP version ${version} is answered with version 3`, () => {
    assertPlain(concat(Uint8Array.of(version), new ClientHandshake().hello().subarray(1)));
  });
}

for (const [name, hello, scheme] of [
  ['ffmpeg', FFMPEG, DIGEST_SCHEMES[0]],
  ['librtmp with a SWF', LIBRTMP_SWF, DIGEST_SCHEMES[0]],
  ['a client of scheme 1', helloWith(3, DIGEST_SCHEMES[1], makeKeyPair()), DIGEST_SCHEMES[1]],
] as const) {
  test(`${name} gets a digest in its own scheme, and its own one signed`, () => {
    const { version, s1, s2 } = partsOf(new ServerHandshake().push(hello).reply);
    assert.equal(version, 3);
    assert.deepEqual(s1.subarray(0, 8), hex`00000000 03050101`);
    assert.equal(findDigest(s1, SERVER)?.scheme, scheme);
    assertSigned(s2, hello.subarray(1));
  });
}

test('librtmp is answered in RTMPE', () => {
  const { version, s1, s2 } = partsOf(new ServerHandshake().push(LIBRTMP_RTMPE).reply);
  assert.equal(version, 6);
  assert.equal(findDigest(s1, SERVER)?.scheme, DIGEST_SCHEMES[1]);
  assertSigned(s2, LIBRTMP_RTMPE.subarray(1));
});

function clientCiphers(keys: KeyPair, scheme: DigestScheme, s1: Uint8Array): RtmpCiphers {
  const serverKey = publicKeyIn(s1, scheme);
  return rtmpeCiphers(sharedSecret(keys, serverKey), keys.publicKey, serverKey);
}

function assertEncrypted(keys: KeyPair, scheme: DigestScheme): void {
  const server = new ServerHandshake();
  const { s1 } = partsOf(server.push(helloWith(6, scheme, keys)).reply);
  const client = clientCiphers(keys, scheme, s1);
  const behind = BEHIND.slice();
  client.encrypt(behind);
  const { rest, ciphers } = server.push(concat(C2, behind));
  assert.deepEqual(rest, BEHIND);
  const answer = BEHIND.slice();
  ciphers?.encrypt(answer);
  assert.notDeepEqual(answer, BEHIND);
  client.decrypt(answer);
  assert.deepEqual(answer, BEHIND);
}

for (const [number, scheme] of DIGEST_SCHEMES.entries()) {
  test(`RTMPE in scheme ${number}: both directions`, () => {
    assertEncrypted(makeKeyPair(), scheme);
  });

  test(`RTMPE in scheme ${number} with a public key that begins with a zero`, () => {
    assertEncrypted(
      keyPairWhere(({ publicKey }) => publicKey[0] === 0),
      scheme,
    );
  });
}

test('300 handshakes of RTMPE in a row, client and server', () => {
  for (let count = 0; count < 300; count += 1) {
    const client = new RtmpeClientHandshake();
    const server = new ServerHandshake();
    const hello = server.push(client.hello());
    assert.ok(hello.reply);
    const clientStep = client.push(hello.reply);
    assert.ok(clientStep.reply);
    const serverStep = server.push(clientStep.reply);
    const bytes = BEHIND.slice();
    clientStep.ciphers?.encrypt(bytes);
    serverStep.ciphers?.decrypt(bytes);
    assert.deepEqual(bytes, BEHIND, `number ${count}`);
    serverStep.ciphers?.encrypt(bytes);
    clientStep.ciphers?.decrypt(bytes);
    assert.deepEqual(bytes, BEHIND, `number ${count}`);
  }
});

for (const [name, publicKey] of [
  ['0', new Uint8Array(128)],
  ['above the prime', new Uint8Array(128).fill(0xff)],
] as const) {
  test(`RTMPE with a public key of ${name} is refused`, () => {
    const keys = { privateKey: new Uint8Array(32), publicKey };
    assert.throws(
      () => new ServerHandshake().push(helloWith(6, DIGEST_SCHEMES[1], keys)),
      ParseError,
    );
  });
}

test('RTMPE without a digest cannot be answered', () => {
  const hello = concat(Uint8Array.of(6), new Uint8Array(HANDSHAKE_BYTES).fill(9));
  assert.throws(() => new ServerHandshake().push(hello), ParseError);
});

for (const type of [8, 9]) {
  test(`RTMPE of type ${type} is refused in words, at its first byte`, () => {
    assert.throws(
      () => new ServerHandshake().push(Uint8Array.of(type)),
      (error) => error instanceof UnsupportedError && error.message.includes(`type ${type}`),
    );
  });
}

test('text is told from RTMP by its first byte', () => {
  assert.throws(() => new ServerHandshake().push(Buffer.from('GET / HTTP/1.1\r\n')), ParseError);
});

test('the answer comes with the last byte of C1 and the rest with the last of C2, however the bytes are cut', () => {
  const hello = new ClientHandshake().hello();
  const bytes = concat(hello, C2, BEHIND);
  for (const chunks of everySplit(bytes)) {
    const server = new ServerHandshake();
    const received: Uint8Array[] = [];
    let replies = 0;
    let rest: Uint8Array | undefined;
    let pushedBytes = 0;
    for (const chunk of chunks) {
      pushedBytes += chunk.length;
      if (rest !== undefined) {
        received.push(chunk);
        continue;
      }
      const step = server.push(chunk);
      if (step.reply !== undefined) {
        replies += 1;
        assert.ok(pushedBytes >= hello.length);
        assert.ok(pushedBytes - chunk.length < hello.length);
      }
      if (step.rest !== undefined) {
        rest = step.rest;
        received.push(rest);
      }
    }
    assert.equal(replies, 1);
    assert.deepEqual(concat(...received), BEHIND);
  }
});

test('what is pushed is not changed by decrypting what is behind it', () => {
  const client = new RtmpeClientHandshake();
  const server = new ServerHandshake();
  server.push(client.hello());
  const chunk = Buffer.concat([C2, BEHIND]);
  const before = Buffer.from(chunk);
  server.push(chunk);
  assert.deepEqual(chunk, before);
});
