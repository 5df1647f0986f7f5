import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Json, JsonMap } from '../../../../../gateway/http/dashboard/settings/json.ts';
import {
  applyPatch,
  patchBetween,
} from '../../../../../gateway/http/dashboard/settings/merge-patch.ts';

/** RFC 7396, Appendix A. */
const RFC_CASES: readonly (readonly [Json, Json, Json])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

/** Few keys, so that the two meet; one that an assignment would take for the prototype. */
const key = fc.constantFrom('a', 'b', 'c', 'front-door', '__proto__', 'constructor');
const { map } = fc.letrec<{ value: Json; map: JsonMap }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.integer(),
    fc.constantFrom('', 'x', '***a1'),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
}));

describe('JSON Merge Patch', () => {
  for (const [target, patch, result] of RFC_CASES) {
    it(`${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(applyPatch(target, patch), result);
    });
  }

  it('of a difference, on what it was, makes what it is to be', () => {
    fc.assert(
      fc.property(map, map, (from, to) => {
        assert.deepEqual(applyPatch(from, patchBetween(from, to)), to);
      }),
    );
  });

  it('of nothing changed says nothing', () => {
    fc.assert(
      fc.property(map, (same) => {
        assert.deepEqual(patchBetween(same, structuredClone(same)), {});
      }),
    );
  });

  it('leaves alone what was not changed', () => {
    const from = { mqtt: { url: 'mqtt://a', password: '***1' }, log: { level: 'info' } };
    const to = { mqtt: { url: 'mqtt://b', password: '***1' }, log: { level: 'info' } };
    assert.deepEqual(patchBetween(from, to), { mqtt: { url: 'mqtt://b' } });
  });
});
