import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  DIRECTIONS,
  directionOfKey,
} from '../../../../../gateway/http/dashboard/camera/ptz-keys.ts';
import { PtzMover } from '../../../../../gateway/http/dashboard/camera/ptz-mover.ts';

const { right, up, left } = DIRECTIONS;

/** A gateway that answers when the test says so. */
class Bench {
  readonly asked: string[] = [];
  readonly failures: unknown[] = [];
  /** The calls that wait for an answer, the oldest first. */
  readonly open: { resolve: (data?: unknown) => void; reject: (error: Error) => void }[] = [];
  tick: (() => void) | undefined;
  readonly mover = new PtzMover({
    ask: (args) => {
      const { action, pan, tilt, zoom, timeoutMs } = args;
      this.asked.push(action === 'move' ? `${pan} ${tilt} ${zoom} ${timeoutMs}` : String(action));
      return new Promise((resolve, reject) => this.open.push({ resolve, reject }));
    },
    failed: (error) => this.failures.push(error),
    every: (_, callback) => {
      this.tick = callback;
      return () => {
        this.tick = undefined;
      };
    },
  });

  async answer(error?: Error): Promise<void> {
    const call = this.open.shift();
    if (error === undefined) call?.resolve();
    else call?.reject(error);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

describe('a head moves as long as it is held', () => {
  test('asked for at once and again; let go of, stopped at once', async () => {
    const bench = new Bench();
    bench.mover.hold('a', right);
    await bench.answer();
    bench.tick?.();
    await bench.answer();
    bench.mover.release('a');
    assert.deepEqual(bench.asked, ['0.5 0 0 2000', '0.5 0 0 2000', 'stop']);
    assert.equal(bench.tick, undefined);
  });

  test('a slow gateway is not asked twice, and the stop does not wait for it', () => {
    const bench = new Bench();
    bench.mover.hold('a', right);
    bench.tick?.();
    bench.tick?.();
    bench.mover.release('a');
    assert.deepEqual(bench.asked, ['0.5 0 0 2000', 'stop']);
  });

  test('after the stop nothing moves it again, however late an answer is', async () => {
    const bench = new Bench();
    bench.mover.hold('a', right);
    bench.mover.hold('b', up);
    bench.mover.releaseAll();
    await bench.answer();
    await bench.answer();
    assert.deepEqual(bench.asked, ['0.5 0 0 2000', 'stop']);
  });

  test('two keys make a diagonal, against each other nothing; the newest wish is asked for next', async () => {
    const bench = new Bench();
    bench.mover.speed = 1;
    bench.mover.hold('a', right);
    bench.mover.hold('b', up);
    await bench.answer();
    assert.deepEqual(bench.asked, ['1 0 0 2000', '1 1 0 2000']);
    await bench.answer();
    bench.mover.hold('c', left);
    assert.equal(bench.asked.at(-1), '0 1 0 2000');
    await bench.answer();
    bench.mover.release('a');
    assert.equal(bench.asked.at(-1), '-1 1 0 2000');
    bench.mover.release('b');
    bench.mover.release('c');
    await bench.answer();
    assert.equal(bench.asked.at(-1), 'stop');
  });

  test('what is refused is said once and not asked again', async () => {
    const bench = new Bench();
    bench.mover.hold('a', right);
    await bench.answer(new Error('it cannot be moved'));
    assert.equal(bench.tick, undefined);
    assert.deepEqual(bench.failures.map(String), ['Error: it cannot be moved']);
    bench.mover.release('a');
    assert.deepEqual(bench.asked, ['0.5 0 0 2000', 'stop']);
  });

  test('a stop that did not arrive is tried again, and then said', async () => {
    const bench = new Bench();
    bench.mover.hold('a', right);
    await bench.answer();
    bench.mover.release('a');
    await bench.answer(new Error('timeout'));
    assert.deepEqual(bench.asked, ['0.5 0 0 2000', 'stop', 'stop']);
    assert.equal(bench.failures.length, 0);
    await bench.answer(new Error('timeout'));
    assert.equal(bench.failures.length, 1);
  });

  test('held twice is held once; what was not held is not let go of', () => {
    const bench = new Bench();
    bench.mover.release('a');
    bench.mover.releaseAll();
    bench.mover.hold('a', right);
    bench.mover.hold('a', right);
    assert.deepEqual(bench.asked, ['0.5 0 0 2000']);
  });
});

test('keys', () => {
  const names = ['ArrowUp', '+', '=', '-', 'Enter', 'a'].map(directionOfKey);
  assert.deepEqual(names, ['up', 'zoom-in', 'zoom-in', 'zoom-out', undefined, undefined]);
});
