import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { nalUnitType } from '../../../codecs/h264/nal-unit.ts';
import { nalUnits } from '../../../codecs/nal-units.ts';
import { PatternSource } from '../../../gateway/demo/pattern-source.ts';
import { VirtualHead } from '../../../gateway/demo/virtual-head.ts';

test('25 pictures a second by its own clock, a keyframe every two, few bytes', (t) => {
  const clock = fakeClock(t);
  const seen: { dtsUs: number; randomAccess: boolean; types: number[]; bytes: number }[] = [];
  const source = sourceOf((unit) => seen.push(describeUnit(unit)));
  source.start();
  clock.pass(4000 - 1);
  source.stop();
  assert.equal(seen.length, 100);
  for (const [at, { dtsUs, randomAccess, types }] of seen.entries()) {
    assert.equal(dtsUs, at * 40_000);
    assert.equal(randomAccess, at % 50 === 0);
    assert.deepEqual(types, randomAccess ? [7, 8, 5] : [1]);
  }
  const kbps = (seen.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / 4000;
  assert.ok(kbps < 100, `${kbps} kbit/s`);
});

test('a machine that slept goes on where it is now', (t) => {
  const clock = fakeClock(t);
  const times: number[] = [];
  const source = sourceOf(({ dtsUs }) => times.push(dtsUs));
  source.start();
  clock.sleep(60_000);
  clock.pass(100);
  source.stop();
  assert.deepEqual(times.slice(0, 2), [0, 40_000]);
  assert.ok(times.at(-1)! >= 60_000_000, `${times}`);
  assert.ok(times.length < 10, 'what was slept through is not shown');
});

test('what moves is told, and only then', (t) => {
  const clock = fakeClock(t);
  const told: [boolean, number][] = [];
  let pictures = 0;
  const count = () => {
    pictures += 1;
  };
  const source = sourceOf(count, (isMoving) => told.push([isMoving, pictures]));
  source.start();
  clock.pass(18_000);
  source.stop();
  assert.deepEqual(told, [
    [true, 0],
    [false, 125],
    [true, 200],
    [false, 325],
    [true, 400],
  ]);
});

function sourceOf(
  write: (unit: AccessUnit) => void,
  onMotion: (isMoving: boolean) => void = () => undefined,
): PatternSource {
  const sink = { start: () => undefined, write, stop: () => undefined };
  return new PatternSource(sink, new VirtualHead(), onMotion);
}

function describeUnit({ dtsUs, randomAccess, data }: AccessUnit) {
  const types = [...nalUnits(data)].map(([first = 0]) => nalUnitType(first));
  return { dtsUs, randomAccess, types, bytes: data.length };
}

function fakeClock(t: { after: (work: () => void) => void }) {
  let nowMs = 5000;
  mock.method(performance, 'now', () => nowMs);
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
  return {
    pass: (ms: number) => {
      for (let passed = 0; passed < ms; passed += 1) {
        nowMs += 1;
        mock.timers.tick(1);
      }
    },
    sleep: (ms: number) => {
      nowMs += ms;
    },
  };
}
