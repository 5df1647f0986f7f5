import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoas, loasElements, loasFrameBytes } from '../../../codecs/aac/loas.ts';
import { hex } from '../../support/hex.ts';
import { LOAS } from './latm-fixture.ts';

test('ffmpeg’s frames lie one behind the other', () => {
  const lengths = [...loasElements(LOAS)].map(({ length }) => length + 3);
  assert.equal(lengths.length, 6);
  assert.equal(lengths[0], loasFrameBytes(LOAS));
  assert.equal(
    lengths.reduce((sum, length) => sum + length),
    LOAS.length,
  );
});

test('a sync word of eleven bits, a length of thirteen', () => {
  assert.ok(isLoas(hex`00 56ff`, 1));
  assert.ok(!isLoas(hex`56 df`));
  assert.ok(!isLoas(hex`56`));
  assert.equal(loasFrameBytes(hex`56ffff`), 8194);
  assert.equal(loasFrameBytes(hex`00 56e002`, 1), 5);
});

test('elements are views; an empty one is one', () => {
  const bytes = hex`56e002 2112 56e000 56e001 07`;
  const elements = [...loasElements(bytes)];
  assert.deepEqual(elements, [hex`2112`, hex``, hex`07`]);
  assert.ok(elements.every(({ buffer }) => buffer === bytes.buffer));
});

for (const [name, bytes, offset] of [
  ['no sync word', hex`fff14c`, 0],
  ['half a header', hex`56e0`, 0],
  ['a frame cut short', hex`56e001 07 56e002 21`, 4],
  ['junk between frames', hex`56e001 07 00`, 4],
] as const) {
  test(`${name} throws and says where`, () => {
    assert.throws(() => [...loasElements(bytes)], { name: 'ParseError', offset });
  });
}
