import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { AuthenticationError, UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { emptyStats, type SourceStats, type StreamDriver } from '../../drivers/driver.ts';
import { AttemptBudget } from '../../gateway/attempt-budget.ts';
import { SlabPool } from '../../gateway/hub/slab-pool.ts';
import { Stream } from '../../gateway/hub/stream.ts';
import { Board } from '../../gateway/report/board.ts';
import { type SourceSide, StreamSource } from '../../gateway/stream-source.ts';
import { AUDIO_TRACK, audioUnit, VIDEO_TRACK, videoUnit } from '../support/units.ts';

const STATS: SourceStats = { ...emptyStats(), transport: 'tcp' };

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A camera that does what the test says, attempt after attempt. */
class ScriptedDriver implements StreamDriver {
  notes: readonly string[] = [];
  readonly stats = { ...STATS };
  attempts = 0;
  sink: StreamSink | undefined;
  readonly #behave: (attempt: number) => Error | undefined;

  constructor(behave: (attempt: number) => Error | undefined) {
    this.#behave = behave;
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    this.attempts += 1;
    this.sink = sink;
    const failure = this.#behave(this.attempts);
    if (failure !== undefined) throw failure;
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  send(ptsUs: number): void {
    this.sink?.write(videoUnit({ ptsUs, randomAccess: true }));
  }
}

async function supervised(
  t: TestContext,
  behave: (attempt: number) => Error | undefined,
  side?: SourceSide,
): Promise<{
  driver: ScriptedDriver;
  source: StreamSource;
  board: Board;
  stop: () => Promise<void>;
}> {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const now = () => Date.now();
  const board = new Board();
  const driver = new ScriptedDriver(behave);
  const source = new StreamSource(
    new Stream('cam', new SlabPool(0), now),
    {
      driver,
      sourceUrl: 'rtsp://10.0.0.2/x',
      who: 'The camera cam',
      stallMs: 5_000,
      ...(side === undefined ? {} : { side }),
    },
    {
      board,
      log: pino({ level: 'silent' }),
      budget: new AttemptBudget(1000, 1000, now),
      now,
      random: () => 0.999_999,
    },
  );
  const controller = new AbortController();
  const running = source.run(controller.signal);
  await settle();
  return {
    driver,
    source,
    board,
    stop: async () => {
      controller.abort();
      await running;
    },
  };
}

function status(board: Board) {
  const entry = board.streams.get('cam');
  assert.ok(entry !== undefined);
  return entry.status;
}

test('connecting until the first picture, then online', async (t) => {
  const { driver, board, stop } = await supervised(t, () => undefined);
  assert.equal(status(board).state, 'connecting');
  driver.sink?.start([VIDEO_TRACK]);
  assert.equal(status(board).state, 'connecting');
  driver.send(0);
  assert.equal(status(board).state, 'online');
  assert.equal(board.streams.get('cam')?.info?.tracks[0]?.codec, 'h264');
  await stop();
});

test('a silent camera is stalled after stallMs, connected anew, and online again', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  t.mock.timers.tick(1_000);
  source.tick(Date.now());
  t.mock.timers.tick(4_900);
  source.tick(Date.now());
  await settle();
  assert.equal(status(board).state, 'online');
  t.mock.timers.tick(200);
  source.tick(Date.now());
  await settle();
  assert.equal(status(board).state, 'stalled');
  assert.equal(status(board).code, 'no-data');
  assert.match(status(board).reason, /no picture for 5 s/);
  assert.ok(status(board).nextRetryAt !== null && status(board).lastFrameAt !== null);
  t.mock.timers.tick(1_000);
  await settle();
  assert.equal(driver.attempts, 2);
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  assert.equal(status(board).state, 'online');
  await stop();
});

test('a camera that accepts and never sends is given up within seconds', async (t) => {
  const { source, board, stop } = await supervised(t, () => undefined);
  for (let second = 0; second < 21; second += 1) {
    t.mock.timers.tick(1_000);
    source.tick(Date.now());
  }
  await settle();
  assert.equal(status(board).state, 'stalled');
  assert.match(status(board).reason, /sends no picture/);
  await stop();
});

const failures: readonly [string, Error, string, string][] = [
  ['a wrong password', new AuthenticationError('401', true), 'unauthorized', 'auth'],
  [
    'a codec that cannot be carried',
    new UnsupportedError('it offers only JPEG.'),
    'unsupported',
    'codec',
  ],
  [
    'nothing listens',
    Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
    'unreachable',
    'refused',
  ],
];
for (const [name, error, state, code] of failures) {
  test(`${name}: ${state}, and it stays so while trying again`, async (t) => {
    const { board, stop, driver } = await supervised(t, () => error);
    assert.equal(status(board).state, state);
    assert.equal(status(board).code, code);
    assert.equal(status(board).attempts, 1);
    t.mock.timers.tick(60_000);
    await settle();
    assert.ok(driver.attempts >= 2);
    assert.equal(status(board).state, state);
    await stop();
  });
}

test('restart drops the connection and connects at once', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  source.restart();
  await settle();
  assert.equal(driver.attempts, 2);
  assert.equal(status(board).state, 'online', 'no failure is told');
  await stop();
});

test('a device that has moved: an attempt at its old address is given up, a stream that plays is not', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  source.wake();
  await settle();
  assert.equal(driver.attempts, 1);
  source.wake(true);
  await settle();
  assert.equal(driver.attempts, 2);
  assert.equal(status(board).code, 'starting', 'no failure is told');
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  source.wake(true);
  await settle();
  assert.equal(driver.attempts, 2);
  await stop();
});

test('while all is well the time of the last frame is told once a minute, and kept right between', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  let told = 0;
  board.on('stream', (_entry, part) => {
    if (part === 'status') told += 1;
  });
  for (let period = 1; period <= 12; period += 1) {
    t.mock.timers.tick(10_000);
    driver.send(period * 10_000_000);
    source.tick(Date.now());
    source.tellStats(10_000);
    assert.equal(status(board).lastFrameAt, new Date(Date.now()).toISOString());
  }
  assert.equal(told, 2);
  assert.equal(board.streams.get('cam')?.stats?.fps, 0.1);
  await stop();
});

test('packets without a keyframe: told after 10 s while the session goes on, online as soon as one comes', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  const second = () => {
    driver.stats.receivedPackets += 100;
    t.mock.timers.tick(1_000);
    source.tick(Date.now());
  };
  driver.stats.awaits = 'keyframe';
  for (let n = 0; n < 11; n += 1) second();
  await settle();
  assert.equal(status(board).state, 'stalled');
  assert.equal(status(board).code, 'no-keyframe');
  assert.match(status(board).reason, /no keyframe for 10 s.*GOP.*Still waiting/);
  assert.equal(driver.attempts, 1);
  driver.stats.awaits = undefined;
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  second();
  assert.equal(status(board).state, 'online');
  // Lost again in the middle: the same words, and online once more.
  driver.stats.awaits = 'keyframe';
  for (let n = 0; n < 12; n += 1) second();
  assert.equal(status(board).code, 'no-keyframe');
  driver.stats.awaits = undefined;
  driver.send(12_000_000);
  second();
  assert.equal(status(board).state, 'online');
  assert.equal(driver.attempts, 1);
  await stop();
});

test('what goes on beside it begins with the pictures, ends with them, and has its notes in the info', async (t) => {
  const seen: string[] = [];
  const ptz = { protocol: 'fake', absolute: false, home: true, presets: 'list' } as const;
  const side = {
    begin: () => void seen.push('begin'),
    end: () => void seen.push('end'),
    info: { notes: ['Its clock is 3 h ahead of this box.'], ptz },
  };
  const { driver, source, board, stop } = await supervised(t, () => undefined, side);
  driver.notes = ['The video: repaired.'];
  driver.sink?.start([VIDEO_TRACK]);
  assert.deepEqual(seen, []);
  driver.send(0);
  assert.deepEqual(seen, ['begin']);
  const info = board.streams.get('cam')?.info;
  assert.deepEqual(info?.notes, [...driver.notes, ...side.info.notes]);
  assert.deepEqual(info?.ptz, ptz);
  side.info = { ...side.info, notes: [] };
  source.tellInfo();
  assert.deepEqual(board.streams.get('cam')?.info?.notes, driver.notes);
  source.restart();
  await settle();
  assert.deepEqual(seen, ['begin', 'end']);
  t.mock.timers.tick(1_000);
  await settle();
  driver.sink?.start([VIDEO_TRACK]);
  driver.send(0);
  await stop();
  assert.deepEqual(seen, ['begin', 'end', 'begin', 'end']);
});

test('sound alone does not hide that no picture comes', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  driver.sink?.start([VIDEO_TRACK, AUDIO_TRACK]);
  driver.sink?.write(audioUnit());
  assert.equal(status(board).state, 'connecting');
  driver.send(0);
  assert.equal(status(board).state, 'online');
  for (let n = 0; n < 6; n += 1) {
    t.mock.timers.tick(1_000);
    driver.sink?.write(audioUnit());
    source.tick(Date.now());
  }
  await settle();
  assert.equal(status(board).code, 'no-data');
  await stop();
});

test('a note that comes late is told with the next figures, once', async (t) => {
  const { driver, source, board, stop } = await supervised(t, () => undefined);
  driver.sink?.start([VIDEO_TRACK]);
  let told = 0;
  board.on('stream', (_, part) => {
    if (part === 'info') told += 1;
  });
  source.tellStats(10_000);
  assert.equal(told, 0);
  driver.notes = ['The video: its clock runs 16 % slow; times are corrected from arrival.'];
  source.tellStats(10_000);
  source.tellStats(10_000);
  assert.equal(told, 1);
  assert.deepEqual(board.streams.get('cam')?.info?.notes, driver.notes);
  await stop();
});
