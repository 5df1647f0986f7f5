import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readTree } from '../../../gateway/config/load.ts';
import { mergePatch } from '../../../gateway/config/merge-patch.ts';
import { rewriteYaml } from '../../../gateway/config/rewrite-yaml.ts';

const read = (text: string) => readTree(text, 's.yaml');

function patched(text: string, patch: unknown): string {
  return rewriteYaml(text, mergePatch(read(text), patch) as Record<string, unknown>, read);
}

const COMMENTED = `# The shop in the north.

gateway: { id: shop-12 } # as in the plan

# Cameras
streams:
  # over the door
  front-door:
    source: "rtsp://10.0.0.20/stream1" # main
    password: '\${CAM_PW}'

  yard: { source: "rtsp://10.0.0.21/" }
log: # nothing yet
discovery:
  credentials:
    # of the installer
    - username: admin
      password: one
    # of the shop
    - username: shop
      password: two # old
`;

describe('a file that is changed', () => {
  const cases: readonly (readonly [
    name: string,
    patch: unknown,
    change: (text: string) => string,
  ])[] = [
    ['nothing is another', { gateway: { id: 'shop-12' } }, (text) => text],
    ['a value', { gateway: { id: 'shop-13' } }, (text) => text.replace('shop-12', 'shop-13')],
    [
      'a quoted value',
      { streams: { 'front-door': { source: 'rtsp://10.0.0.9/stream1' } } },
      (text) => text.replace('10.0.0.20', '10.0.0.9'),
    ],
    [
      'a stream more',
      { streams: { gate: { source: 'rtsp://10.0.0.22/' } } },
      (text) =>
        text.replace('10.0.0.21/" }\n', '10.0.0.21/" }\n  gate:\n    source: rtsp://10.0.0.22/\n'),
    ],
    [
      'a stream less',
      { streams: { yard: null } },
      (text) => text.replace('\n  yard: { source: "rtsp://10.0.0.21/" }\n', ''),
    ],
    [
      'an entry of a list less',
      { discovery: { credentials: [{ username: 'shop', password: 'two' }] } },
      (text) => text.replace(/ {4}# of the installer\n.*\n.*\n/, ''),
    ],
    [
      'an entry of a list is another',
      {
        discovery: {
          credentials: [
            { username: 'admin', password: 'one' },
            { username: 'shop', password: 'three' },
          ],
        },
      },
      (text) => text.replace('two # old', 'three # old'),
    ],
    [
      'entries change places',
      {
        discovery: {
          credentials: [
            { username: 'shop', password: 'two' },
            { username: 'admin', password: 'one' },
          ],
        },
      },
      (text) => {
        const [admin = ''] = / {4}# of the installer\n.*\n.*\n/.exec(text) ?? [];
        return text.replace(admin, '') + admin;
      },
    ],
    [
      'what has nothing after it',
      { log: { level: 'debug' } },
      (text) => text.replace('log: # nothing yet\n', 'log:\n  # nothing yet\n  level: debug\n'),
    ],
  ];
  for (const [name, patch, change] of cases) {
    it(name, () => assert.equal(patched(COMMENTED, patch), change(COMMENTED)));
  }

  it('is made where there is none', () => {
    assert.equal(patched('', { log: { level: 'debug' } }), 'log:\n  level: debug\n');
    assert.equal(
      patched('# nothing but this\n', { log: { level: 'warn' } }).includes('# nothing but this'),
      true,
    );
  });

  it('an anchor stays while what hangs on it stays the same', () => {
    const text = 'a: &x { b: 1 }\nc: *x\nd: 1\n';
    assert.equal(patched(text, { d: 2 }), 'a: &x { b: 1 }\nc: *x\nd: 2\n');
  });

  it('an anchor that is changed does not change what hangs on it', () => {
    const text = 'a: &x { b: 1 } # one\nc: *x\n';
    for (const patch of [{ a: { b: 2 } }, { c: { b: 2 } }, { a: null }]) {
      assert.deepEqual(read(patched(text, patch)), mergePatch(read(text), patch));
    }
    assert.match(patched(text, { a: { b: 2 } }), /# one/);
  });

  it('names that are no texts in YAML, and one that is special in JavaScript', () => {
    const text = 'a: { 12: x, true: y }\n"__proto__": { polluted: 1 }\n';
    const after = patched(text, { a: { '12': 'z', null: 'n', 'a: b': '- c', '': '#' } });
    assert.deepEqual(Object.entries(read(after) as object)[0], [
      'a',
      { '12': 'z', true: 'y', null: 'n', 'a: b': '- c', '': '#' },
    ]);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    assert.ok(Object.hasOwn(read(after) as object, '__proto__'));
  });

  it('whatever is in it and whatever is made of it: it says then what it was to say', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const key = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('a', 'b', 'c', '1', 'true'));
    const tree = (depth: number): fc.Arbitrary<unknown> =>
      depth === 0
        ? leaf
        : fc.oneof(
            leaf,
            fc.array(tree(depth - 1), { maxLength: 4 }),
            fc.dictionary(key, tree(depth - 1), { maxKeys: 4, noNullPrototype: true }),
          );
    const map = fc.dictionary(key, tree(3), { maxKeys: 4, noNullPrototype: true });
    const style = fc.constantFrom(
      (value: unknown) => JSON.stringify(value),
      (value: unknown) => rewriteYaml('', value as Record<string, unknown>, read),
      (value: unknown) =>
        `# head\n\n${rewriteYaml('', value as Record<string, unknown>, read)}# tail\n`,
    );
    fc.assert(
      fc.property(map, map, style, (before, wanted, write) => {
        const clean = JSON.parse(JSON.stringify(wanted)) as Record<string, unknown>;
        const text = write(JSON.parse(JSON.stringify(before)));
        assert.deepEqual(read(rewriteYaml(text, clean, read)), clean);
      }),
      { numRuns: 500 },
    );
  });
});
