import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeEmulationPrevention } from '../../codecs/rbsp.ts';
import { hex } from '../support/hex.ts';

for (const [name, bytes, want] of [
  ['00 00 03 becomes 00 00', hex`01 000003 01`, hex`01 0000 01`],
  ['at the end too', hex`01 000003`, hex`01 0000`],
  ['one after another', hex`000003 000003 00`, hex`0000 0000 00`],
  ['the zeros count anew behind a removed byte', hex`000003 03 0003`, hex`0000 03 0003`],
  ['three zeros (not allowed, but it happens)', hex`00000003 01`, hex`000000 01`],
  ['a 3 behind one zero stays', hex`0003 03`, hex`0003 03`],
  ['nothing', hex``, hex``],
] as const) {
  test(name, () => {
    const copy = bytes.slice();
    assert.deepEqual(removeEmulationPrevention(bytes), want);
    assert.deepEqual(bytes, copy, 'the input is not changed');
  });
}

test('without any the same bytes are returned', () => {
  const bytes = hex`0102 0000 02`;
  assert.equal(removeEmulationPrevention(bytes), bytes);
});
