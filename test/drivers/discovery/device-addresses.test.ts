import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceAddresses } from '../../../drivers/discovery/device-addresses.ts';

const OLD = '10.0.0.20';
const NEW = '10.0.0.33';
const EXPIRES_MS = 150_000;

function heard(...times: readonly (readonly [number, string])[]) {
  const addresses = new DeviceAddresses(EXPIRES_MS);
  const unsure = times.map(([atMs, address]) => addresses.hear([address], false, atMs));
  return { addresses, unsure };
}

test('a device that moves: the new address first, at once', () => {
  const { addresses, unsure } = heard([0, OLD], [60_000, NEW]);
  assert.deepEqual(addresses.inOrder, [NEW, OLD]);
  assert.deepEqual(unsure, [false, false]);
});

test('a camera with a cable and Wi-Fi answers from both in any order: no change', () => {
  const both = [OLD, NEW];
  const times = [0, 1, 2, 3, 4].flatMap((round) =>
    (round % 2 === 0 ? both : [...both].reverse()).map(
      (address, i) => [round * 60_000 + i * 10, address] as const,
    ),
  );
  const { addresses } = heard(...times);
  assert.deepEqual(addresses.inOrder, [NEW, OLD]);
});

test('a device that moves back: first again as soon as the other has missed a burst', () => {
  const moved = [
    [0, OLD],
    [60_000, NEW],
  ] as const;
  const { addresses, unsure } = heard(...moved, [90_000, OLD]);
  assert.deepEqual(addresses.inOrder, [NEW, OLD]);
  assert.equal(unsure.at(-1), true);
  addresses.hear([OLD], false, 90_500);
  assert.deepEqual(addresses.inOrder, [NEW, OLD]);
  addresses.hear([OLD], false, 91_500);
  assert.deepEqual(addresses.inOrder, [OLD, NEW]);
});

test('the other answers the burst after all: nothing changes', () => {
  const { addresses } = heard([0, OLD], [60_000, NEW], [120_000, OLD], [120_100, NEW]);
  addresses.hear([OLD], false, 121_500);
  assert.deepEqual(addresses.inOrder, [NEW, OLD]);
});

test('what is said beside the known first address comes after it', () => {
  const addresses = new DeviceAddresses(EXPIRES_MS);
  addresses.hear([OLD], false, 0);
  addresses.hear([OLD, '169.254.1.1', 'fe80::1'], false, 10);
  assert.deepEqual(addresses.inOrder, [OLD, '169.254.1.1', 'fe80::1']);
});

test('old addresses go in time, but never the last one', () => {
  const { addresses } = heard([0, OLD], [60_000, NEW], [300_000, NEW]);
  assert.deepEqual(addresses.inOrder, [NEW]);
  addresses.hear([], false, 9_000_000);
  assert.deepEqual(addresses.inOrder, [NEW]);
  addresses.drop(NEW);
  assert.deepEqual(addresses.inOrder, []);
});

/** Found by attack: whoever named a camera's endpoint reference from eight addresses made its stream leave it. */
test('somebody who says that it is in many places does not make its own be forgotten', () => {
  const { addresses } = heard([0, OLD]);
  for (let i = 0; i < 20; i += 1) addresses.hear([`10.0.1.${i}`], false, 1000 + i);
  assert.equal(addresses.inOrder.length, 8);
  assert.equal(addresses.inOrder[0], '10.0.1.19');
  assert.ok(addresses.has(OLD));
  addresses.hear(
    Array.from({ length: 9 }, (_, i) => `10.0.2.${i}`),
    false,
    2000,
  );
  assert.equal(addresses.inOrder[0], '10.0.2.0');
  assert.ok(addresses.has(OLD));
});

test('whatever is heard when: bounded, no address twice, what was heard last is in it', () => {
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', 'fe80::1', 'fd00::1');
  const some = fc.array(fc.oneof(address, fc.ipV4()), { maxLength: 10 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200_000), some), { maxLength: 40 }), (times) => {
      const addresses = new DeviceAddresses(EXPIRES_MS);
      let nowMs = 0;
      for (const [passedMs, list] of times) {
        nowMs += passedMs;
        addresses.hear(list, false, nowMs);
        const { inOrder } = addresses;
        assert.ok(inOrder.length <= 8);
        assert.equal(new Set(inOrder).size, inOrder.length);
        if (list[0] !== undefined) assert.ok(inOrder.includes(list[0]));
      }
    }),
  );
});
