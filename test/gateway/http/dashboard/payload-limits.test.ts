import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPayloadBytes } from '../../../../gateway/http/dashboard/payload-limits.ts';

const KIB = 1024;

const cases: readonly (readonly [topic: string, bytes: number])[] = [
  ['info', 64 * KIB],
  ['health', 16 * KIB],
  ['stream/yard/info', 64 * KIB],
  ['stream/yard/stats', KIB],
  ['stream/yard/snapshot', 8 * KIB * KIB],
  ['stream/snapshot/status', 16 * KIB],
  // Devices and targets may be called as they like.
  ['found/snapshot', 16 * KIB],
  ['publish/yard/snapshot', 16 * KIB],
  ['publish/yard/info', 16 * KIB],
];

for (const [topic, bytes] of cases) {
  test(`${topic}: ${bytes} bytes`, () => {
    assert.equal(maxPayloadBytes(topic.split('/')), bytes);
  });
}
