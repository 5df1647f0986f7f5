import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriftMeter } from '../../codecs/drift-meter.ts';

const FRAME_US = 40_000;

class Source {
  readonly meter = new DriftMeter();
  sourceUs = 0;
  arrivalUs = 5_000_000;

  run(seconds: number, pace: number): this {
    const frames = Math.round((seconds * 1_000_000) / FRAME_US);
    for (let n = 0; n < frames; n += 1) {
      this.sourceUs += FRAME_US * pace;
      this.arrivalUs += FRAME_US;
      this.meter.note(this.sourceUs, this.arrivalUs);
    }
    return this;
  }

  silence(seconds: number): this {
    this.arrivalUs += seconds * 1_000_000;
    return this;
  }
}

test('nothing is known before ten seconds; then a first figure; after a minute a certain one', () => {
  const source = new Source().run(9, 0.84);
  assert.equal(source.meter.drift, undefined);
  source.run(4, 0.84);
  assert.ok(Math.abs((source.meter.drift ?? 0) + 0.16) < 0.01);
  assert.equal(source.meter.steadyDrift, undefined);
  source.run(52, 0.84);
  assert.ok(Math.abs((source.meter.steadyDrift ?? 0) + 0.16) < 0.001);
});

test('a single event is no steady drift, however large', () => {
  const source = new Source().run(30, 1).silence(9).run(40, 1);
  assert.ok(Math.abs(source.meter.drift ?? 0) > 0.02);
  assert.equal(source.meter.steadyDrift, undefined);
});

test('what was lost once and not caught up with is told after twenty seconds', () => {
  const source = new Source().run(40, 1).silence(4).run(16, 1);
  assert.equal(source.meter.fallenBehindUs, 0);
  source.run(8, 1);
  assert.equal(source.meter.fallenBehindUs, 4_000_000);
});

test('a clock that runs slow has not lost time once', () => {
  assert.equal(new Source().run(100, 0.9).meter.fallenBehindUs, 0);
});

test('hours of silence cost nothing and leave nothing', () => {
  const source = new Source().run(70, 0.84).silence(36_000).run(8, 1);
  assert.equal(source.meter.drift, undefined);
  assert.equal(source.meter.steadyDrift, undefined);
});
