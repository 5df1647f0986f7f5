import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReorderWindow } from '../../../protocols/rtp/reorder-window.ts';
import { rtpBytes } from '../../support/rtp-packets.ts';

class Harness {
  readonly delivered: number[] = [];
  readonly window = new ReorderWindow((bytes, start, end) => {
    const packet = bytes.subarray(start, end);
    this.delivered.push((packet[2]! << 8) | packet[3]!);
  });

  push(sequenceNumber: number, nowMs = 0): void {
    const packet = rtpBytes({ sequenceNumber });
    // Packets lie in a larger buffer.
    const bytes = new Uint8Array(packet.length + 10).fill(0xff);
    bytes.set(packet, 7);
    this.window.push(bytes, 7, 7 + packet.length, nowMs);
    bytes.fill(0xff); // The socket reads into the same buffer again.
  }
}

const cases = [
  { name: 'in order', pushed: [1, 2, 3], want: [1, 2, 3] },
  { name: 'two swapped', pushed: [1, 3, 2, 4], want: [1, 2, 3, 4] },
  { name: 'three backwards', pushed: [1, 4, 3, 2, 5], want: [1, 2, 3, 4, 5] },
  { name: 'swapped over the wrap', pushed: [65_534, 0, 65_535, 1], want: [65_534, 65_535, 0, 1] },
  { name: 'a duplicate of a held one', pushed: [1, 3, 3, 2], want: [1, 2, 3] },
  { name: 'one missing: what follows is held', pushed: [1, 3, 4], want: [1] },
] as const;

for (const { name, pushed, want } of cases) {
  test(`puts into order: ${name}`, () => {
    const harness = new Harness();
    for (const number of pushed) harness.push(number);
    assert.deepEqual(harness.delivered, want);
  });
}

test('a missing packet is given up after 100 ms', () => {
  const harness = new Harness();
  harness.push(1, 0);
  harness.push(3, 10);
  harness.push(4, 109);
  assert.deepEqual(harness.delivered, [1]);
  harness.push(5, 110);
  assert.deepEqual(harness.delivered, [1, 3, 4, 5]);
});

test('a missing packet is given up when 64 are held', () => {
  const harness = new Harness();
  harness.push(0);
  for (let n = 2; n < 2 + 63; n += 1) harness.push(n);
  assert.deepEqual(harness.delivered, [0]);
  harness.push(65);
  assert.equal(harness.delivered.length, 1 + 64);
});

test('a jump far ahead delivers what is held, then goes on from there', () => {
  const harness = new Harness();
  for (const number of [1, 3, 1000, 1001]) harness.push(number);
  assert.deepEqual(harness.delivered, [1, 3, 1000, 1001]);
});

test('after a restart far below, packets are put into order again', () => {
  const harness = new Harness();
  for (const number of [30_000, 30_001, 100, 102, 101, 103]) harness.push(number);
  assert.deepEqual(harness.delivered, [30_000, 30_001, 100, 101, 102, 103]);
});

test('what is no packet is left out', () => {
  const harness = new Harness();
  harness.window.push(Uint8Array.of(0x80, 0x60, 0), 0, 3, 0);
  assert.deepEqual(harness.delivered, []);
});

test('any shuffling within the window comes out in order, nothing lost, nothing twice', () => {
  const start = fc.nat(0xffff);
  const swaps = fc.array(fc.nat(30), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(start, swaps, (first, distances) => {
      const order = distances.map((distance, n) => ({ n, at: n === 0 ? -1 : n + distance }));
      order.sort((a, b) => a.at - b.at);
      const harness = new Harness();
      for (const { n } of order) harness.push((first + n) & 0xffff);
      assert.deepEqual(
        harness.delivered,
        distances.map((_, n) => (first + n) & 0xffff),
      );
    }),
  );
});
