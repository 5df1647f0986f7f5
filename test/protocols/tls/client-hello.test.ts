import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { namesNoServer } from '../../../protocols/tls/client-hello.ts';
import { hex } from '../../support/hex.ts';
import { FFMPEG, LIBRTMP } from './client-hellos.ts';

/** TLS 1.0 without extensions, written by hand. */
const BARE = hex`16 0301 002d 01 000029 0301 ${'00'.repeat(32)} 00 0002 002f 01 00`;

test('librtmp names no server, ffmpeg does', () => {
  assert.equal(namesNoServer(LIBRTMP), true);
  assert.equal(namesNoServer(FFMPEG), false);
});

test('a client without extensions names none', () => {
  assert.equal(namesNoServer(BARE), true);
});

test('what is not whole says nothing', () => {
  for (let length = 0; length < LIBRTMP.length; length += 1) {
    assert.equal(namesNoServer(LIBRTMP.subarray(0, length)), false, `${length} bytes`);
  }
});

test('what is no ClientHello says nothing', () => {
  for (const bytes of [
    hex`03`,
    hex`16 0301 0001 02`,
    new TextEncoder().encode('POST / HTTP/1.1'),
  ]) {
    assert.equal(namesNoServer(bytes), false);
  }
});

test('whatever comes: yes or no', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 380 }), (bytes, at) => {
      const damaged = LIBRTMP.slice();
      damaged.set(
        bytes.subarray(0, Math.max(damaged.length - at, 0)),
        Math.min(at, damaged.length),
      );
      assert.equal(typeof namesNoServer(damaged), 'boolean');
      assert.equal(typeof namesNoServer(bytes), 'boolean');
    }),
  );
});
