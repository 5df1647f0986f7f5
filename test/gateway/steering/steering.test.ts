import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../../codecs/errors.ts';
import { CommandDispatcher, type CommandReply } from '../../../gateway/report/commands.ts';
import { type Steered, Steering } from '../../../gateway/steering/steering.ts';
import { FakeControls, FakeHead, untilAborted } from '../../support/fake-camera.ts';
import { commandHandlers } from '../../support/reporting.ts';

/** Lets promises that are ready settle. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function desk(
  cameras: Record<string, Partial<Steered>>,
  {
    snapshot = () => undefined,
    hasBroker = true,
  }: { snapshot?: (name: string) => Promise<Uint8Array> | undefined; hasBroker?: boolean } = {},
) {
  const told: Uint8Array[] = [];
  const stopping = new AbortController();
  const steering = new Steering({
    find: (name) => {
      const camera = cameras[name];
      return (
        camera && { who: `The camera ${name}`, ptz: undefined, controls: undefined, ...camera }
      );
    },
    snapshot,
    tellSnapshot: (name, jpeg) => {
      if (!hasBroker) return undefined;
      told.push(jpeg);
      return `B/stream/${name}/snapshot`;
    },
    signal: stopping.signal,
  });
  const dispatcher = new CommandDispatcher(commandHandlers(steering.handlers()), Date.now);
  const ask = async (verb: string, args: object): Promise<CommandReply> => {
    const outcome = await dispatcher.run(verb, Buffer.from(JSON.stringify(args)));
    assert.ok(outcome.kind === 'reply');
    return outcome.reply;
  };
  return { ask, told, stop: () => stopping.abort(new Error('stopping')) };
}

function withHead(head: FakeHead) {
  const { ask, stop } = desk({ yard: { ptz: head } });
  return {
    ptz: (action: string, args: object = {}) => ask('ptz', { name: 'yard', action, ...args }),
    stop,
  };
}

async function errorOf(reply: Promise<CommandReply>): Promise<{ code: string; message: string }> {
  const answer = await reply;
  assert.ok(!answer.ok, JSON.stringify(answer));
  return answer.error;
}

const refused: readonly (readonly [name: string, error: Error, code: string, words: RegExp])[] = [
  ['the camera cannot', new UnsupportedError('it has no home'), 'unsupported', /no home/],
  ['a SOAP fault', new ProtocolError('ONVIF_FAULT', 'Busy'), 'refused', /yard refused: Busy\./],
  ['the login', new AuthenticationError('401', true), 'refused', /refused the login/],
  ['junk', new ParseError('no XML'), 'refused', /cannot be understood/],
  [
    'it is away',
    Object.assign(new Error('x'), { code: 'EHOSTUNREACH' }),
    'unreachable',
    /cannot be reached/,
  ],
  [
    'the line is away',
    new ProtocolError('SERIAL_LINE_DOWN', '/dev/x has gone.'),
    'unreachable',
    /^\/dev\/x has gone\.$/,
  ],
  [
    'no such preset',
    new ProtocolError('PTZ_NO_SUCH_PRESET', 'expected 1 to 5'),
    'bad-request',
    /1 to 5/,
  ],
  ['too many on the line', new ProtocolError('PTZ_BUSY', '8 wait'), 'busy', /8 wait/],
  ['a head is silent', new ProtocolError('VISCA_TIMEOUT', 'no answer'), 'unreachable', /no answer/],
  [
    'words that steer a terminal',
    new ProtocolError('ONVIF_FAULT', 'a\x1b[2Jb'),
    'refused',
    /: a \[2Jb\.$/,
  ],
];

describe('Steering', () => {
  for (const [name, error, code, words] of refused) {
    it(`the code and the words when ${name}`, async () => {
      const { ptz } = withHead(new FakeHead(() => Promise.reject(error)));
      const answer = await errorOf(ptz('home'));
      assert.equal(answer.code, code);
      assert.match(answer.message, words);
    });
  }

  it('a fault of our own is none of the camera’s', async () => {
    const { ptz } = withHead(new FakeHead(() => Promise.reject(new TypeError('x is undefined'))));
    assert.equal((await errorOf(ptz('home'))).code, 'failed');
  });

  it('there is no such stream; it has no PTZ; it is no ONVIF camera', async () => {
    const { ask } = desk({ plain: {} });
    assert.equal((await errorOf(ask('ptz', { name: 'nobody', action: 'stop' }))).code, 'not-found');
    const noHead = await errorOf(ask('ptz', { name: 'plain', action: 'stop' }));
    assert.equal(noHead.code, 'unsupported');
    assert.match(noHead.message, /streams\.plain\.ptz is not set/);
    for (const verb of ['camera/reboot', 'camera/clock', 'camera/encoder', 'snapshot']) {
      assert.equal((await errorOf(ask(verb, { name: 'plain' }))).code, 'unsupported', verb);
      assert.equal((await errorOf(ask(verb, { name: 'nobody' }))).code, 'not-found', verb);
    }
  });

  const bad: readonly (readonly [args: object, words: RegExp])[] = [
    [{ action: 'dance' }, /^action: expected action as one of move, stop/],
    [{}, /expected action as one of move/],
    [{ action: 'move', pan: 1.5 }, /^pan: expected a number from -1 to 1$/],
    [{ action: 'move', pan: '1' }, /^pan: expected a number from -1 to 1$/],
    [
      { action: 'move', pan: 1, timeoutMs: 30_001 },
      /^timeoutMs: expected a whole number from 1 to 30000$/,
    ],
    [{ action: 'absolute', zoom: -0.1 }, /^zoom: expected a number from 0 to 1$/],
    [{ action: 'absolute' }, /at least one of pan, tilt and zoom/],
    [{ action: 'preset' }, /^preset: expected a preset/],
    [{ action: 'preset', preset: 'a'.repeat(257) }, /^preset: expected a preset/],
    [{ action: 'set-preset', presetName: 'a\nb' }, /^presetName: expected a name/],
  ];
  for (const [args, words] of bad) {
    it(`a bad request: ${JSON.stringify(args).slice(0, 60)}`, async () => {
      const head = new FakeHead();
      const { ask } = desk({ yard: { ptz: head } });
      const answer = await errorOf(ask('ptz', { name: 'yard', ...args }));
      assert.equal(answer.code, 'bad-request');
      assert.match(answer.message, words);
      assert.deepEqual(head.asked, []);
    });
  }

  it('every action, and the words about it', async () => {
    const head = new FakeHead();
    const { ptz } = withHead(head);
    const answers = [
      await ptz('move', { pan: -1, zoom: 0.5, timeoutMs: 300 }),
      await ptz('move', { tilt: 0.25 }),
      await ptz('move', {}),
      await ptz('stop'),
      await ptz('absolute', { pan: 0.5, zoom: 1 }),
      await ptz('home'),
      await ptz('presets'),
      await ptz('preset', { preset: 3 }),
      await ptz('set-preset', { presetName: 'gate' }),
      await ptz('remove-preset', { preset: 'gate-1' }),
    ];
    assert.deepEqual(head.asked, [
      'move -1 0 0.5 300',
      'move 0 0.25 0 1000',
      'stop',
      'stop',
      'moveTo {"pan":0.5,"zoom":1}',
      'home',
      'presets',
      'goToPreset 3',
      'setPreset undefined gate',
      'removePreset gate-1',
    ]);
    const words = answers.map(
      (answer) => answer.ok && (answer.data as { message: string }).message,
    );
    assert.deepEqual(words, [
      'It moves, and stops by itself after 300 ms.',
      'It moves, and stops by itself after 1000 ms.',
      'It was stopped: pan, tilt and zoom are all 0.',
      'It was stopped.',
      'It goes there.',
      'It goes home.',
      'It has 1 preset.',
      'It goes to preset 3.',
      'Where it looks now is preset new.',
      'There is no preset gate-1 any more.',
    ]);
    assert.deepEqual(answers[6], {
      ok: true,
      data: {
        name: 'yard',
        action: 'presets',
        presets: [{ token: '1', name: 'gate' }],
        message: 'It has 1 preset.',
      },
    });
  });

  it('a camera that does not answer a move: told after 10 s, and a stop gets through at once then', async (t: TestContext) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const head = new FakeHead((verb, signal) =>
      verb === 'move' ? untilAborted(signal) : undefined,
    );
    const { ptz } = withHead(head);
    const move = errorOf(ptz('move', { pan: 1 }));
    const stop = ptz('stop');
    await settle();
    assert.deepEqual(head.asked, ['move 1 0 0 1000']);
    t.mock.timers.tick(10_000);
    assert.equal((await move).code, 'unreachable');
    assert.ok((await stop).ok);
    assert.deepEqual(head.asked, ['move 1 0 0 1000', 'stop']);
  });

  it('a flood of moves: the one under way and the last are sent, the others are told', async () => {
    let finish = () => {};
    const first = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let moves = 0;
    const head = new FakeHead((verb) => (verb === 'move' && ++moves === 1 ? first : undefined));
    const { ptz } = withHead(head);
    const replies = Array.from({ length: 10 }, (_, n) => ptz('move', { pan: n / 10 + 0.01 }));
    finish();
    const answers = await Promise.all(replies);
    assert.deepEqual(head.asked, ['move 0.01 0 0 1000', 'move 0.91 0 0 1000']);
    assert.deepEqual(
      answers.map((answer) => (answer.ok ? 'ok' : answer.error.code)),
      ['ok', ...Array(8).fill('busy'), 'ok'],
    );
  });

  it('a stop goes first, and ends the moves that wait; many stops are one', async () => {
    let finish = () => {};
    const first = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const head = new FakeHead((verb) => (verb === 'home' ? first : undefined));
    const { ptz } = withHead(head);
    const replies = [
      ptz('home'),
      ptz('presets'),
      ptz('move', { pan: 1 }),
      ptz('stop'),
      ptz('stop'),
      ptz('move', { tilt: 1 }),
    ];
    await settle();
    finish();
    const codes = (await Promise.all(replies)).map((one) => (one.ok ? 'ok' : one.error.code));
    assert.deepEqual(codes, ['ok', 'ok', 'busy', 'ok', 'ok', 'ok']);
    assert.deepEqual(head.asked, ['home', 'stop', 'presets', 'move 0 1 0 1000']);
  });

  it('a stop does not wait for a question under way', async (t: TestContext) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const head = new FakeHead((verb, signal) =>
      verb === 'presets' ? untilAborted(signal) : undefined,
    );
    const { ptz, stop } = withHead(head);
    const presets = errorOf(ptz('presets'));
    assert.ok((await ptz('stop')).ok);
    stop();
    await presets;
  });

  it('two askers at once are served one after the other, and few wait', async () => {
    const controls = new FakeControls();
    let open = 0;
    let most = 0;
    const head = new FakeHead(async () => {
      open += 1;
      most = Math.max(most, open);
      await settle();
      open -= 1;
    });
    const { ask } = desk({ yard: { ptz: head, controls }, gate: { ptz: new FakeHead() } });
    const replies = Array.from({ length: 7 }, () =>
      ask('ptz', { name: 'yard', action: 'presets' }),
    );
    assert.ok((await ask('ptz', { name: 'gate', action: 'home' })).ok, 'another camera');
    const codes = (await Promise.all(replies)).map((one) => (one.ok ? 'ok' : one.error.code));
    assert.deepEqual(codes, ['ok', 'ok', 'ok', 'ok', 'ok', 'busy', 'busy']);
    assert.equal(most, 1);
  });

  it('reboot, clock and NTP, in plain words', async () => {
    const controls = new FakeControls();
    controls.offsetMs = -3 * 3_600_000;
    const { ask } = desk({ yard: { controls } });
    const message = async (verb: string, args: object) => {
      const answer = await ask(verb, { name: 'yard', ...args });
      assert.ok(answer.ok, JSON.stringify(answer));
      return (answer.data as { message: string }).message;
    };
    assert.match(await message('camera/reboot', {}), /restarts/);
    assert.equal(await message('camera/clock', {}), 'Its clock is 3 h behind this box.');
    assert.equal(
      await message('camera/clock', { set: true, ntp: 'pool.example' }),
      'It takes its time from pool.example now. Its clock was set to that of this box. Its clock is right.',
    );
    assert.deepEqual(controls.asked, [
      'reboot',
      'clock',
      'setNtp pool.example',
      'setClock',
      'clock',
    ]);
    assert.equal(
      (await errorOf(ask('camera/clock', { name: 'yard', ntp: 'a b' }))).message,
      'ntp: expected a host name or address',
    );
  });

  it('the encoder: reads, and changes only what is given', async () => {
    const controls = new FakeControls();
    const { ask } = desk({ yard: { controls } });
    const read = await ask('camera/encoder', { name: 'yard' });
    assert.ok(read.ok);
    assert.deepEqual(read.data, {
      name: 'yard',
      ...controls.settings,
      message: 'Nothing was changed.',
    });
    controls.settings = { ...controls.settings, gopFrames: 48 };
    const changed = await ask('camera/encoder', { name: 'yard', gopFrames: 47, kbps: 4096 });
    assert.ok(changed.ok);
    assert.equal(
      (changed.data as { message: string }).message,
      'kbps is 4096 now. gopFrames was to be 47, and is 48.',
    );
    assert.deepEqual(controls.asked, ['encoder', 'setEncoder {"kbps":4096,"gopFrames":47}']);
  });

  it('a snapshot goes out once; too large, no broker, no camera', async () => {
    const jpeg = Buffer.from('jpeg');
    const ok = desk({ yard: {} }, { snapshot: async () => jpeg });
    assert.deepEqual(await ok.ask('snapshot', { name: 'yard' }), {
      ok: true,
      data: {
        name: 'yard',
        bytes: 4,
        topic: 'B/stream/yard/snapshot',
        message: 'Published on B/stream/yard/snapshot.',
      },
    });
    assert.deepEqual(ok.told, [jpeg]);
    const large = desk({ yard: {} }, { snapshot: async () => Buffer.alloc(1024 * 1024 + 1) });
    const why = await errorOf(large.ask('snapshot', { name: 'yard' }));
    assert.equal(why.code, 'refused');
    assert.match(why.message, /\/live\/yard\.jpg/);
    const alone = desk({ yard: {} }, { snapshot: async () => jpeg, hasBroker: false });
    assert.equal((await errorOf(alone.ask('snapshot', { name: 'yard' }))).code, 'unreachable');
    const gone = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    const away = desk({ yard: {} }, { snapshot: () => Promise.reject(gone) });
    assert.equal((await errorOf(away.ask('snapshot', { name: 'yard' }))).code, 'unreachable');
  });
});
