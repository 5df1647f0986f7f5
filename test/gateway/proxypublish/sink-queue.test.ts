import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../../codecs/access-unit.ts';
import { SinkQueue } from '../../../gateway/proxypublish/sink-queue.ts';
import { audioUnit, videoUnit } from '../../support/units.ts';

/** What one queued picture of `byteLength` bytes costs. */
const cost = (byteLength: number) => ACCESS_UNIT_HEADROOM + byteLength + 256;

function offer(queue: SinkQueue, unit: AccessUnit): void {
  if (queue.admit(unit)) queue.push(unit);
}

/** I, P and a (audio), one every 40 ms; the fill byte is the index. */
function offerAll(queue: SinkQueue, kinds: string, byteLength = 100): void {
  for (const [index, kind] of [...kinds].entries()) {
    const wanted = { dtsUs: index * 40_000, fill: index, byteLength };
    const unit =
      kind === 'a' ? audioUnit(wanted) : videoUnit({ ...wanted, randomAccess: kind === 'I' });
    offer(queue, unit);
  }
}

function drain(queue: SinkQueue): (number | undefined)[] {
  const left: (number | undefined)[] = [];
  for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) left.push(unit.data[0]);
  return left;
}

test('what goes in comes out, copied, and nothing is held afterwards', () => {
  const queue = new SinkQueue();
  const unit = videoUnit({ dtsUs: 1_000, ptsUs: 2_000, fill: 7 });
  offer(queue, unit);
  unit.data.fill(0);
  const copy = queue.shift();
  assert.deepEqual([copy?.dtsUs, copy?.ptsUs, copy?.data[0], copy?.kept], [1_000, 2_000, 7, false]);
  assert.ok((copy?.data.byteOffset ?? 0) >= ACCESS_UNIT_HEADROOM);
  assert.deepEqual([queue.isEmpty, queue.byteLength, queue.ms], [true, 0, 0]);
});

test('nothing is taken before the first random access picture, and that is no loss', () => {
  const queue = new SinkQueue();
  offerAll(queue, 'aPPaIPa');
  assert.deepEqual(drain(queue), [4, 5, 6]);
  assert.equal(queue.droppedUnits, 0);
});

/** mediamtx#5162, #4651, #2320, #2333, #5093: grey pictures on a slow uplink. */
test('too many bytes: the oldest GOP goes, its audio with it', () => {
  const queue = new SinkQueue(4 * cost(100) + 4 * 356);
  offerAll(queue, 'IaPaIaPa');
  assert.equal(queue.droppedGops, 0);
  offer(queue, videoUnit({ dtsUs: 320_000, fill: 8, byteLength: 100, randomAccess: false }));
  assert.deepEqual(drain(queue), [4, 5, 6, 7, 8]);
  assert.deepEqual([queue.droppedGops, queue.droppedUnits], [1, 4]);
});

test('too many milliseconds: the same', () => {
  const queue = new SinkQueue(undefined, 200);
  offerAll(queue, 'IPPIPPP');
  assert.equal(queue.ms, 120);
  assert.deepEqual(drain(queue), [3, 4, 5, 6]);
});

test('of a GOP that has begun to leave, the rest goes', () => {
  const queue = new SinkQueue(4 * cost(100));
  offerAll(queue, 'IPPI');
  assert.equal(queue.shift()?.data[0], 0);
  offerAll(queue, 'IP');
  assert.deepEqual(drain(queue), [3, 0, 1]);
  assert.deepEqual([queue.droppedGops, queue.droppedUnits], [1, 2]);
});

test('a GOP that does not fit by itself goes whole, and what follows of it when it comes', () => {
  const queue = new SinkQueue(3 * cost(100));
  offerAll(queue, 'IPPPPaIP');
  assert.deepEqual(drain(queue), [6, 7]);
  assert.deepEqual([queue.droppedGops, queue.droppedUnits], [1, 6]);
});

test('a GOP longer than the queue costs itself, not the one after it', () => {
  const queue = new SinkQueue(undefined, 100);
  offerAll(queue, 'IPPPPI');
  assert.deepEqual(drain(queue), [5]);
});

test('a picture larger than the queue is dropped with its GOP', () => {
  const queue = new SinkQueue(10_000);
  offer(queue, videoUnit({ byteLength: 20_000 }));
  offer(queue, videoUnit({ randomAccess: false }));
  assert.deepEqual([queue.isEmpty, queue.droppedGops, queue.droppedUnits], [true, 1, 2]);
  offer(queue, videoUnit());
  assert.equal(queue.isEmpty, false);
});

test('without video the oldest frames go, one by one', () => {
  const queue = new SinkQueue(3 * 356);
  queue.restart(false);
  offerAll(queue, 'aaaaa');
  assert.deepEqual(drain(queue), [2, 3, 4]);
  assert.equal(queue.droppedUnits, 2);
});

test('a source that returns begins at a random access picture; what waits stays', () => {
  const queue = new SinkQueue();
  offerAll(queue, 'IP');
  queue.restart(true);
  offerAll(queue, 'PaI');
  assert.deepEqual(drain(queue), [0, 1, 2]);
});

test('a session that ends leaves nothing behind', () => {
  const queue = new SinkQueue();
  offerAll(queue, 'IP');
  queue.clear();
  assert.deepEqual([queue.isEmpty, queue.byteLength, queue.shift()], [true, 0, undefined]);
  offerAll(queue, 'P');
  assert.equal(queue.isEmpty, true);
});

test('whatever happens, memory is bounded and what leaves can be decoded', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('I', 'P', 'P', 'P', 'a'),
        bytes: fc.nat(3_000),
        stepMs: fc.integer({ min: -50, max: 150 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ shifts: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  );
  const bounds = fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 1_000 }));
  fc.assert(
    fc.property(bounds, fc.array(step, { maxLength: 80 }), ([maxBytes, maxMs], steps) => {
      const queue = new SinkQueue(maxBytes, maxMs);
      const offered: AccessUnit[] = [];
      const left: AccessUnit[] = [];
      let dtsUs = 0;
      for (const one of steps) {
        if (one === 'restart') queue.restart(true);
        else if ('shifts' in one) {
          for (let count = 0; count < one.shifts; count += 1) {
            const unit = queue.shift();
            if (unit !== undefined) left.push(unit);
          }
        } else {
          dtsUs += one.stepMs * 1000;
          // Its place in the order of all units, where no byte of data can be wrong.
          const place = { ptsUs: offered.length, dtsUs, byteLength: one.bytes };
          const unit =
            one.kind === 'a'
              ? audioUnit(place)
              : videoUnit({ ...place, randomAccess: one.kind === 'I' });
          offered.push(unit);
          offer(queue, unit);
        }
        assert.ok(queue.byteLength <= maxBytes);
      }
      for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) left.push(unit);
      assert.equal(queue.byteLength, 0);
      assertDecodable(offered, left);
    }),
    { numRuns: 300 },
  );
});

/** Each picture that left has every picture since its random access point before it, in order. */
function assertDecodable(offered: readonly AccessUnit[], left: readonly AccessUnit[]): void {
  const leftPlaces = left.map((unit) => unit.ptsUs);
  assert.deepEqual(
    leftPlaces,
    [...leftPlaces].sort((a, b) => a - b),
  );
  const places = new Set(leftPlaces);
  for (const unit of left) {
    if (unit.track.kind !== 'video') continue;
    for (let place = unit.ptsUs; ; place -= 1) {
      const before = offered[place];
      assert.ok(before !== undefined, 'a picture without a random access point left');
      if (before.track.kind !== 'video') continue;
      assert.ok(places.has(place), `picture ${unit.ptsUs} left without ${place}`);
      if (before.randomAccess) break;
    }
  }
}
