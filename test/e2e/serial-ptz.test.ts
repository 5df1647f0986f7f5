/** Heads on serial lines, with the real serialport package on pseudo-terminals: what is on the wire, and what when it is not there. */
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { mkdtemp, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import pino from 'pino';
import type { PtzHead } from '../../drivers/ptz/ptz-head.ts';
import { type HeadLineConfig, SerialHeads } from '../../drivers/ptz/serial-heads.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { hex } from '../support/hex.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { ScriptedVisca } from '../support/scripted-visca.ts';
import { until } from '../support/until.ts';

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);
/** A busy machine. */
const PATIENCE_MS = 20_000;
/** Of the 500 ms that a head has to answer; the rest is for a busy machine. */
const LATE_MS = 20;
const FRAME_BYTES = { 'pelco-d': 7, 'pelco-p': 8 } as const;
/** In Pelco-D. */
const MOVED_AND_STOPPED = 'ff0100023f0042ff010000000001';
const PRESET_1 = 'ff010007000109';
const RIGHT = { pan: 1, tilt: 0, zoom: 0 };
/** As the package calls it. */
const NATIVE_PART = '@serialport/bindings-cpp';
const isRoot = process.getuid?.() === 0;

async function startLine(
  test: TestContext,
  protocol: HeadLineConfig['protocol'],
  addresses: Readonly<Record<string, number>> = { yard: 1 },
) {
  const terminal = await PseudoTerminal.make();
  test.after(() => terminal[Symbol.asyncDispose]());
  const codes: string[] = [];
  const controller = new AbortController();
  const heads = new SerialHeads(
    [{ name: 'mast', path: terminal.path, protocol, rs485: false, addresses }],
    {
      log: pino({ level: 'silent' }),
      now: () => Date.now(),
      random: () => 0,
      changed: ({ code }) => codes.push(code),
    },
  );
  const end = async () => {
    controller.abort();
    await heads.stopped();
  };
  test.after(end);
  const head = (name = 'yard') => {
    const found = heads.head(`mast/${name}`);
    assert.ok(found);
    return found;
  };
  const open = async () => {
    heads.start(controller.signal);
    await until(() => codes.includes('ok'), PATIENCE_MS);
    if (protocol === 'visca') return;
    // An earlier life may have left them moving.
    const told = Object.keys(addresses).length * 2 * FRAME_BYTES[protocol];
    await until(() => terminal.received.length === 2 * told, PATIENCE_MS);
    // The last of them is still under way.
    await head(Object.keys(addresses).at(-1)).stop(NEVER);
    terminal.received = '';
  };
  return { terminal, codes, heads, head, open, end };
}

/** Everything that the interface has, but for what a serial head cannot. */
async function askEverything(head: PtzHead): Promise<void> {
  await head.move({ pan: -1, tilt: 1, zoom: 0 }, 60_000, NEVER);
  await head.move({ pan: 0.5, tilt: -0.5, zoom: 1 }, 60_000, NEVER);
  await head.stop(NEVER);
  await head.home(NEVER);
  await head.setPreset({ token: '5' }, NEVER);
  await head.goToPreset('5', NEVER);
  await head.removePreset('5', NEVER);
  const { absolute } = await head.abilities(NEVER);
  if (absolute) await head.moveTo({ pan: 0.5, tilt: 0, zoom: 1 }, NEVER);
}

/** From the documents that the tests of each protocol name. */
const ON_THE_WIRE: Readonly<Record<HeadLineConfig['protocol'], string>> = {
  'pelco-d': `
    ff01000c3f3f8b
    ff010025000329 ff010032202073
    ff010000000001 ff010000000001
    ff01000700222a
    ff010003000509 ff01000700050d ff01000500050b
    ff01004b232897 ff01004d00004e ff01004fffff4e`,
  'pelco-p': `
    a000000c3f3faf03
    a00000250003af29 a00000322020af3d
    a00000000000af0f a00000000000af0f
    a00000070022af2a
    a00000030005af09 a00000070005af0d a00000050005af0f`,
  visca: `
    883001ff 88010001ff
    8101060118140101ff
    81010601 0d0b 0202 ff 8101040727ff
    8101060101010303ff 8101040700ff
    81010604ff
    8101043f0105ff 8101043f0205ff 8101043f0005ff
    8101060218140004060e00000000ff 8101044704000000ff`,
};

describe('heads on serial lines, by serialport', { concurrency: true }, () => {
  for (const protocol of ['pelco-d', 'pelco-p', 'visca'] as const) {
    it(`are told everything in ${protocol}`, async (test) => {
      const { terminal, head, open, end } = await startLine(test, protocol);
      if (protocol === 'visca') answerAll(terminal, [new ScriptedVisca(1)]);
      await open();
      await askEverything(head());
      await end();
      const wire = ON_THE_WIRE[protocol].replace(/\s/g, '');
      assert.equal(await terminal.hears(wire), wire);
    });
  }

  it('share a bus: whole frames, silence between them, stops first, everybody served', async (test) => {
    const names = { yard: 1, dock: 2, gate: 3 };
    const { terminal, head, open } = await startLine(test, 'pelco-d', names);
    await open();
    const arrivals: number[] = [];
    terminal.on('data', () => arrivals.push(performance.now()));
    const asked = Object.keys(names).flatMap((name) =>
      ['1', '2', '3', '4'].map((token) => head(name).setPreset({ token }, NEVER)),
    );
    await Promise.all([...asked, head('gate').stop(NEVER)]);
    const received = await terminal.hears('..'.repeat(7 * 14));
    const frames = received.match(/.{14}/g) ?? [];
    assert.equal(frames.join(''), terminal.received);
    const heads = frames.map((frame) => Number.parseInt(frame.slice(2, 4), 16));
    // The one on the wire when the stop was asked for, the stop (twice), then in turns.
    assert.deepEqual(heads.slice(0, 3), [1, 3, 3]);
    assert.deepEqual(heads.slice(3).sort(), [1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    assert.deepEqual(new Set(heads.slice(3, 6)).size, 3);
    assert.deepEqual(new Set(heads.slice(6, 9)).size, 3);
    for (const frame of frames) {
      const [, ...bytes] = Buffer.from(frame, 'hex');
      const sum = bytes.pop();
      assert.equal(bytes.reduce((total, byte) => total + byte) & 0xff, sum);
    }
    // 30 ms of transmission and 40 ms of silence each; arrivals may be late, not early.
    const first = arrivals[0] ?? 0;
    const last = arrivals.at(-1) ?? 0;
    assert.ok(last - first > (frames.length - 1) * 65, `${frames.length} in ${last - first} ms`);
  });

  it('obey the newest of many moves, and stop when their time is over', async (test) => {
    const { terminal, head, open } = await startLine(test, 'pelco-d');
    await open();
    const moves = Array.from({ length: 50 }, (_, index) =>
      head().move({ ...RIGHT, pan: (index + 1) / 50 }, 500, NEVER),
    );
    const outcomes = await Promise.allSettled(moves);
    const done = outcomes.filter(({ status }) => status === 'fulfilled');
    assert.equal(done.length, 2);
    assert.equal(outcomes.at(-1)?.status, 'fulfilled');
    const stop = 'ff010000000001';
    await until(() => terminal.received.endsWith(stop + stop), PATIENCE_MS);
    assert.equal(terminal.received, `ff010002020005ff0100023f0042${stop}${stop}`);
  });

  it('are stopped when the line is let go', async (test) => {
    const { terminal, head, open, end } = await startLine(test, 'pelco-d');
    await open();
    await head().move(RIGHT, 60_000, NEVER);
    const from = performance.now();
    await end();
    assert.ok(performance.now() - from < 5_000);
    assert.match(await terminal.hears(MOVED_AND_STOPPED), new RegExp(`^${MOVED_AND_STOPPED}`));
  });

  it('fail at once when the line is unplugged, and are stopped when it is back', async (test) => {
    const { terminal, codes, heads, head, open } = await startLine(test, 'pelco-d');
    await open();
    await head().move(RIGHT, 60_000, NEVER);
    await terminal.unplug();
    await until(() => codes.includes('lost'), PATIENCE_MS);
    const from = performance.now();
    await assert.rejects(head().goToPreset('1', NEVER), { code: 'SERIAL_LINE_DOWN' });
    assert.ok(performance.now() - from < 1_000);
    await until(() => heads.lines()[0]?.code === 'not-found', PATIENCE_MS);
    assert.match(heads.lines()[0]?.reason ?? '', /There is no .*tty\. Is it plugged in/);
    terminal.received = '';
    await terminal.plugIn();
    await until(() => terminal.received.length === 28, PATIENCE_MS);
    assert.equal(terminal.received, 'ff010000000001ff010000000001');
    await head().goToPreset('1', NEVER);
    assert.deepEqual(codes.slice(-2), ['not-found', 'ok']);
  });

  it('are found again behind a line that was hung up', {
    skip: !isRoot && 'needs root',
  }, async (test) => {
    const { terminal, codes, head, open } = await startLine(test, 'pelco-d');
    await open();
    // node-serialport#2043: no event.
    await terminal.hangUp();
    await until(() => codes.filter((code) => code === 'ok').length === 2, PATIENCE_MS);
    assert.deepEqual(codes, ['ok', 'lost', 'ok']);
    terminal.received = '';
    await head().goToPreset('1', NEVER);
    assert.equal(await terminal.hears(PRESET_1), PRESET_1);
  });

  it('are found again when their path leads elsewhere', async (test) => {
    const { terminal, codes, head, open } = await startLine(test, 'pelco-d');
    const other = await PseudoTerminal.make();
    test.after(() => other[Symbol.asyncDispose]());
    await open();
    await rm(terminal.path);
    await symlink(await readlink(other.path), terminal.path);
    await until(() => codes.filter((code) => code === 'ok').length === 2, PATIENCE_MS);
    await head().goToPreset('1', NEVER);
    await until(() => other.received === PRESET_1, PATIENCE_MS);
  });

  it('wait for a line that another program has', async (test) => {
    const { terminal, heads, open } = await startLine(test, 'pelco-d');
    const second = new SerialHeads(
      [{ name: 'b', path: terminal.path, protocol: 'pelco-d', rs485: false, addresses: { a: 1 } }],
      { log: pino({ level: 'silent' }), now: Date.now, random: () => 0 },
    );
    await open();
    const controller = new AbortController();
    second.start(controller.signal);
    test.after(async () => {
      controller.abort();
      await second.stopped();
    });
    await until(() => second.lines()[0]?.code === 'in-use', PATIENCE_MS);
    assert.equal(heads.lines()[0]?.code, 'ok');
  });

  it('answer in VISCA late, not at all, and with errors', async (test) => {
    const names = { late: 1, dead: 2, bad: 3 };
    const { terminal, head, open } = await startLine(test, 'visca', names);
    const late = new ScriptedVisca(1, () => []);
    const bad = new ScriptedVisca(3, (packet) =>
      packet.startsWith('83013f') ? undefined : [hex`00 55 b0 60 02 ff`],
    );
    answerAll(terminal, [late, new ScriptedVisca(2, () => []), bad]);
    terminal.on('data', () => {
      // Within the time that it has, but not at once; and with noise around it.
      setTimeout(() => terminal.say(hex`fe 13 90 41 ff 90 51 ff 7f`), LATE_MS);
    });
    await open();
    await until(() => terminal.received.includes('88010001ff'), PATIENCE_MS);
    const outcomes = await Promise.allSettled([
      head('late').setPreset({ token: '1' }, NEVER),
      head('dead').goToPreset('1', NEVER),
      head('bad').goToPreset('1', NEVER),
      head('late').home(NEVER),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done')),
      ['done', 'VISCA_TIMEOUT', 'VISCA_SYNTAX', 'done'],
    );
    const { message } = (outcomes[1] as PromiseRejectedResult).reason;
    assert.match(message, /mast\/dead does not answer\. Is it switched on, is its address 2/);
  });

  it('say what to do where the package is not installed', async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
    test.after(() => rm(folder, { recursive: true }));
    const { bundle } = await import(pathToFileURL(join(process.cwd(), 'deploy/build.mjs')).href);
    await bundle('drivers/serial/open-port.ts', folder);
    const { openPort } = await import(
      pathToFileURL(join(folder, 'drivers/serial/open-port.js')).href
    );
    const options = { path: '/dev/null', baudRate: 2400, onBytes: () => {}, onGone: () => {} };
    await assert.rejects(openPort(options), /npm install serialport@13/);
  });
});

describe('the gateway with a serial line', { concurrency: true }, () => {
  it('opens it, moves the head of a stream, and stops it before it ends', async (test) => {
    const terminal = await PseudoTerminal.make();
    test.after(() => terminal[Symbol.asyncDispose]());
    await using gateway = await GatewayProcess.start(`
serial: [{ name: mast, path: ${terminal.path}, protocol: pelco-d, addresses: { yard: 1 } }]
streams: { yard: { source: "rtsp://127.0.0.1:1/none", ptz: mast/yard } }`);
    const line = async () => ((await gateway.api('serial')) as { code: string }[])[0]?.code;
    await gateway.until('the line is open', async () => (await line()) === 'ok');
    assert.ok(await gateway.hasLoaded(NATIVE_PART));
    const stop = 'ff010000000001'.repeat(2);
    await gateway.until('an earlier life’s move ends', async () => terminal.received === stop);
    terminal.received = '';
    await ask(gateway, { action: 'move', pan: 1, timeoutMs: 10_000 });
    assert.equal(await terminal.hears('ff0100023f0042'), 'ff0100023f0042');
    const { code, ms } = await gateway.stop();
    assert.equal(code, 0);
    assert.ok(ms < 5_000, `${ms} ms`);
    assert.match(await terminal.hears(MOVED_AND_STOPPED), new RegExp(`^${MOVED_AND_STOPPED}`));
  });

  it('loads nothing of it where none is configured', async () => {
    await using gateway = await GatewayProcess.start('streams: {}');
    assert.equal(await gateway.hasLoaded(NATIVE_PART), false);
  });
});

async function ask(gateway: GatewayProcess, action: object): Promise<void> {
  const response = await fetch(`${gateway.url}/api/v1/cmd/ptz`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ name: 'yard', ...action }),
  });
  assert.equal(response.status, 200, await response.text());
}

/** A chain of heads at the other end of the line. */
function answerAll(terminal: PseudoTerminal, heads: readonly ScriptedVisca[]): void {
  terminal.on('data', (bytes) => {
    const text = Buffer.from(bytes).toString('hex');
    if (text.includes('883001ff')) terminal.say(hex`88 30 0${heads.length + 1} ff`);
    if (text.includes('88010001ff')) terminal.say(hex`88 01 00 01 ff`);
    for (const head of heads) for (const answer of head.hear(bytes)) terminal.say(answer);
  });
}
