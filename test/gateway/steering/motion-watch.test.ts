import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { AttemptBudget } from '../../../gateway/attempt-budget.ts';
import { MotionWatch } from '../../../gateway/steering/motion-watch.ts';
import { type Behaviour, FakeControls } from '../../support/fake-camera.ts';
import { collectingLog } from '../../support/reporting.ts';

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function watched(t: TestContext, behave?: Behaviour) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const now = () => Date.now();
  const controls = new FakeControls(behave);
  const told: string[] = [];
  const notes: (string | undefined)[] = [];
  const watch: MotionWatch = new MotionWatch(controls, 'The camera yard', {
    budget: new AttemptBudget(1000, 1000, now),
    now,
    random: () => 0.999_999,
    log: collectingLog().log,
    tell: (motion) => told.push(motion),
    changed: () => notes.push(watch.note),
  });
  const online = new AbortController();
  const running = watch.run(online.signal);
  await settle();
  return {
    controls,
    told,
    notes,
    tick: async (ms: number) => {
      t.mock.timers.tick(ms);
      await settle();
    },
    end: async () => {
      online.abort(new Error('away'));
      await running;
    },
  };
}

test('a subscription that faults is made anew, for ever and patiently; what it told stands', async (t) => {
  const { controls, told, notes, tick, end } = await watched(t);
  controls.tellMotion?.(true);
  const waits = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
  for (const [n, waitMs] of waits.entries()) {
    controls.endMotion?.(new ProtocolError('ONVIF_REPLY', 'pull point is gone'));
    await settle();
    await tick(waitMs - 1);
    assert.equal(controls.asked.length, n + 1);
    await tick(1);
    assert.equal(controls.asked.length, n + 2);
  }
  assert.deepEqual(told, ['ON']);
  controls.tellMotion?.(false);
  assert.deepEqual(told, ['ON', 'OFF']);
  assert.deepEqual(notes, []);
  await end();
});

test('an end that was lost: the camera is asked anew after five minutes, and then it is OFF', async (t) => {
  const { controls, told, tick, end } = await watched(t);
  controls.tellMotion?.(true);
  await tick(5 * 60_000 - 1);
  assert.equal(controls.asked.length, 1);
  await tick(1);
  await tick(500);
  assert.equal(controls.asked.length, 2, 'subscribed to anew');
  await tick(14_499);
  assert.deepEqual(told, ['ON']);
  await tick(1);
  assert.deepEqual(told, ['ON', 'OFF']);
  await tick(10 * 60_000);
  assert.equal(controls.asked.length, 2);
  await end();
});

test('a motion that goes on for long: the camera says so again, and it stays ON', async (t) => {
  const { controls, told, tick, end } = await watched(t);
  controls.tellMotion?.(true);
  for (let times = 0; times < 3; times += 1) {
    await tick(5 * 60_000);
    await tick(500);
    assert.equal(controls.asked.length, times + 2);
    controls.tellMotion?.(true);
  }
  assert.ok(!told.includes('OFF'));
  controls.tellMotion?.(false);
  assert.equal(told.at(-1), 'OFF');
  await end();
});

test('an end that was lost, and the camera cannot be asked: OFF all the same', async (t) => {
  let isAway = false;
  const away = Object.assign(new Error('x'), { code: 'EHOSTUNREACH' });
  const { controls, told, tick, end } = await watched(t, () =>
    isAway ? Promise.reject(away) : undefined,
  );
  controls.tellMotion?.(true);
  isAway = true;
  await tick(5 * 60_000);
  await tick(15_000);
  assert.deepEqual(told, ['ON', 'OFF']);
  await end();
});

test('the camera goes away: OFF at once, nothing of it is heard any more', async (t) => {
  const { controls, told, tick, end } = await watched(t);
  controls.tellMotion?.(true);
  await end();
  assert.deepEqual(told, ['ON', 'OFF']);
  controls.tellMotion?.(true);
  await tick(10 * 60_000);
  assert.deepEqual(told, ['ON', 'OFF']);
});

test('a camera that has said nothing yet: nothing is told when it goes', async (t) => {
  const { told, end } = await watched(t);
  await end();
  assert.deepEqual(told, []);
});

for (const error of [
  new UnsupportedError('the camera has no events'),
  new ProtocolError('ONVIF_NOT_AUTHORIZED', 'the user "x" may not call it'),
]) {
  test(`it gives up quietly: ${error.message}`, async (t) => {
    let isWell = false;
    const { controls, notes, tick, end } = await watched(t, () =>
      isWell ? undefined : Promise.reject(error),
    );
    assert.deepEqual(notes, [`Motion is not told: ${error.message}.`]);
    await tick(14_000);
    assert.equal(controls.asked.length, 1);
    for (let minute = 0; minute < 60; minute += 1) await tick(60_000);
    assert.ok(controls.asked.length < 20, `${controls.asked.length} attempts in an hour`);
    assert.equal(notes.length, 1);
    isWell = true;
    await tick(5 * 60_000);
    await tick(15_000);
    assert.deepEqual(notes.at(-1), undefined, 'although nothing moves');
    await end();
  });
}
