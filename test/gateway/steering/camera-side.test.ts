import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { AttemptBudget } from '../../../gateway/attempt-budget.ts';
import { CameraSide, type CameraSideOptions } from '../../../gateway/steering/camera-side.ts';
import { FakeControls, FakeHead } from '../../support/fake-camera.ts';
import { collectingLog } from '../../support/reporting.ts';

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function makeSide(t: TestContext, options: Partial<CameraSideOptions>) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const now = () => Date.now();
  const told: string[] = [];
  let changes = 0;
  const side = new CameraSide(
    {
      who: 'The camera yard',
      controls: undefined,
      watchesMotion: true,
      setsClock: false,
      ...options,
    },
    {
      budget: new AttemptBudget(1000, 1000, now),
      now,
      random: () => 0.999_999,
      uptimeMs: now,
      isOwnClockRight: async () => true,
      log: collectingLog().log,
      tellMotion: (motion) => told.push(motion),
      event: () => undefined,
      changed: () => {
        changes += 1;
      },
    },
  );
  return { side, told, changes: () => changes };
}

test('a camera that cannot be asked anything: nothing goes on, nothing is told', async (t) => {
  const { side, changes } = makeSide(t, {});
  side.begin();
  await settle();
  assert.deepEqual(side.info, { notes: [] });
  assert.equal(side.ptz, undefined);
  side.end();
  await side.stopped();
  assert.equal(changes(), 0);
});

test('it comes and goes while an end of its subscription takes long: never two at once', async (t) => {
  let open = 0;
  let most = 0;
  const controls = new FakeControls();
  controls.watchMotion = async (_, signal) => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    // It takes leave of the camera.
    await settle();
    await settle();
    open -= 1;
  };
  const { side } = makeSide(t, { controls });
  for (let times = 0; times < 5; times += 1) {
    side.begin();
    await new Promise((resolve) => setImmediate(resolve));
    if (times % 2 === 0) side.end();
  }
  side.begin();
  for (let turns = 0; turns < 10; turns += 1) await settle();
  assert.equal(open, 1);
  assert.equal(most, 1);
  side.end();
  await side.stopped();
  assert.equal(open, 0);
});

test('what moves it, and what is wrong, are in its info', async (t) => {
  const controls = new FakeControls((verb) =>
    verb === 'watchMotion' ? Promise.reject(new UnsupportedError('it has no events')) : undefined,
  );
  controls.offsetMs = 60_000;
  const { side, changes } = makeSide(t, { controls, head: () => new FakeHead() });
  side.begin();
  await settle();
  assert.deepEqual(side.info.ptz, {
    protocol: 'fake',
    absolute: true,
    home: false,
    presets: 'list',
  });
  assert.equal(side.info.notes.length, 2);
  assert.match(side.info.notes[0] ?? '', /^Its clock is 60 s ahead/);
  assert.equal(side.info.notes[1], 'Motion is not told: it has no events.');
  assert.equal(changes(), 3);
  side.end();
  await side.stopped();
});

test('motion is not asked for where that is not wanted; a head that is away is asked again next time', async (t) => {
  let isThere = false;
  const controls = new FakeControls();
  const head = new FakeHead((verb) =>
    verb === 'abilities' && !isThere ? Promise.reject(new Error('away')) : undefined,
  );
  const { side } = makeSide(t, { controls, head: () => head, watchesMotion: false });
  side.begin();
  await settle();
  assert.deepEqual(controls.asked, ['clock']);
  assert.equal('ptz' in side.info, false);
  side.end();
  isThere = true;
  side.begin();
  await settle();
  assert.equal(side.info.ptz?.protocol, 'fake');
  side.end();
  await side.stopped();
});
