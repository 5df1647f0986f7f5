import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { namesNoServer } from '../../../protocols/tls/client-hello.ts';
import { hex } from '../../support/hex.ts';

/** rtmpdump 2.4 (Debian 12, GnuTLS 3.7) to rtmps://127.0.0.1, captured on 2026-11-25. */
const LIBRTMP = hex`
  16030101700100016c03037da8d3ecf9f42489b68cdd6ec920d5c6ebddad518f0f682e8e755266e50f79db20472577de
  8f17c8d9433aa98704bd34c5c7893eec76620cc8ed2b323b9aa3a420003a1302130313011304c02ccca9c0adc00ac02b
  c0acc009c030cca8c014c02fc013009dc09d0035009cc09c002f009fccaac09f0039009ec09e0033010000e900050005
  0100000000000a00160014001700180019001d001e01000101010201030104000b00020100000d002200200401080908
  04040308070501080a0805050308080601080b08060603020102030016000000170000002300000033006b0069001700
  4104b4fe95b1c7b87d0247f505d3cfefa3776135458fcb4deb6cdd2c28317b429dae1f0b1fec71f1a8884a99c861a9f7
  1d2825f882ed75ba6bda75323bcec4f01d8b001d00203868f5973b9ab397f950df2f0f8826342f7afc06f4f5d653f6a2
  54a59fef1f49002b0009080304030303020301ff01000100002d0003020100001c00024001
`;

/** ffmpeg 5.1 (Debian 12, GnuTLS 3.7) to rtmps://localhost. */
const FFMPEG = hex`
  16030101820100017e0303fbc8269abd2bc4c47a0e83cef7f784f49fc695393c23a693dcff1b3f4fa7389e2059375bb8
  980611b8fb1a1eb826bd6ff3a06cc1a5822daeb010955ef0c90f174c003a1302130313011304c02ccca9c0adc00ac02b
  c0acc009c030cca8c014c02fc013009dc09d0035009cc09c002f009fccaac09f0039009ec09e0033010000fb00050005
  0100000000000a00160014001700180019001d001e01000101010201030104000b00020100000d002200200401080908
  04040308070501080a0805050308080601080b08060603020102030016000000170000002300000033006b0069001700
  410441c823e6c7d4dc2d0dd6f6727c07013277b4aac2f89504c4ceaa153b349a0a3c31e0dff06eabdbf4b7a4b9cf35fe
  f90a349f57a2711c644651727ec08edffa39001d002058403ae62cd6054fff0b9820a1c0906a7854fd3a62cf766faa93
  189894ca033d002b0009080304030303020301ff010001000000000e000c0000096c6f63616c686f7374002d00030201
  00001c00024001
`;

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
