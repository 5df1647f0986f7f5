import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ClockGroup, describeDrift, SourceClock } from '../../codecs/source-clock.ts';

const FRAME_MS = 40;

/** A camera and the network between it and us: units at `sourceUs`, `arrivalMs`. */
class Camera {
  readonly clock: SourceClock;
  nowMs = 1_000_000;
  sourceUs = 0;
  readonly out: number[] = [];

  constructor(group?: ClockGroup, isReordered = true) {
    this.clock = new SourceClock(isReordered, group);
  }

  /** One unit: the source's clock has gone on by `sourceMs`, ours by `passedMs`. */
  unit(sourceMs = FRAME_MS, passedMs = sourceMs, delayMs = 0): number {
    this.sourceUs += sourceMs * 1000;
    this.nowMs += passedMs;
    const outUs = this.clock.place(this.sourceUs, this.nowMs + delayMs);
    this.out.push(outUs);
    return outUs;
  }

  run(seconds: number, clockPace = 1, delayMs: () => number = () => 0): void {
    const untilMs = this.nowMs + seconds * 1000;
    while (this.nowMs < untilMs) this.unit(FRAME_MS * clockPace, FRAME_MS, delayMs());
  }

  /** How far published time is ahead of arrival, against the beginning. */
  get aheadMs(): number {
    return (this.out.at(-1) ?? 0) / 1000 - (this.nowMs - 1_000_000);
  }
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('what is right stays as it is, to the microsecond', () => {
  const random = seeded(7);
  const rows: readonly (readonly [string, (camera: Camera) => void])[] = [
    ['a clock that is right', (camera) => camera.run(200)],
    ['jitter of 300 ms', (camera) => camera.run(200, 1, () => random() * 300)],
    ['a clock 1 % slow', (camera) => camera.run(300, 0.99)],
    ['a clock 1 % fast', (camera) => camera.run(300, 1.01)],
    [
      'five seconds in store, sent at once at the beginning',
      (camera) => {
        for (let n = 0; n < 125; n += 1) camera.unit(FRAME_MS, 0);
        camera.run(200);
      },
    ],
    [
      'a network that stalls for ten seconds and catches up, again and again',
      (camera) => {
        for (let round = 0; round < 8; round += 1) {
          camera.run(20);
          camera.unit(FRAME_MS, 10_000);
          for (let n = 0; n < 249; n += 1) camera.unit(FRAME_MS, 0);
        }
      },
    ],
    [
      'a burst of a picture every two seconds, after a stall',
      (camera) => {
        for (let n = 0; n < 30; n += 1) camera.unit(2000, 2000);
        camera.unit(2000, 12_000);
        for (let n = 0; n < 5; n += 1) camera.unit(2000, 0);
        for (let n = 0; n < 30; n += 1) camera.unit(2000, 2000);
      },
    ],
    [
      'a camera that sends nothing while nothing moves',
      (camera) => {
        for (let round = 0; round < 20; round += 1) {
          camera.run(3);
          camera.unit(7000, 7000);
        }
      },
    ],
    [
      'a delay that grows for half a minute and stays',
      (camera) => {
        camera.run(60);
        camera.run(30, 0.95);
        camera.run(120);
      },
    ],
    [
      'B-frames',
      (camera) => {
        for (let n = 0; n < 2000; n += 1) {
          for (const step of [120, -80, 40]) camera.unit(step, FRAME_MS);
          camera.unit(40, 0);
        }
      },
    ],
    [
      'B-frames, and stalls between a picture and those that are shown before it',
      (camera) => {
        const mini = (passedMs: number, stalls: readonly number[] = []) => {
          for (const [index, step] of [160, -80, 40].entries())
            camera.unit(step, passedMs + (stalls[index] ?? 0));
        };
        for (let round = 0; round < 20; round += 1) {
          for (let n = 0; n < 50; n += 1) mini(FRAME_MS);
          mini(0, round % 2 === 0 ? [0, 1680, 0] : [0, 0, 1680]);
          for (let n = 0; n < 13; n += 1) mini(0);
        }
      },
    ],
    ['a recording sent as fast as it goes', (camera) => camera.run(100, 20)],
  ];
  for (const [name, play] of rows) {
    test(name, () => {
      const camera = new Camera();
      const sources: number[] = [];
      const { clock } = camera;
      const place = clock.place.bind(clock);
      clock.place = (sourceUs, arrivalMs) => {
        sources.push(sourceUs);
        return place(sourceUs, arrivalMs);
      };
      play(camera);
      assert.deepEqual(camera.out, sources);
      assert.equal(clock.jumps, 0);
      assert.equal(clock.correctedDrift, undefined);
    });
  }
});

describe('jumps', () => {
  const HOUR_MS = 3_600_000;
  for (const [name, jumpMs, gapMs] of [
    ['an NTP step of two seconds forward', 2000, FRAME_MS],
    ['an NTP step of two seconds back', -2000, FRAME_MS],
    ['an hour forward', HOUR_MS, FRAME_MS],
    ['an hour back', -HOUR_MS, FRAME_MS],
    ['years, by an encoder that restarted for three seconds (frigate#7720)', 1e11, 3000],
    ['back to 0 after three seconds', -60_000, 3000],
  ] as const) {
    test(`${name}: goes on by the arrival gap`, () => {
      const camera = new Camera();
      camera.run(60);
      const before = camera.out.at(-1) ?? 0;
      assert.equal(camera.unit(jumpMs, gapMs), before + gapMs * 1000);
      assert.equal(camera.unit(), before + (gapMs + FRAME_MS) * 1000);
      assert.equal(camera.clock.jumps, 1);
    });
  }

  test('right at the beginning: the cached picture that some cameras send first', () => {
    const camera = new Camera();
    camera.unit(0, 0);
    assert.equal(camera.unit(3200, 20), 20_000);
    assert.equal(camera.unit(), 60_000);
  });

  test('within a burst: by the length of a unit, not by nothing', () => {
    const camera = new Camera();
    camera.run(5);
    const before = camera.out.at(-1) ?? 0;
    assert.equal(camera.unit(-3000, 0), before + FRAME_MS * 1000);
  });

  test('among B-frames: behind the last picture shown', () => {
    const camera = new Camera();
    for (const step of [0, 120, -80, 40]) camera.unit(step, FRAME_MS);
    assert.equal(camera.unit(-9000, FRAME_MS), 120_000 + 40_000);
  });

  test('every second: time goes on with arrival (one-second segments, frigate#7720, #8007, #6715, #9661, #3672)', () => {
    const camera = new Camera();
    for (let round = 0; round < 100; round += 1) {
      for (let n = 0; n < 25; n += 1) camera.unit();
      camera.unit(round % 2 === 0 ? 5000 : -7000, FRAME_MS);
    }
    assert.ok(Math.abs(camera.aheadMs) <= FRAME_MS, String(camera.aheadMs));
  });

  test('audio never goes back, not even a little', () => {
    const camera = new Camera(undefined, false);
    camera.run(1);
    const before = camera.out.at(-1) ?? 0;
    assert.equal(camera.unit(-50, FRAME_MS), before);
    assert.equal(camera.unit(-400, FRAME_MS), before + FRAME_MS * 1000);
  });
});

describe('two tracks of one camera', () => {
  function pair(): { video: Camera; audio: Camera } {
    const group = new ClockGroup();
    return { video: new Camera(group), audio: new Camera(group, false) };
  }

  test('jump a few packets apart, and stay as aligned as they were', () => {
    const { video, audio } = pair();
    for (let n = 0; n < 500; n += 1) {
      video.unit();
      audio.unit();
    }
    video.unit(90_000, FRAME_MS, 70);
    for (let n = 0; n < 5; n += 1) {
      audio.unit();
      video.unit();
    }
    audio.unit(90_000, FRAME_MS, 20);
    for (let n = 0; n < 50; n += 1) audio.unit();
    for (let n = 0; n < 50 - 0; n += 1) video.unit();
    const apartUs = video.sourceUs - audio.sourceUs;
    assert.equal((video.out.at(-1) ?? 0) - (audio.out.at(-1) ?? 0), apartUs);
  });

  test('jump by different amounts: each goes on from arrival', () => {
    const { video, audio } = pair();
    for (let n = 0; n < 500; n += 1) {
      video.unit();
      audio.unit();
    }
    video.unit(90_000, FRAME_MS);
    audio.unit(-2_000_000, FRAME_MS);
    assert.equal(video.aheadMs, audio.aheadMs);
  });

  /** P, then the three B-frames that are shown before it. */
  const PYRAMID = [0, 120, 40, 80];

  for (const byMs of [200, 500, 900]) {
    for (const first of ['video', 'audio'] as const) {
      for (const order of [[0], PYRAMID]) {
        const frames = order.length > 1 ? 'B-frames' : 'no B-frames';
        test(`an NTP step of ${byMs} ms back, ${first} first, ${frames}: the picture follows the sound`, () => {
          const { video, audio } = pair();
          let n = 0;
          const both = (count: number, stepMs: number, lagging = 0) => {
            for (const until = n + count; n < until; n += 1) {
              const atMs = n * FRAME_MS;
              const nowMs = 1_000_000 + atMs;
              const shownMs = atMs - (n % order.length) * FRAME_MS + (order[n % order.length] ?? 0);
              const sourceMs = (track: string) => (track === first ? stepMs : stepMs - lagging);
              video.out.push(video.clock.place((shownMs - sourceMs('video')) * 1000, nowMs));
              audio.out.push(audio.clock.place((atMs - sourceMs('audio')) * 1000, nowMs));
            }
          };
          both(1000, 0);
          both(5, byMs, byMs);
          both(100, byMs);
          const apartMs = ((video.out.at(-1) ?? 0) - (audio.out.at(-1) ?? 0)) / 1000;
          const usualMs = ((video.out[999] ?? 0) - (audio.out[999] ?? 0)) / 1000;
          assert.ok(Math.abs(apartMs - usualMs) <= 2 * FRAME_MS, `${apartMs} ms, not ${usualMs}`);
          assert.equal(video.clock.jumps, 1);
        });
      }
    }
  }

  test('a step back of the sound alone leaves the picture', () => {
    const { video, audio } = pair();
    const both = () => {
      for (let n = 0; n < 500; n += 1) {
        video.unit();
        audio.unit();
      }
    };
    both();
    audio.unit(-460, FRAME_MS);
    video.unit();
    both();
    assert.deepEqual([video.clock.jumps, audio.clock.jumps], [0, 1]);
    assert.ok(Math.abs(video.aheadMs - audio.aheadMs) <= FRAME_MS);
  });

  test('one that restarts without counting the time it was away catches up with the other', () => {
    const { video, audio } = pair();
    const both = (seconds: number) => {
      for (let n = 0; n < seconds * 25; n += 1) {
        video.unit();
        audio.unit();
      }
    };
    both(60);
    video.unit(FRAME_MS, 4000);
    for (let n = 0; n < 100; n += 1) audio.unit();
    both(40);
    assert.ok(Math.abs(video.aheadMs - audio.aheadMs) <= FRAME_MS, String(video.aheadMs));
    assert.equal(video.clock.jumps, 1);
    assert.equal(audio.clock.jumps, 0);
  });

  test('a network that delays both for good is no reason to touch either', () => {
    const { video, audio } = pair();
    const both = (seconds: number) => {
      for (let n = 0; n < seconds * 25; n += 1) {
        video.unit();
        audio.unit();
      }
    };
    both(60);
    for (const track of [video, audio]) track.unit(FRAME_MS, 4000);
    both(60);
    assert.equal(video.clock.jumps + audio.clock.jumps, 0);
  });
});

describe('clocks that run wrong', () => {
  for (const [name, pace, drift] of [
    ['25 fps stamped, 21 shipped (open-nvr#229)', 21 / 25, -0.16],
    ['3 % slow', 0.97, -0.03],
    ['3 % fast', 1.03, 0.03],
    ['16 % fast', 1.16, 0.16],
    ['half the ticks (a clock rate that is not meant)', 0.5, -0.5],
    ['twice the ticks', 2, 1],
    ['milliseconds for ticks of 90 kHz', 1 / 90, -0.989],
  ] as const) {
    test(`${name}: measured, followed, caught up with, and told`, () => {
      const random = seeded(3);
      const camera = new Camera();
      camera.run(12, pace, () => random() * 80);
      assert.ok(Math.abs((camera.clock.drift ?? 0) - drift) < 0.02, 'a first figure');
      camera.run(60, pace, () => random() * 80);
      assert.ok(Math.abs((camera.clock.correctedDrift ?? 0) - drift) < 0.005);
      const lostMs = camera.aheadMs;
      assert.ok(Math.abs(lostMs) < Math.abs(drift) * 75_000);
      camera.run(1200, pace, () => random() * 80);
      assert.ok(Math.abs(camera.aheadMs) < 300, `${camera.aheadMs} ms after ${lostMs} ms`);
      for (const [index, outUs] of camera.out.entries()) {
        const before = index === 0 ? -1 : (camera.out[index - 1] ?? 0);
        assert.ok(outUs > before && outUs - before < 3 * FRAME_MS * 1000);
      }
    });
  }

  test('one that is right again is left alone again', () => {
    const camera = new Camera();
    camera.run(100, 0.84);
    camera.run(600);
    const before = camera.out.at(-1) ?? 0;
    for (let n = 1; n <= 100; n += 1) {
      assert.equal(camera.unit(), before + n * FRAME_MS * 1000);
    }
    assert.ok(Math.abs(camera.aheadMs) < 300);
  });

  test('one that changes its mind is followed', () => {
    const camera = new Camera();
    for (const pace of [0.84, 1.1, 0.9]) camera.run(900, pace);
    assert.ok(Math.abs(camera.aheadMs) < 300, String(camera.aheadMs));
  });

  for (const isReordered of [true, false]) {
    test(`one that stands still is not asked; ${isReordered ? 'pictures' : 'sounds'}`, () => {
      const camera = new Camera(undefined, isReordered);
      const units = 25 * 200;
      for (let n = 0; n < units; n += 1) camera.unit(0, FRAME_MS);
      assert.ok(camera.out.every(Number.isSafeInteger));
      assert.ok(camera.clock.hasStopped);
      assert.ok(Math.abs(camera.aheadMs) < 1_100, `${camera.aheadMs} ms`);
      const moved = camera.out.slice(1).filter((outUs, index) => outUs > (camera.out[index] ?? 0));
      assert.ok(moved.length > units - 30);
      // And when it moves again, so do the times.
      const before = camera.out.at(-1) ?? 0;
      assert.equal(camera.unit(), before + FRAME_MS * 1000);
    });
  }

  test('in plain words', () => {
    assert.equal(
      describeDrift(-0.1602),
      'its clock runs 16 % slow; times are corrected from arrival',
    );
    assert.match(describeDrift(0.034), /3 % fast/);
  });
});

test('a shift moves what comes', () => {
  const clock = new SourceClock(true);
  assert.equal(clock.place(0, 0), 0);
  clock.shift(500_000);
  assert.equal(clock.locate(40_000), 540_000);
  assert.equal(clock.place(40_000, 40), 540_000);
});

test('whatever comes: never back beyond reordering, never an error, never far from arrival', () => {
  const steps = fc.array(
    fc.record({
      sourceMs: fc.oneof(
        { weight: 8, arbitrary: fc.constant(FRAME_MS) },
        { weight: 1, arbitrary: fc.integer({ min: -1e12, max: 1e12 }) },
        { weight: 1, arbitrary: fc.integer({ min: -3000, max: 3000 }) },
      ),
      passedMs: fc.oneof(
        { weight: 8, arbitrary: fc.constant(FRAME_MS) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 30_000 }) },
      ),
    }),
    { minLength: 1, maxLength: 400 },
  );
  fc.assert(
    fc.property(steps, fc.boolean(), (made, isReordered) => {
      const camera = new Camera(undefined, isReordered);
      let highestUs = Number.NEGATIVE_INFINITY;
      let passedUs = 0;
      for (const { sourceMs, passedMs } of made) {
        const outUs = camera.unit(sourceMs, passedMs);
        assert.ok(Number.isSafeInteger(outUs));
        passedUs += passedMs * 1000;
        assert.ok(outUs >= highestUs - (isReordered ? 1_000_000 : 0));
        highestUs = Math.max(highestUs, outUs);
      }
      // Each unit gains at most what counts as no jump.
      const firstUs = camera.out[0] ?? 0;
      assert.ok(highestUs - firstUs <= passedUs + made.length * 1_200_000);
    }),
    { numRuns: 300 },
  );
});
