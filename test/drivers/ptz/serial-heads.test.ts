import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import pino from 'pino';
import { type HeadLineConfig, SerialHeads } from '../../../drivers/ptz/serial-heads.ts';
import { ScriptedPorts } from '../../support/scripted-port.ts';
import { until } from '../../support/until.ts';

const NEVER = new AbortController().signal;
/** So fast that the silence behind each frame is what takes time. */
const MAST: HeadLineConfig = {
  name: 'mast',
  path: '/dev/ttyX',
  protocol: 'pelco-d',
  baudRate: 115_200,
  rs485: false,
  addresses: { yard: 1, dock: 2 },
};
const RIGHT = { pan: 1, tilt: 0, zoom: 0 };

const lastOf = ({ name, addresses }: HeadLineConfig) => `${name}/${Object.keys(addresses).at(-1)}`;

async function startHeads(test: TestContext, configs: readonly HeadLineConfig[] = [MAST]) {
  const ports = new ScriptedPorts();
  const codes: string[] = [];
  const controller = new AbortController();
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(JSON.parse(line).msg) });
  const heads = new SerialHeads(configs, {
    log,
    now: () => Date.now(),
    random: () => 0,
    openPort: ports.open,
    changed: ({ name, code }) => codes.push(`${name} ${code}`),
  });
  heads.start(controller.signal);
  const end = async () => {
    controller.abort();
    await heads.stopped();
  };
  test.after(end);
  await until(() => heads.lines().every(({ code }) => code === 'ok'));
  // An earlier life may have left them moving.
  const told = configs.flatMap(({ protocol, addresses }) =>
    protocol === 'visca' ? [] : Object.keys(addresses),
  );
  // Twice each.
  await until(() => ports.written.length === 2 * told.length);
  const stops = [...ports.written];
  // The last of them is still under way.
  await Promise.all(configs.map((config) => heads.head(lastOf(config))?.stop(NEVER)));
  ports.written.length = 0;
  const head = (name: string) => {
    const found = heads.head(name);
    assert.ok(found);
    return found;
  };
  return { heads, head, ports, codes, logged, stops, end };
}

describe('heads on serial lines', { concurrency: true }, () => {
  it('are found by line and name', async (test) => {
    const other: HeadLineConfig = { ...MAST, name: 'roof', protocol: 'pelco-p' };
    const { heads, head } = await startHeads(test, [MAST, other]);
    assert.equal(heads.head('mast/attic'), undefined);
    assert.equal(heads.head('yard'), undefined);
    const { protocol } = await head('roof/yard').abilities(NEVER);
    assert.equal(protocol, 'pelco-p');
  });

  it('tell what their lines do', async (test) => {
    const { heads, codes, end } = await startHeads(test);
    const [line] = heads.lines();
    assert.deepEqual(
      { ...line, sinceMs: 0 },
      {
        name: 'mast',
        path: '/dev/ttyX',
        code: 'ok',
        reason: '',
        sinceMs: 0,
      },
    );
    await end();
    assert.deepEqual(codes, ['mast ok', 'mast stopped']);
  });

  /** Found by attack: kill -9, or a power cut, while a head turns. */
  it('are stopped first of all: an earlier life may have left them moving', async (test) => {
    const { stops } = await startHeads(test);
    const [yard, dock] = ['ff010000000001', 'ff020000000002'];
    assert.deepEqual(stops, [yard, yard, dock, dock]);
  });

  it('share a bus', async (test) => {
    const { head, ports } = await startHeads(test);
    await Promise.all([
      head('mast/yard').goToPreset('1', NEVER),
      head('mast/dock').goToPreset('1', NEVER),
      head('mast/yard').stop(NEVER),
    ]);
    assert.deepEqual(ports.written, [
      'ff010007000109',
      'ff010000000001',
      'ff010000000001',
      'ff02000700010a',
    ]);
  });

  it('are stopped before the line is closed', async (test) => {
    const { head, ports, end } = await startHeads(test);
    await head('mast/dock').move(RIGHT, 60_000, NEVER);
    await end();
    assert.equal(ports.written.at(-1), 'ff020000000002');
    assert.equal(ports.closed, 1);
  });

  it('are stopped when the line returns on which they were left moving', async (test) => {
    const { head, ports } = await startHeads(test);
    await head('mast/yard').move(RIGHT, 60_000, NEVER);
    ports.unplug();
    await assert.rejects(head('mast/yard').stop(NEVER), { code: 'SERIAL_LINE_DOWN' });
    await until(() => ports.written.length === 3);
    assert.deepEqual(ports.written.slice(1), ['ff010000000001', 'ff010000000001']);
    assert.equal(ports.opened, 2);
  });

  it('fail at once while their line is lost, also what waited', async (test) => {
    const { head, ports } = await startHeads(test);
    const waiting = [
      head('mast/yard').goToPreset('1', NEVER),
      head('mast/dock').goToPreset('1', NEVER),
      head('mast/dock').setPreset({ token: '2' }, NEVER),
    ];
    ports.unplug();
    const outcomes = await Promise.allSettled(waiting);
    // The first was on the wire already.
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
  });

  it('are not taken for moving when the line was down that they were to be told on', async (test) => {
    const { heads, head, ports } = await startHeads(test);
    ports.refusal = new Error('No such file or directory');
    ports.unplug();
    await until(() => heads.lines()[0]?.code === 'not-found');
    await assert.rejects(head('mast/yard').move(RIGHT, 0, NEVER), { code: 'SERIAL_LINE_DOWN' });
    ports.refusal = undefined;
    await until(() => ports.opened === 2);
    await head('mast/dock').goToPreset('1', NEVER);
    assert.deepEqual(ports.written, ['ff02000700010a']);
  });

  it('leave nothing behind, also when the line is not there at the end', async (test) => {
    const { heads, head, ports, logged, end } = await startHeads(test);
    await head('mast/yard').move(RIGHT, 60_000, NEVER);
    ports.refusal = new Error('No such file or directory');
    ports.unplug();
    await until(() => heads.lines()[0]?.code === 'not-found');
    await end();
    assert.ok(logged.includes('a head is left moving'));
  });
});
