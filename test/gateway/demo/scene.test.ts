import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHROMA_STEP, LUMA_STEP } from '../../../codecs/h264/mosaic.ts';
import { Scene } from '../../../gateway/demo/scene.ts';
import type { HeadPosition } from '../../../gateway/demo/virtual-head.ts';

const HOME = { pan: 0, tilt: 0, zoom: 0 };
/** ITU-R BT.709 with 8 bits, of 75 % bars. */
const BARS = [
  [180, 128, 128],
  [168, 44, 136],
  [145, 147, 44],
  [133, 63, 52],
  [63, 193, 204],
  [51, 109, 212],
  [28, 212, 120],
  [16, 128, 128],
] as const;

test('at home there are colour bars, each as near as a level is', () => {
  const seen = lookAt(HOME);
  for (const [bar, wanted] of BARS.entries()) {
    const got = seen(bar * 80 + 40, 20);
    for (const [at, step] of [LUMA_STEP, CHROMA_STEP, CHROMA_STEP].entries()) {
      const difference = Math.abs(got[at]! - wanted[at]!);
      assert.ok(difference <= step / 2, `bar ${bar}: ${got}, not ${wanted}`);
    }
    assert.deepEqual(seen(bar * 80, 20), seen(bar * 80 + 79, 20), `bar ${bar} has its whole width`);
  }
});

test('panned by a third of the way round: grey steps, dark on the left', () => {
  const seen = lookAt({ pan: 2 / 3, tilt: 0, zoom: 0 });
  const greys = Array.from({ length: 16 }, (_, step) => seen(step * 40 + 20, 20));
  assert.ok(greys.every(([, cb, cr]) => cb === 128 && cr === 128));
  const luma = greys.map(([y]) => y!);
  assert.deepEqual(
    luma,
    luma.toSorted((a, b) => a - b),
  );
  assert.deepEqual([luma[0], luma[15]], [16, 236]);
});

test('both ends of the way round look at the same', () => {
  const left = lookAt({ pan: -1, tilt: 0, zoom: 0 });
  const right = lookAt({ pan: 1, tilt: 0, zoom: 0 });
  for (let x = 0; x < 640; x += 40) assert.deepEqual(left(x, 20), right(x, 20));
});

test('zoomed in, four bars are left; tilted up, there is sky', () => {
  const near = lookAt({ pan: 0, tilt: 0, zoom: 1 });
  assert.deepEqual(near(10, 20), lookAt(HOME)(320 - 310 / 4, 20));
  assert.deepEqual(near(200, 20), near(310, 20));
  const up = lookAt({ pan: 0, tilt: 1, zoom: 0 });
  assert.notDeepEqual(up(360, 20), lookAt(HOME)(360, 20));
});

test('the clock, the counter, and where it looks, are white on black; something moves', () => {
  const scene = new Scene();
  scene.paint(HOME, '12:34:56', 1, 1);
  const first = scene.mosaic.luma.levels.slice();
  scene.paint(HOME, '12:34:57', 2, 2);
  const changed = [...first].flatMap((level, at) =>
    level === scene.mosaic.luma.levels[at] ? [] : [at],
  );
  // The last digit of the clock, 2 × 5 × 7 dots at most four times over, that of the counter, and the square.
  assert.ok(changed.length > 20 && changed.length < 400, `${changed.length} blocks changed`);
  const plate = first.filter(
    (_, at) => at % 160 >= 8 && at % 160 < 152 && at >= 60 * 160 && at < 88 * 160,
  );
  assert.deepEqual([...new Set(plate)].sort(), [4, 59]);
});

/** Gives Y, Cb and Cr at a pixel. */
function lookAt(position: HeadPosition): (x: number, y: number) => number[] {
  const scene = new Scene();
  scene.paint(position, '00:00:00', 0, 0);
  const { luma, cb, cr } = scene.mosaic;
  return (x, y) => [
    luma.levels[(y >> 2) * luma.stride + (x >> 2)]! * LUMA_STEP,
    cb.levels[(y >> 3) * cb.stride + (x >> 3)]! * CHROMA_STEP,
    cr.levels[(y >> 3) * cr.stride + (x >> 3)]! * CHROMA_STEP,
  ];
}
