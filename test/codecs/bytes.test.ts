import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, equalBytes } from '../../codecs/bytes.ts';
import { hex } from '../support/hex.ts';

test('concat joins any number of arrays into a new one', () => {
  assert.deepEqual(concat(), hex``);
  assert.deepEqual(concat(hex`01`, hex``, hex`0203`), hex`010203`);
  const only = hex`01`;
  assert.notEqual(concat(only).buffer, only.buffer);
});

test('equalBytes looks at the length and at every byte', () => {
  assert.ok(equalBytes(hex``, hex``));
  assert.ok(equalBytes(hex`0102`, hex`000102`.subarray(1)));
  assert.ok(!equalBytes(hex`0102`, hex`0103`));
  assert.ok(!equalBytes(hex`01`, hex`0102`));
  assert.ok(!equalBytes(hex`0102`, hex`01`));
});
