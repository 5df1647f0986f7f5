import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldUnits } from '../../../protocols/rtp/held-units.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { videoUnit } from '../../support/units.ts';

test('units are copied, and come out once, in order', () => {
  const held = new HeldUnits();
  const sink = new RecordingSink();
  for (const fill of [1, 2]) {
    const unit = videoUnit({ fill, dtsUs: fill, byteLength: 3 });
    held.push(unit);
    unit.data.fill(0xee);
  }
  held.release(sink);
  held.release(sink);
  assert.deepEqual(
    sink.units.map(({ dtsUs, data }) => [dtsUs, ...data]),
    [
      [1, 1, 1, 1],
      [2, 2, 2, 2],
    ],
  );
});

test('8 MiB are enough, and room again when they are out', () => {
  const held = new HeldUnits();
  const unit = videoUnit({ byteLength: 2 ** 22 - 2048 });
  held.push(unit);
  assert.equal(held.isFull, false);
  held.push(unit);
  assert.equal(held.isFull, true);
  held.release(new RecordingSink());
  assert.equal(held.isFull, false);
});
