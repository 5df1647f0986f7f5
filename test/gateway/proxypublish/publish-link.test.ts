import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { AttemptBudget } from '../../../gateway/attempt-budget.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { Proxypublish } from '../../../gateway/proxypublish/proxypublish.ts';
import type { Publisher, PublishSource } from '../../../gateway/proxypublish/publish-link.ts';
import { Board } from '../../../gateway/report/board.ts';
import { VIDEO_TRACK } from '../../support/units.ts';

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

class ScriptedPublisher implements Publisher {
  onPublishing: () => void = () => undefined;
  onLeftOut: () => void = () => undefined;
  leftOut: readonly string[] = [];
  readonly stats = { queueMs: 0, droppedGops: 0, droppedUnits: 0, bytes: 7 };
  sessions = 0;
  cleanEnds = 0;
  fail: (error: Error) => void = () => undefined;
  refusal: Error | undefined;

  async run(source: PublishSource, signal: AbortSignal): Promise<void> {
    this.sessions += 1;
    if (this.refusal !== undefined) throw this.refusal;
    const sink = { start: () => undefined, write: () => undefined, stop: () => undefined };
    const subscription = source.subscribe(sink);
    this.onPublishing();
    try {
      await new Promise<void>((resolve, reject) => {
        this.fail = reject;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.cleanEnds += 1;
    } finally {
      subscription[Symbol.dispose]();
    }
  }
}

function setUp(t: TestContext, keepAlive = true) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const now = () => Date.now();
  const board = new Board();
  const hub = new Hub(0, now);
  const publisher = new ScriptedPublisher();
  const connectErrors: string[] = [];
  const target = {
    id: 'master',
    identity: 'master',
    url: 'rtmp://master/live',
    localStreamName: 'cam*',
    keepAlive,
    makePublisher: () => publisher,
  };
  const proxypublish = new Proxypublish([target], {
    board,
    log: pino({ level: 'silent' }),
    budget: new AttemptBudget(1000, 1000, now),
    now,
    random: () => 0.999_999,
    onConnectError: (reason) => connectErrors.push(reason),
  });
  proxypublish.open(hub);
  const status = () => {
    const entry = board.publishes.get('cam-1/master');
    assert.ok(entry !== undefined);
    return entry.status;
  };
  return { hub, board, publisher, proxypublish, status, connectErrors };
}

test('idle without a source; publishes when it begins; unpublishes cleanly on close', async (t) => {
  const { hub, publisher, proxypublish, status, board } = setUp(t);
  const stream = hub.open('cam-1');
  hub.open('other');
  assert.equal(board.publishes.size, 1);
  assert.equal(status().state, 'idle');
  stream.start([VIDEO_TRACK]);
  await settle();
  assert.equal(status().state, 'publishing');
  await proxypublish.close();
  assert.equal(publisher.cleanEnds, 1);
  assert.equal(board.publishes.size, 0);
});

test('a camera that is back within the hold time finds the session as it was', async (t) => {
  const { hub, publisher, proxypublish, status } = setUp(t);
  const stream = hub.open('cam-1');
  stream.start([VIDEO_TRACK]);
  await settle();
  stream.stop();
  t.mock.timers.tick(14_000);
  stream.start([VIDEO_TRACK]);
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(publisher.sessions, 1);
  assert.equal(status().state, 'publishing');
  await proxypublish.close();
});

test('a camera that stays away ends the session; its return opens another', async (t) => {
  const { hub, publisher, proxypublish, status } = setUp(t);
  const stream = hub.open('cam-1');
  stream.start([VIDEO_TRACK]);
  await settle();
  stream.stop();
  t.mock.timers.tick(16_000);
  await settle();
  assert.equal(publisher.cleanEnds, 1);
  assert.equal(status().state, 'idle');
  stream.start([VIDEO_TRACK]);
  await settle();
  assert.equal(publisher.sessions, 2);
  assert.equal(status().state, 'publishing');
  await proxypublish.close();
});

/** ngx#1152, #367, #192, #77, #523; nginx-rtmp-docker#53 (twenty 4G cameras); mediamtx#5242; yasea#402. */
test('a name that is taken is told apart, waited for patiently, and tried again', async (t) => {
  const { hub, publisher, proxypublish, status, connectErrors } = setUp(t);
  publisher.refusal = new ProtocolError('RTMP_NAME_TAKEN', 'NetStream.Publish.BadName');
  hub.open('cam-1').start([VIDEO_TRACK]);
  await settle();
  assert.equal(status().state, 'refused');
  assert.equal(status().code, 'name-taken');
  assert.equal(connectErrors.length, 1);
  assert.equal(Date.parse(status().nextRetryAt ?? '') - Date.now() > 4_000, true);
  publisher.refusal = undefined;
  t.mock.timers.tick(5_000);
  await settle();
  assert.equal(status().state, 'publishing');
  await proxypublish.close();
});

test('keepAlive: false does not come back after a loss before the stream begins anew', async (t) => {
  const { hub, publisher, proxypublish, status } = setUp(t, false);
  const stream = hub.open('cam-1');
  stream.start([VIDEO_TRACK]);
  await settle();
  publisher.fail(Object.assign(new Error('x'), { code: 'ECONNRESET' }));
  await settle();
  assert.equal(status().state, 'idle');
  t.mock.timers.tick(600_000);
  await settle();
  assert.equal(publisher.sessions, 1);
  stream.stop();
  stream.start([VIDEO_TRACK]);
  await settle();
  assert.equal(publisher.sessions, 2);
  await proxypublish.close();
});

test('keepAlive: false comes back when it was us who ended the session, for other tracks', async (t) => {
  const { hub, publisher, proxypublish, status } = setUp(t, false);
  hub.open('cam-1').start([VIDEO_TRACK]);
  await settle();
  publisher.fail(new ProtocolError('RTMP_TRACKS_CHANGED', 'the camera now sends H.265'));
  await settle();
  assert.deepEqual([status().state, status().code], ['waiting', 'starting']);
  t.mock.timers.tick(500);
  await settle();
  assert.equal(publisher.sessions, 2);
  await proxypublish.close();
});

test('what is left out is in the reason, also when it changes while publishing', async (t) => {
  const { hub, publisher, proxypublish, status } = setUp(t);
  publisher.leftOut = ['audio AC-3 (why)'];
  hub.open('cam-1').start([VIDEO_TRACK]);
  await settle();
  assert.equal(status().reason, 'The master takes the stream. Left out: audio AC-3 (why).');
  assert.equal(status().state, 'publishing');
  publisher.leftOut = [];
  publisher.onLeftOut();
  assert.equal(status().reason, 'The master takes the stream.');
  await proxypublish.close();
});

test('a codec that is refused: state and code say so', async (t) => {
  const { hub, publisher, proxypublish, status, connectErrors } = setUp(t);
  publisher.refusal = new UnsupportedError('H.265 is not sent to it.');
  hub.open('cam-1').start([VIDEO_TRACK]);
  await settle();
  assert.deepEqual([status().state, status().code], ['refused', 'codec']);
  assert.equal(status().reason, 'The master rtmp://master/live: H.265 is not sent to it.');
  assert.equal(connectErrors.length, 1);
  await proxypublish.close();
});

test('an attempt that is followed by another way is no failure to connect', async (t) => {
  const { hub, publisher, proxypublish, status, connectErrors } = setUp(t);
  publisher.refusal = new ProtocolError('RTMP_OTHER_WAY', 'it ended the session; trying another');
  hub.open('cam-1').start([VIDEO_TRACK]);
  await settle();
  assert.equal(status().code, 'codec');
  assert.deepEqual(connectErrors, []);
  publisher.refusal = undefined;
  t.mock.timers.tick(500);
  await settle();
  assert.equal(status().state, 'publishing');
  await proxypublish.close();
});
