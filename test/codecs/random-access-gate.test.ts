import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomAccessGate } from '../../codecs/random-access-gate.ts';

/** K: a random access point, P: another picture, R: a RASL picture, x: a loss. Upper case left, lower case was held back. */
function pass(pictures: string): { left: string; heldBack: number } {
  const gate = new RandomAccessGate();
  let left = '';
  for (const picture of pictures) {
    if (picture === 'x') gate.close();
    else if (gate.admits(picture === 'K', picture === 'R')) left += picture;
    else left += picture.toLowerCase();
  }
  return { left, heldBack: gate.heldBack };
}

const cases = [
  ['what comes before the first random access point is nobody’s damage', 'PPRKPP', 'pprKPP', 0],
  ['RASL pictures of the first random access point', 'KRRPP', 'KrrPP', 2],
  ['those of a later one can be decoded', 'KPKRRP', 'KPKRRP', 0],
  ['after a loss all waits, and the next RASL pictures with it', 'KPxPPKRPKR', 'KPppKrPKR', 3],
  ['a loss directly before a random access point costs nothing', 'KPxKP', 'KPKP', 0],
] as const;

for (const [name, pictures, left, heldBack] of cases) {
  test(name, () => assert.deepEqual(pass(pictures), { left, heldBack }));
}
