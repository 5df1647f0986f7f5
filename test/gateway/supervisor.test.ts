import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AuthenticationError } from '../../codecs/errors.ts';
import { AttemptBudget } from '../../gateway/attempt-budget.ts';
import { explain } from '../../gateway/causes.ts';
import { type SupervisedState, Supervisor } from '../../gateway/supervisor.ts';

/** Lets promises that are ready settle; real time, since only timers are faked. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function supervise(
  t: TestContext,
  run: (signal: AbortSignal, up: () => void) => Promise<void>,
): { states: SupervisedState[]; supervisor: Supervisor; now: () => number } {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const states: SupervisedState[] = [];
  const now = () => Date.now();
  const supervisor = new Supervisor(
    {
      run,
      explain: (error) => explain(error, 'The camera', 'camera'),
      changed: (state) => states.push(state),
    },
    { budget: new AttemptBudget(1000, 1000, now), now, random: () => 0.999_999 },
  );
  return { states, supervisor, now };
}

/** go2rtc#257: not when the first try fails; node-rtsp-stream#84. */
test('it tries for ever with doubling waits up to the maximum, the first connect included', async (t) => {
  let attempts = 0;
  const { states, supervisor } = supervise(t, async () => {
    attempts += 1;
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  });
  const stop = new AbortController();
  const done = supervisor.run(stop.signal);
  const waits: number[] = [];
  for (let turn = 0; turn < 8; turn += 1) {
    await settle();
    const state = states.at(-1);
    assert.ok(state?.at === 'waiting');
    waits.push(Math.round((state.retryAtMs - Date.now()) / 1000));
    t.mock.timers.tick(30_000);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
  assert.equal(attempts, 8);
  stop.abort();
  await done;
});

test('after three refused logins it holds for ten minutes', async (t) => {
  const { states, supervisor } = supervise(t, async () => {
    throw new AuthenticationError('401 Unauthorized', true);
  });
  const stop = new AbortController();
  const done = supervisor.run(stop.signal);
  const waits: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    await settle();
    const state = states.at(-1);
    assert.ok(state?.at === 'waiting' && state.cause.code === 'auth');
    waits.push(Math.round((state.retryAtMs - Date.now()) / 1000));
    t.mock.timers.tick(600_000);
  }
  assert.deepEqual(waits, [30, 135, 600, 600]);
  stop.abort();
  await done;
});

test('after a stable minute the waits start small again; a short success does not reset them', async (t) => {
  const upTimes = [0, 5_000, 61_000];
  let attempt = 0;
  const { states, supervisor } = supervise(t, async (_signal, up) => {
    up();
    const upMs = upTimes[attempt] ?? 0;
    attempt += 1;
    await new Promise((resolve) => setTimeout(resolve, upMs));
  });
  const stop = new AbortController();
  const done = supervisor.run(stop.signal);
  for (let second = 0; second < 75; second += 1) {
    await settle();
    t.mock.timers.tick(1_000);
  }
  await settle();
  const attempts = states.flatMap((state) => (state.at === 'waiting' ? [state.attempts] : []));
  assert.deepEqual(attempts.slice(0, 3), [1, 2, 1]);
  stop.abort();
  t.mock.timers.tick(61_000);
  await done;
});

test('wake ends a wait at once', async (t) => {
  let attempts = 0;
  const { supervisor } = supervise(t, async () => {
    attempts += 1;
    throw new Error('no');
  });
  const stop = new AbortController();
  const done = supervisor.run(stop.signal);
  await settle();
  assert.equal(attempts, 1);
  supervisor.wake();
  await settle();
  assert.equal(attempts, 2);
  stop.abort();
  await done;
});

test('abort during an attempt is not a failure', async (t) => {
  const { states, supervisor } = supervise(
    t,
    (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const stop = new AbortController();
  const done = supervisor.run(stop.signal);
  await settle();
  stop.abort();
  await done;
  assert.deepEqual(
    states.map((state) => state.at),
    ['connecting'],
  );
});

test('the budget spreads attempts out in order of arrival', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const budget = new AttemptBudget(2, 2, () => Date.now());
  const began: number[] = [];
  const { signal } = new AbortController();
  for (let n = 0; n < 6; n += 1) void budget.take(signal).then(() => began.push(Date.now()));
  await settle();
  assert.equal(began.length, 2);
  for (let turn = 0; turn < 4; turn += 1) {
    t.mock.timers.tick(500);
    await settle();
  }
  assert.deepEqual(began, [0, 0, 500, 1000, 1500, 2000]);
});
