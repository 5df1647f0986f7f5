import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import {
  CommandDispatcher,
  CommandError,
  type CommandHandlers,
} from '../../../gateway/report/commands.ts';
import { commandHandlers } from '../../support/reporting.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');

function dispatcher(handlers: Partial<CommandHandlers> = {}) {
  return new CommandDispatcher(
    commandHandlers({
      'stream/restart': ({ name }) => name,
      discover: ({ timeoutMs }) => timeoutMs,
      'log/level': ({ level }) => level,
      adopt: ({ device, decision }) => `${decision} ${device}`,
      ...handlers,
    }),
    () => NOW,
  );
}

const bytes = (text: string) => Buffer.from(text);
const badRequest = (message: string) => ({ ok: false, error: { code: 'bad-request', message } });
const scanRefusal = badRequest(
  'scan: expected a private network (in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16) or one of 169.254.0.0/16',
);
const envelope = badRequest('expected a JSON object with valid id, ts and ttlMs');

const replies: readonly (readonly [name: string, verb: string, payload: string, reply: unknown])[] =
  [
    [
      'arguments beside id',
      'stream/restart',
      '{"id":"x","name":"a"}',
      { id: 'x', ok: true, data: 'a' },
    ],
    ['no payload at all', 'discover', '', { ok: true, data: 5000 }],
    [
      'an unknown argument is ignored',
      'log/level',
      '{"level":"debug","why":1}',
      { ok: true, data: 'debug' },
    ],
    [
      'fresh by ts as ISO time',
      'discover',
      '{"ts":"2026-05-01T11:59:55Z"}',
      { ok: true, data: 5000 },
    ],
    [
      'a clock ahead of ours',
      'discover',
      '{"ts":"2026-05-01T12:30:00Z"}',
      { ok: true, data: 5000 },
    ],
    [
      'older, with a longer ttl',
      'discover',
      `{"ts":${NOW - 60_000},"ttlMs":60000}`,
      { ok: true, data: 5000 },
    ],
    ['a network that is not ours', 'discover', '{"scan":"8.8.8.0/24"}', scanRefusal],
    ['no JSON', 'discover', 'please', envelope],
    ['a list', 'discover', '[]', envelope],
    ['an id that is an object', 'discover', '{"id":{}}', envelope],
    ['a bad ttl, with an id', 'discover', '{"id":7,"ttlMs":0}', { id: 7, ...envelope }],
    [
      'a ts that is no time',
      'discover',
      '{"ts":"noon","id":1}',
      { id: 1, ...badRequest('expected ts as an ISO time') },
    ],
    [
      'a missing argument',
      'stream/restart',
      '{}',
      badRequest('name: expected 1 to 48 lower-case letters, digits or hyphens'),
    ],
    [
      'a bad argument',
      'log/level',
      '{"level":"loud"}',
      badRequest('level: expected one of fatal, error, warn, info, debug, trace'),
    ],
    [
      'an unknown verb',
      'reboot',
      '{}',
      {
        ok: false,
        error: {
          code: 'unknown-verb',
          message:
            'known verbs: stream/restart, discover, restart, log/level, adopt, ptz, snapshot, camera/reboot, camera/clock, camera/encoder, config/get, config/set, stream/add, stream/remove',
        },
      },
    ],
    [
      'a verb of Object.prototype',
      'constructor',
      '{}',
      {
        ok: false,
        error: {
          code: 'unknown-verb',
          message:
            'known verbs: stream/restart, discover, restart, log/level, adopt, ptz, snapshot, camera/reboot, camera/clock, camera/encoder, config/get, config/set, stream/add, stream/remove',
        },
      },
    ],
    [
      'too much',
      'discover',
      ' '.repeat(65_537),
      { ok: false, error: { code: 'too-large', message: 'expected at most 65536 bytes' } },
    ],
  ];

describe('CommandDispatcher', () => {
  afterEach(() => mock.timers.reset());

  for (const [name, verb, payload, reply] of replies) {
    it(name, async () => {
      assert.deepEqual(await dispatcher().run(verb, bytes(payload)), { kind: 'reply', reply });
    });
  }

  it('what is older than its ttl is ignored', async () => {
    const outcome = await dispatcher().run('discover', bytes(`{"ts":${NOW - 10_001}}`));
    assert.deepEqual(outcome, { kind: 'ignored', why: 'sent 10001 ms ago by this box’s clock' });
  });

  it('a handler’s own failure keeps its code, any other is "failed", without secrets', async () => {
    const known = dispatcher({
      discover: () => {
        throw new CommandError('unknown-stream', 'no such stream');
      },
    });
    assert.deepEqual(await known.run('discover', bytes('')), {
      kind: 'reply',
      reply: { ok: false, error: { code: 'unknown-stream', message: 'no such stream' } },
    });
    const broken = dispatcher({
      discover: async () => Promise.reject(new Error('at rtsp://u:p@h/')),
    });
    assert.deepEqual(await broken.run('discover', bytes('')), {
      kind: 'reply',
      reply: { ok: false, error: { code: 'failed', message: 'at rtsp://***@h/' } },
    });
  });

  it('forty at once: sixteen run at a time, the others in their turn', async () => {
    let running = 0;
    let most = 0;
    const busy = dispatcher({
      discover: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
      },
    });
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => busy.run('discover', bytes(''))),
    );
    assert.ok(outcomes.every((outcome) => outcome.kind === 'reply' && outcome.reply.ok));
    assert.equal(most, 16);
  });

  it('what has no turn within its ttlMs is told that there are too many, as are those for whom there is no room', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const busy = dispatcher({ discover: () => gate });
    const running = Array.from({ length: 16 }, () => busy.run('discover', bytes('')));
    const late = busy.run('discover', bytes('{"id":17,"ttlMs":5000}'));
    // Sent 7 s before it came: of its 10 s there are 3.
    const old = busy.run('discover', bytes(`{"id":18,"ts":${NOW - 7_000}}`));
    const waiting = Array.from({ length: 126 }, () => busy.run('discover', bytes('')));
    const error = { code: 'busy', message: 'too many commands are running' };
    const refused = (id: number) => ({ kind: 'reply', reply: { id, ok: false, error } });
    assert.deepEqual(await busy.run('discover', bytes('{"id":145}')), refused(145));
    t.mock.timers.tick(3_000);
    assert.deepEqual(await old, refused(18));
    t.mock.timers.tick(2_000);
    assert.deepEqual(await late, refused(17));
    release();
    await Promise.all([...running, ...waiting]);
    assert.deepEqual(await busy.run('discover', bytes('')), {
      kind: 'reply',
      reply: { ok: true, data: null },
    });
  });

  /** Found by attack: a flood of moves kept the stop out. */
  it('a camera is stopped however much else is asked', async () => {
    const busy = dispatcher({
      ptz: ({ action }) => (action === 'stop' ? 'stopped' : new Promise(() => {})),
    });
    const ask = (action: string) => busy.run('ptz', bytes(`{"name":"yard","action":"${action}"}`));
    for (let i = 0; i < 16; i += 1) void ask('move');
    assert.deepEqual(await ask('stop'), { kind: 'reply', reply: { ok: true, data: 'stopped' } });
    // None waits: it would be done behind the stop.
    const outcome = await ask('move');
    assert.ok(outcome.kind === 'reply' && !outcome.reply.ok && outcome.reply.error.code === 'busy');
  });

  it('a handler that never ends is given up after a minute', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const stuck = dispatcher({ discover: () => new Promise(() => {}) });
    const outcome = stuck.run('discover', bytes(''));
    await new Promise(setImmediate);
    mock.timers.tick(60_000);
    assert.deepEqual(await outcome, {
      kind: 'reply',
      reply: { ok: false, error: { code: 'timeout', message: 'not done after 60000 ms' } },
    });
  });

  it('any payload gives an outcome', async () => {
    const any = dispatcher();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => bytes(text)),
        ),
        async (payload) => {
          const outcome = await any.run('stream/restart', payload);
          assert.ok(outcome.kind === 'reply' || outcome.kind === 'ignored');
        },
      ),
    );
  });
});
