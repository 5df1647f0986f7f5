import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { parseConfig } from '../../gateway/config/load.ts';
import { Position, type PositionContext } from '../../gateway/position.ts';
import { Board } from '../../gateway/report/board.ts';
import type { GatewayEvent, PositionStatus } from '../../gateway/report/status.ts';
import { sentence } from '../protocols/nmea/sentence.ts';
import { ScriptedPorts } from '../support/scripted-port.ts';

const NOON = Date.UTC(2025, 10, 25, 12);

/** What a receiver on this meridian sends at a second of the day. 0.01 minutes are 18.5 m. */
function at(minutes: number, second: number): Buffer {
  const time = new Date(NOON + second * 1000).toISOString().slice(11, 19).replaceAll(':', '');
  const place = `4333.${String(Math.round(minutes * 1e6)).padStart(6, '0')},N,00127.618380,E`;
  return Buffer.concat([
    sentence(`GNGGA,${time}.00,${place},1,12,1.3,250.84,M,50.0,M,,`),
    sentence(`GNRMC,${time}.00,A,${place},0.0,,251125,1.7,W,A,V`),
  ]);
}

async function begin(t: TestContext, serial: readonly object[]) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: NOON });
  const ports = new ScriptedPorts();
  const board = new Board();
  const told: PositionStatus[] = [];
  const events: GatewayEvent[] = [];
  board.on('position', (status) => told.push(status));
  board.on('event', (event) => events.push(event));
  const config = parseConfig(JSON.stringify({ serial }), { file: 't', folder: '/', env: {} });
  const context: PositionContext = {
    board,
    log: pino({ level: 'silent' }),
    // Two seconds fast.
    now: () => Date.now() + 2_000,
    monotonicMs: () => Date.now(),
    random: () => 0,
    openPort: ports.open,
    isClockSynchronised: async () => false,
  };
  const position = new Position(config.serial, context);
  const controller = new AbortController();
  await position.start(controller.signal);
  let second = 0;
  /** `minutes`: where it is; undefined: it says nothing. */
  const pass = async (seconds: number, minutes?: number) => {
    for (const end = second + seconds; second < end; second += 1) {
      if (minutes !== undefined) ports.hear(at(minutes, second));
      for (let part = 0; part < 4; part += 1) {
        t.mock.timers.tick(250);
        await turn();
      }
    }
  };
  const end = async () => {
    controller.abort();
    await pass(2);
    await position.stopped();
  };
  await turn();
  return { board, told, events, pass, end };
}

const ROOF = [{ name: 'roof', path: '/dev/ttyX', protocol: 'nmea' }];

test('tells where the box is, and how wrong its clock', async (t) => {
  const { board, told, pass, end } = await begin(t, ROOF);
  await pass(1);
  assert.deepEqual(
    [told.at(-1)?.code, told.at(-1)?.fix, told.at(-1)?.latitude],
    ['no-fix', 'none', null],
  );
  await pass(2, 0.190206);
  const { since, at: when, ...status } = board.position ?? assert.fail();
  assert.deepEqual(status, {
    receiver: 'roof',
    state: 'fix',
    code: 'ok',
    reason: 'The receiver knows where it is.',
    fix: '3d',
    latitude: 43.55317,
    longitude: 1.460306,
    altitudeM: 250.8,
    satellites: 12,
    hdop: 1.3,
    speedKmh: 0,
    time: { source: 'gnss', offsetMs: 2000, synchronised: false },
  });
  assert.equal(since, when);
  assert.equal(board.serial.get('roof')?.state, 'open');
  await end();
  assert.deepEqual([board.position?.code, board.position?.fix], ['stopped', 'none']);
});

test('when it has moved, every 10 s at most; when it has not, once a minute', async (t) => {
  const { board, told, pass, end } = await begin(t, ROOF);
  await pass(20, 0.19);
  told.length = 0;
  // 18 m: receivers that stand still wander.
  await pass(20, 0.2);
  assert.equal(told.length, 0);
  await pass(5, 0.21);
  assert.equal(told.length, 1);
  assert.equal(board.position?.latitude, 43.5535);
  await pass(5, 0.29);
  assert.equal(told.length, 1);
  await pass(10, 0.29);
  assert.equal(told.length, 2);
  await pass(45, 0.29);
  assert.equal(told.length, 2);
  await pass(10, 0.29);
  assert.equal(told.length, 3);
  await end();
});

test('at once when the position is lost or back, with a word to people', async (t) => {
  const { board, told, events, pass, end } = await begin(t, ROOF);
  await pass(5, 0.19);
  told.length = 0;
  await pass(8);
  const codes = () => told.map(({ code }) => code);
  assert.deepEqual(codes(), ['no-fix', 'no-data']);
  assert.equal(board.position?.time.source, null);
  await pass(2, 0.19);
  assert.deepEqual(codes(), ['no-fix', 'no-data', 'ok']);
  await end();
  assert.deepEqual(
    events.map(({ type }) => type),
    ['position-lost', 'position-fix'],
  );
});

test('without a receiver there is nothing to tell', async (t) => {
  const { board, end } = await begin(t, [
    { name: 'mast', path: '/dev/ttyX', protocol: 'pelco-d', addresses: { a: 1 } },
  ]);
  await end();
  assert.equal(board.position, undefined);
  assert.equal(board.serial.size, 0);
});
