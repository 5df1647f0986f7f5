import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addEmulationPrevention, removeEmulationPrevention } from '../../codecs/rbsp.ts';
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

for (const [name, rbsp, want] of [
  [
    '1 to 3 behind two zeros',
    hex`0000 01 0000 02 0000 03 80`,
    hex`65 000003 01 000003 02 000003 03 80`,
  ],
  [
    'a run of zeros: the count begins anew behind a 3',
    hex`0000000000 80`,
    hex`65 000003 000003 00 80`,
  ],
  ['4 behind two zeros stays', hex`0000 04 80`, hex`65 0000 04 80`],
  ['one zero is nothing', hex`0001 80`, hex`65 0001 80`],
] as const) {
  test(`written: ${name}`, () => {
    assert.deepEqual(addEmulationPrevention(0x65, rbsp), want);
  });
}

test('what was put in comes out, and no start code is left', () => {
  const mostlyZeros = fc.uint8Array({ max: 4, maxLength: 60 });
  fc.assert(
    fc.property(mostlyZeros, (rbsp) => {
      const nalUnit = addEmulationPrevention(0x65, rbsp);
      assert.deepEqual(removeEmulationPrevention(nalUnit.subarray(1)), rbsp);
      for (const third of [0, 1, 2])
        assert.ok(!Buffer.from(nalUnit).includes(Buffer.of(0, 0, third)));
    }),
  );
});
