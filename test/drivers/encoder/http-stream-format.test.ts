import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { formatOf } from '../../../drivers/encoder/http-stream-format.ts';
import { hex } from '../../support/hex.ts';
import { TestEncoder } from '../../support/test-encoder.ts';

const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

const cases: [string, string, string, string][] = [
  ['FLV', 'FLV\x01\x05\x00\x00\x00\x09', 'text/html', 'flv'],
  ['FLV, of which three bytes have come', 'FLV', '', 'flv'],
  ['a web page', '\r\n<!DOCTYPE html><html><head>', 'video/x-flv', 'a web page'],
  [
    'a web page by its type alone',
    'Welcome to your new camera!',
    'text/html; charset=utf-8',
    'a web page',
  ],
  ['an HLS playlist', '#EXTM3U\n#EXT-X-VERSION:3\n', 'text/plain', 'an HLS playlist'],
  ['DASH', '<?xml version="1.0"?><MPD xmlns=', '', 'an XML document'],
  ['JSON', '[{"cmd":"Login","code":1,"error":', 'text/html', 'a JSON document'],
  [
    'JPEG',
    '\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00',
    '',
    'a single JPEG picture',
  ],
  ['MJPEG', '--myboundary\r\nContent-Type: image/jpeg', '', 'MJPEG pictures'],
  ['MJPEG that begins with a line break', '\r\n--myboundary\r\nContent-Type', '', 'MJPEG pictures'],
  [
    'MJPEG by its type',
    '\x00'.repeat(24),
    'multipart/x-mixed-replace;boundary=x',
    'MJPEG pictures',
  ],
  ['MP4', '\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42iso', 'video/mp4', 'MP4'],
  [
    'WebM',
    '\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82',
    '',
    'Matroska or WebM',
  ],
  ['text', 'Unauthorized access is not permitted', 'Text/Plain', 'text'],
  ['nothing known', '\x00'.repeat(24), 'application/octet-stream', 'unknown'],
];
for (const [name, text, contentType, want] of cases) {
  test(`knows ${name}`, () => {
    const format = formatOf(
      latin1(text.startsWith('FLV') ? text : text.padEnd(24)),
      contentType,
      false,
    );
    assert.equal(format?.at === 'other' ? format.words : format?.at, want);
  });
}

test('knows MPEG-TS: of 188 bytes, of 192, and by its type', () => {
  const packets = new TestEncoder().datagram();
  const m2ts = concat(
    hex`00000000`,
    packets.subarray(0, 188),
    hex`00000000`,
    packets.subarray(188),
  );
  for (const bytes of [packets, m2ts]) {
    assert.deepEqual(formatOf(bytes, 'text/html', false), { at: 'mpegts' });
    assert.equal(formatOf(bytes.subarray(0, 150), '', false), undefined);
  }
  assert.deepEqual(formatOf(packets.subarray(77), 'video/MP2T', false), { at: 'mpegts' });
  assert.deepEqual(formatOf(latin1('Go away, there is nothing here.'), '', true), {
    at: 'unknown',
  });
});

test('what is too short to tell waits for more, or is judged as it is at the end', () => {
  assert.equal(formatOf(latin1('<htm'), '', false), undefined);
  assert.deepEqual(formatOf(latin1('<html>'), '', true), {
    at: 'other',
    words: 'a web page',
    isMedia: false,
  });
  assert.deepEqual(formatOf(latin1('no'), '', true), { at: 'unknown' });
});

test('arbitrary bytes and types are some format', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.string(), fc.boolean(), (bytes, type, end) => {
      formatOf(bytes, type, end);
    }),
  );
});
