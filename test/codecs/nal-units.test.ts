import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nalUnits } from '../../codecs/nal-units.ts';
import { hex } from '../support/hex.ts';

test('walks NAL units, empty ones too, and yields views', () => {
  const avcc = hex`00000001 09 00000000 00000003 658801`;
  const units = [...nalUnits(avcc)];
  assert.deepEqual(units, [hex`09`, hex``, hex`658801`]);
  assert.ok(units.every(({ buffer }) => buffer === avcc.buffer));
  assert.deepEqual([...nalUnits(hex``)], []);
});

test('stopping early is no error, even before damage', () => {
  for (const unit of nalUnits(hex`00000001 09 ffffffff`)) {
    assert.deepEqual(unit, hex`09`);
    break;
  }
});

for (const [name, avcc, offset] of [
  ['half a length', hex`00000001 09 000000`, 5],
  ['a length one past the end', hex`00000003 0900`, 0],
  ['a length of 4 GiB', hex`00000001 09 ffffffff 65`, 5],
] as const) {
  test(`${name} throws and says where`, () => {
    assert.throws(() => [...nalUnits(avcc)], { name: 'ParseError', offset });
  });
}
