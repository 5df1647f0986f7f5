import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HANDSHAKE_BYTES } from '../../../protocols/rtmp/handshake.ts';
import {
  DIGEST_SCHEMES,
  findDigest,
  PLAYER,
  publicKeyIn,
  putDigest,
  putPublicKey,
  SERVER,
} from '../../../protocols/rtmp/handshake-digest.ts';
import { FFMPEG, LIBRTMP_RTMPE, LIBRTMP_SWF } from './client-hellos.ts';

const c1Of = (hello: Uint8Array) => hello.subarray(1);

test('the digests of real clients are found, in the scheme that each uses', () => {
  assert.equal(findDigest(c1Of(FFMPEG), PLAYER)?.scheme, DIGEST_SCHEMES[0]);
  assert.equal(findDigest(c1Of(LIBRTMP_SWF), PLAYER)?.scheme, DIGEST_SCHEMES[0]);
  assert.equal(findDigest(c1Of(LIBRTMP_RTMPE), PLAYER)?.scheme, DIGEST_SCHEMES[1]);
});

test('a digest of a player is none of a server', () => {
  assert.equal(findDigest(c1Of(FFMPEG), SERVER), undefined);
});

test('one changed bit anywhere, and there is no digest', () => {
  for (let at = 0; at < HANDSHAKE_BYTES; at += 61) {
    const c1 = c1Of(FFMPEG).slice();
    c1[at] = (c1[at] ?? 0) ^ 1;
    assert.equal(findDigest(c1, PLAYER), undefined, `at ${at}`);
  }
});

for (const [number, scheme] of DIGEST_SCHEMES.entries()) {
  for (const fill of [0x00, 0x5a, 0xff]) {
    test(`scheme ${number}: key and digest do not overlap when every other byte is ${fill}`, () => {
      const bytes = new Uint8Array(HANDSHAKE_BYTES).fill(fill);
      const key = Uint8Array.from({ length: 128 }, (_, index) => index);
      putPublicKey(bytes, scheme, key);
      putDigest(bytes, scheme, SERVER);
      assert.equal(bytes.length, HANDSHAKE_BYTES);
      assert.equal(findDigest(bytes, SERVER)?.scheme, scheme);
      assert.deepEqual(publicKeyIn(bytes, scheme), key);
    });
  }
}
