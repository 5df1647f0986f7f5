import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { serializePps, serializeSps } from '../../../codecs/h264/parameter-set-writer.ts';
import { parseSps } from '../../../codecs/h264/sps.ts';
import { bits } from '../../support/bits.ts';
import { hex } from '../../support/hex.ts';

test('the SPS says what the pictures are', () => {
  const { width, height, fps, fixedFrameRate, ...rest } = parseSps(
    serializeSps({ width: 640, height: 360, fps: 25 }),
  );
  assert.deepEqual([width, height, fps, fixedFrameRate], [640, 360, 25, true]);
  assert.deepEqual(rest, {
    profileIdc: 66,
    constraintFlags: 0xc0,
    levelIdc: 30,
    id: 0,
    chromaFormatIdc: 1,
    bitDepthLuma: 8,
    bitDepthChroma: 8,
    log2MaxFrameNum: 8,
    picOrderCntType: 2,
    log2MaxPicOrderCntLsb: undefined,
    maxNumRefFrames: 1,
    frameMbsOnly: true,
    maxNumReorderFrames: 0,
  });
});

test('whole macroblocks are not cropped; odd rests are', () => {
  for (const [width, height] of [
    [16, 16],
    [18, 46],
  ] as const) {
    const sps = parseSps(serializeSps({ width, height, fps: 1 }));
    assert.deepEqual([sps.width, sps.height], [width, height]);
  }
});

test('more than level 3 allows is refused: in size, and in macroblocks a second', () => {
  assert.throws(() => serializeSps({ width: 1280, height: 720, fps: 1 }), RangeError);
  assert.throws(() => serializeSps({ width: 640, height: 368, fps: 50 }), RangeError);
});

test('the PPS, worked by hand', () => {
  const fields = '1 1 0 0 1 1 1 0 00 000010101 1 1 1 0 0 1';
  assert.deepEqual(serializePps(16), concat(hex`68`, bits(fields)));
});
