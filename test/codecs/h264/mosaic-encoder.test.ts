import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { Mosaic } from '../../../codecs/h264/mosaic.ts';
import { MosaicEncoder } from '../../../codecs/h264/mosaic-encoder.ts';
import { bits } from '../../support/bits.ts';
import { hex } from '../../support/hex.ts';

// Worked by hand; that decoders agree is shown in test/e2e/mosaic-video.test.ts.

const IDR_HEADER = '1 0001000 1 00000000 010 0 0 1 010';

test('a grey macroblock: nothing but its type', () => {
  const mosaic = filled(1, 1, 32, 64, 64);
  // I_16x16_2_0_0 is 3; DC; no mb_qp_delta; a block without coefficients.
  const slice = `${IDR_HEADER}  00100 1 1 1  1`;
  assert.deepEqual(encoder(16, 16).encode(mosaic, true), concat(hex`65`, bits(slice)));
});

test('another colour: one coefficient each, 16 times and 4 times the difference', () => {
  const mosaic = filled(1, 1, 33, 65, 63);
  // I_16x16_2_1_0 is 7. Luma: 16 is 000101, 000000000000001 1110 (30 − 2 − 14), no zeros. Chroma: 4 and −4.
  const luma = '000101 000000000000001 1110 1';
  const chroma = '000111 00001 1  000111 000001 1';
  const slice = `${IDR_HEADER}  0001000 1 1 ${luma} ${chroma} 1`;
  assert.deepEqual(encoder(16, 16).encode(mosaic, true), concat(hex`65`, bits(slice)));
});

test('what does not change is passed over, what does is coded anew', () => {
  const mosaic = filled(3, 1, 32, 64, 64);
  const subject = encoder(48, 16);
  subject.encode(mosaic, true);
  const header = (number: string) => `1 00110 1 ${number} 0 0 0 1 010`;
  assert.deepEqual(
    subject.encode(mosaic, false),
    concat(hex`61`, bits(`${header('00000001')}  00100  1`)),
    'three skipped',
  );
  mosaic.cb.levels[2] = 65;
  mosaic.cb.levels[3] = 65;
  mosaic.cb.levels[8] = 65;
  mosaic.cb.levels[9] = 65;
  // One skipped; I_16x16_1_1_0 is 6, and 5 more in a P slice; horizontal; then one skipped at the end.
  const changed = '010  0001100 010 1 1  000111 00001 1 01  010';
  assert.deepEqual(
    subject.encode(mosaic, false),
    concat(hex`61`, bits(`${header('00000010')}  ${changed}  1`)),
  );
});

test('IDR pictures in a row have different ids, and begin to count anew', () => {
  const subject = encoder(16, 16);
  const mosaic = filled(1, 1, 32, 64, 64);
  const first = subject.encode(mosaic, true);
  const second = subject.encode(mosaic, true);
  assert.notDeepEqual(second, first);
  assert.deepEqual(subject.encode(mosaic, true), first);
  const afterIdr = subject.encode(mosaic, false);
  subject.encode(mosaic, true);
  assert.deepEqual(subject.encode(mosaic, false), afterIdr);
});

function encoder(width: number, height: number): MosaicEncoder {
  return new MosaicEncoder({ width, height, fps: 25 });
}

function filled(widthInMbs: number, heightInMbs: number, y: number, cb: number, cr: number) {
  const mosaic = new Mosaic(widthInMbs, heightInMbs);
  mosaic.luma.levels.fill(y);
  mosaic.cb.levels.fill(cb);
  mosaic.cr.levels.fill(cr);
  return mosaic;
}
