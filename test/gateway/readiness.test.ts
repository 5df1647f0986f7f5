import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pino from 'pino';
import { type ReadinessContext, withReadiness } from '../../gateway/readiness.ts';

function begin(t: TestContext, env: Record<string, string>, more: Partial<ReadinessContext> = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  const logged: string[] = [];
  const calls: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(line) });
  const plain = {
    start: async () => void calls.push('start'),
    stop: async () => void calls.push('stop'),
  };
  let status = '1 of 2';
  const service = withReadiness(plain, {
    log,
    env,
    status: () => status,
    notify: (_, bytes) => void said.push(Buffer.from(bytes).toString()),
    ...more,
  });
  const change = (to: string) => {
    status = to;
  };
  return { service, plain, said, logged, calls, change };
}

const SOCKET = { NOTIFY_SOCKET: '/run/systemd/notify' };

test('without a socket there is nothing to tell', (t) => {
  const { service, plain, logged } = begin(t, {});
  assert.equal(service, plain);
  assert.equal(logged.length, 0);
});

test('ready when it runs, the status when it has changed, stopping before it stops', async (t) => {
  const { service, said, calls, change } = begin(t, SOCKET);
  await service.start();
  assert.deepEqual(said, ['READY=1\nSTATUS=1 of 2\n']);
  t.mock.timers.tick(30_000);
  change('2 of 2');
  t.mock.timers.tick(10_000);
  await service.stop();
  t.mock.timers.tick(60_000);
  assert.deepEqual(said.slice(1), ['STATUS=2 of 2\n', 'STOPPING=1\nSTATUS=stopping\n']);
  assert.deepEqual(calls, ['start', 'stop']);
});

test('the watchdog is fed at half of its time, when it watches this process', async (t) => {
  const watched = begin(t, {
    ...SOCKET,
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: `${process.pid}`,
  });
  await watched.service.start();
  t.mock.timers.tick(14_999);
  assert.equal(watched.said.length, 1);
  t.mock.timers.tick(1);
  assert.deepEqual(watched.said.slice(1), ['WATCHDOG=1\n']);
  await watched.service.stop();
});

test('not when it watches another, or has no time', async (t) => {
  for (const env of [
    { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' },
    { WATCHDOG_USEC: 'x' },
    { WATCHDOG_USEC: '0' },
  ]) {
    t.mock.timers.reset();
    const { service, said } = begin(t, { ...SOCKET, ...env });
    await service.start();
    t.mock.timers.tick(60_000);
    assert.equal(said.length, 1);
    await service.stop();
  }
});

test('a READY that did not get through is said again', async (t) => {
  let isFull = true;
  const heard: string[] = [];
  const { service, logged } = begin(t, SOCKET, {
    notify: (_, bytes) => {
      if (isFull) throw Object.assign(new Error('sendto EAGAIN'), { code: 'EAGAIN' });
      heard.push(Buffer.from(bytes).toString());
    },
  });
  await service.start();
  t.mock.timers.tick(10_000);
  isFull = false;
  t.mock.timers.tick(10_000);
  t.mock.timers.tick(10_000);
  assert.deepEqual(heard, ['READY=1\nSTATUS=1 of 2\n']);
  assert.equal(logged.length, 1);
  await service.stop();
});

test('where it cannot be told it says so once, in words', async (t) => {
  for (const [env, notify, words] of [
    [SOCKET, undefined, /native addon/],
    [{ NOTIFY_SOCKET: 'vsock:2:1' }, () => {}, /neither a path/],
    [{ NOTIFY_SOCKET: `/${'x'.repeat(107)}` }, () => {}, /too long/],
  ] as const) {
    t.mock.timers.reset();
    const { service, plain, logged } = begin(t, env, { notify });
    assert.equal(service, plain);
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', words);
  }
});
