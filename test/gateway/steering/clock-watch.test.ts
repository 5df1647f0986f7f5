import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { ClockWatch } from '../../../gateway/steering/clock-watch.ts';
import { type Behaviour, FakeControls, untilAborted } from '../../support/fake-camera.ts';
import { collectingLog } from '../../support/reporting.ts';

const HOUR_MS = 3_600_000;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function watched(t: TestContext, setsClock: boolean, offsetMs: number, behave?: Behaviour) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const controls = new FakeControls(behave);
  controls.offsetMs = offsetMs;
  const events: string[] = [];
  const own = { isRight: true };
  const watch = new ClockWatch(
    { controls, who: 'The camera yard', setsClock },
    {
      log: collectingLog().log,
      now: () => Date.now(),
      isOwnClockRight: async () => own.isRight,
      changed: () => undefined,
      event: (type, message) => events.push(`${type}: ${message}`),
    },
  );
  const online = async () => {
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    await settle();
    return async () => {
      stop.abort(new Error('away'));
      await running;
    };
  };
  const tick = async (ms: number) => {
    t.mock.timers.tick(ms);
    await settle();
  };
  return { controls, watch, events, own, online, tick };
}

test('within 5 s nothing is said', async (t) => {
  const { watch, online, controls } = watched(t, true, -5_000);
  await (await online())();
  assert.equal(watch.note, undefined);
  assert.deepEqual(controls.asked, ['clock']);
});

test('a wrong clock is a note; it is not touched unless that is wanted', async (t) => {
  const { watch, online, controls, events, tick } = watched(t, false, 3 * HOUR_MS);
  const away = await online();
  assert.match(watch.note ?? '', /^Its clock is 3 h ahead of this box\. .*discovery\.setClock/);
  assert.deepEqual(controls.asked, ['clock']);
  controls.offsetMs = 1_000;
  await tick(HOUR_MS);
  assert.equal(watch.note, undefined);
  assert.deepEqual(events, []);
  await away();
});

test('it is set, never twice within an hour, however often the stream comes and goes', async (t) => {
  const { watch, online, controls, events, tick } = watched(t, true, -86_400_000 * 3);
  controls.offsetAfterSetMs = -30_000;
  for (let times = 0; times < 5; times += 1) {
    await (await online())();
    await tick(60_000);
  }
  assert.deepEqual(controls.asked, ['clock', 'setClock', 'clock']);
  assert.deepEqual(events, [
    'clock-not-set: The camera yard: Its clock is 3 days behind this box. It could not be set: The camera yard took the time, and says otherwise now.',
  ]);
  assert.match(watch.note ?? '', /could not be set/);
  const away = await online();
  controls.offsetAfterSetMs = 0;
  await tick(HOUR_MS - 5 * 60_000);
  assert.equal(controls.asked.filter((verb) => verb === 'setClock').length, 2);
  assert.equal(
    events.at(-1),
    'clock-set: The camera yard: Its clock is 30 s behind this box. It has been set.',
  );
  assert.equal(watch.note, undefined);
  await away();
});

test('a camera that refuses to be set', async (t) => {
  const { watch, online, events } = watched(t, true, 60_000, (verb) =>
    verb === 'setClock' ? Promise.reject(new ProtocolError('ONVIF_FAULT', 'no')) : undefined,
  );
  await (await online())();
  assert.match(events[0] ?? '', /^clock-not-set: .*could not be set/);
  assert.match(watch.note ?? '', /60 s ahead/);
});

test('a camera that does not tell its time, or does not answer, disturbs nobody', async (t) => {
  for (const error of [new UnsupportedError('x'), new ProtocolError('ONVIF_REPLY', 'x')]) {
    const { watch, online, events } = watched(t, true, 0, () => Promise.reject(error));
    await (await online())();
    assert.equal(watch.note, undefined);
    assert.deepEqual(events, []);
    t.mock.timers.reset();
  }
  const { online, controls, tick } = watched(t, true, 0, (_, signal) => untilAborted(signal));
  const away = await online();
  await tick(10_000);
  await tick(HOUR_MS);
  assert.equal(controls.asked.length, 2);
  await away();
});

test('while our own clock is not set, nobody is told that his is wrong', async (t) => {
  const { watch, online, controls, own, tick } = watched(t, true, 60_000);
  own.isRight = false;
  const away = await online();
  await tick(60_000);
  assert.deepEqual(controls.asked, []);
  own.isRight = true;
  await tick(60_000);
  assert.deepEqual(controls.asked, ['clock', 'setClock', 'clock']);
  assert.equal(watch.note, undefined);
  await away();
});
