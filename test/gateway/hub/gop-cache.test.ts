import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../../codecs/access-unit.ts';
import type { Track } from '../../../codecs/track.ts';
import { GopCache } from '../../../gateway/hub/gop-cache.ts';
import { SLAB_BYTES, SlabPool } from '../../../gateway/hub/slab-pool.ts';

const VIDEO: Track = {
  kind: 'video',
  codec: 'h264',
  sps: new Uint8Array(4),
  pps: new Uint8Array(4),
};
const AUDIO: Track = {
  kind: 'audio',
  codec: 'aac',
  config: new Uint8Array(2),
  sampleRate: 48000,
  channels: 2,
};

function unit(track: Track, randomAccess: boolean, length: number, fill = 0): AccessUnit {
  const data = new Uint8Array(length).fill(fill);
  return { track, ptsUs: fill, dtsUs: fill, randomAccess, data, kept: false };
}

function replayed(cache: GopCache): AccessUnit[] {
  const units: AccessUnit[] = [];
  cache.replay((each) => {
    assert.ok(each.data.byteOffset >= ACCESS_UNIT_HEADROOM);
    units.push({ ...each, data: each.data.slice() });
  });
  return units;
}

test('it replays the units since the last random access point, byte for byte, with headroom', () => {
  const cache = new GopCache(new SlabPool(4 * SLAB_BYTES));
  cache.push(unit(VIDEO, false, 10, 1), true);
  cache.push(unit(VIDEO, true, 10, 2), true);
  cache.push(unit(VIDEO, false, 70_000, 3), true);
  cache.push(unit(VIDEO, true, 100_000, 4), true);
  cache.push(unit(AUDIO, true, 200, 5), true);
  cache.push(unit(VIDEO, false, 70_000, 6), true);
  const units = replayed(cache);
  assert.deepEqual(
    units.map(({ ptsUs, data }) => [ptsUs, data.length]),
    [
      [4, 100_000],
      [5, 200],
      [6, 70_000],
    ],
  );
  for (const { data, ptsUs } of units) assert.ok(data.every((byte) => byte === ptsUs));
});

test('with the budget spent it holds nothing until the next random access point', () => {
  const pool = new SlabPool(2 * SLAB_BYTES);
  const cache = new GopCache(pool);
  cache.push(unit(VIDEO, true, SLAB_BYTES, 1), true);
  cache.push(unit(VIDEO, false, 2 * SLAB_BYTES, 2), true);
  assert.equal(replayed(cache).length, 0);
  cache.push(unit(VIDEO, false, 10, 3), true);
  assert.equal(replayed(cache).length, 0);
  assert.equal(pool.usedBytes, 0);
  cache.push(unit(VIDEO, true, 10, 4), true);
  assert.equal(replayed(cache).length, 1);
});

test('property: whatever is pushed, the pool stays within its budget and the replay begins decodable', () => {
  const units = fc.array(
    fc.record({
      video: fc.boolean(),
      key: fc.boolean(),
      length: fc.integer({ min: 0, max: 90_000 }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(units, (list) => {
      const pool = new SlabPool(5 * SLAB_BYTES);
      const cache = new GopCache(pool);
      for (const { video, key, length } of list) {
        cache.push(unit(video ? VIDEO : AUDIO, !video || key, length), true);
        assert.ok(pool.usedBytes <= 5 * SLAB_BYTES);
        const [first] = replayed(cache);
        if (first !== undefined) assert.ok(first.track.kind === 'video' && first.randomAccess);
      }
      cache.clear();
      assert.equal(pool.usedBytes, 0);
    }),
  );
});

test('a sink that keeps the bytes of a replayed unit has them for itself', () => {
  const cache = new GopCache(new SlabPool(4 * SLAB_BYTES));
  cache.push(unit(VIDEO, true, 1000, 1), true);
  cache.push(unit(VIDEO, false, 1000, 2), true);
  const kept: Uint8Array[] = [];
  cache.replay((each) => {
    each.kept = true;
    kept.push(each.data);
  });
  assert.deepEqual(
    kept.map((data) => [data[0], data[999]]),
    [
      [1, 1],
      [2, 2],
    ],
  );
});
