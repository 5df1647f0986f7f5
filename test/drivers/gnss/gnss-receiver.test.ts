import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import type { GnssReading } from '../../../drivers/gnss/gnss-reading.ts';
import { GnssReceiver } from '../../../drivers/gnss/gnss-receiver.ts';
import {
  asSent,
  QUECTEL_FIX,
  QUECTEL_SEARCHING,
  UBLOX_START,
} from '../../protocols/nmea/receiver-logs.ts';
import { sentence } from '../../protocols/nmea/sentence.ts';
import { hex } from '../../support/hex.ts';
import { ScriptedPorts } from '../../support/scripted-port.ts';

async function begin(t: TestContext, refusal?: Error) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  const ports = new ScriptedPorts();
  ports.refusal = refusal;
  const readings: GnssReading[] = [];
  const lineCodes: string[] = [];
  const receiver = new GnssReceiver(
    { path: '/dev/ttyX', rs485: false },
    {
      log: pino({ level: 'silent' }),
      now: () => Date.now(),
      monotonicMs: () => Date.now(),
      random: () => 1,
      openPort: ports.open,
      told: (reading) => readings.push(reading),
      lineChanged: ({ code }) => lineCodes.push(code),
    },
  );
  const controller = new AbortController();
  const running = receiver.run(controller.signal);
  t.after(async () => {
    controller.abort();
    await pass(5);
    await running;
  });
  /** Each second the receiver sends something, or not. */
  const pass = async (seconds: number, sent?: Uint8Array) => {
    for (let second = 0; second < seconds; second += 1) {
      if (sent !== undefined) ports.hear(sent);
      for (let part = 0; part < 10; part += 1) {
        t.mock.timers.tick(100);
        await turn();
      }
    }
  };
  await turn();
  return { receiver, ports, readings, lineCodes, pass };
}

test('from the start to a fix, and back', async (t) => {
  const { receiver, pass, readings } = await begin(t);
  assert.match(receiver.reading().reason, /has just been opened/);
  await pass(2, asSent(UBLOX_START));
  assert.match(receiver.reading().reason, /see the sky/);
  assert.equal(receiver.reading().code, 'no-fix');
  await pass(2, asSent(QUECTEL_SEARCHING));
  assert.deepEqual(
    [receiver.reading().state, receiver.reading().code, receiver.reading().fix],
    ['searching', 'no-fix', undefined],
  );
  await pass(2, asSent(QUECTEL_FIX));
  assert.deepEqual([receiver.reading().state, receiver.reading().reason], ['fix', '']);
  await pass(7, asSent(QUECTEL_SEARCHING));
  assert.match(receiver.reading().reason, /antenna needs to see the sky/);
  await pass(1, asSent(QUECTEL_FIX));
  assert.equal(receiver.reading().state, 'fix');
  const changes = readings.filter(({ code }, index) => code !== readings[index - 1]?.code);
  assert.deepEqual(
    changes.map(({ code }) => code),
    ['no-fix', 'ok', 'no-fix', 'ok'],
  );
});

test('nothing comes, or nothing that can be read: two causes', async (t) => {
  const { receiver, pass } = await begin(t);
  await pass(8);
  assert.deepEqual([receiver.reading().state, receiver.reading().code], ['silent', 'no-data']);
  await pass(8, hex`00 f8 80 fe 24 00 fc 24 24 80 f0`);
  assert.equal(receiver.reading().code, 'not-nmea');
  assert.match(receiver.reading().reason, /baudRate right \(now 4800;/);
  await pass(8);
  assert.equal(receiver.reading().code, 'no-data');
});

test('is unplugged with a fix, and returns', async (t) => {
  const { receiver, ports, lineCodes, pass } = await begin(t);
  await pass(2, asSent(QUECTEL_FIX));
  ports.refusal = new Error('No such file or directory, cannot open /dev/ttyX');
  ports.absence = new Error('gone');
  await pass(5);
  assert.deepEqual(
    [receiver.reading().state, receiver.reading().code, receiver.reading().fix],
    ['waiting', 'not-found', undefined],
  );
  ports.refusal = undefined;
  ports.absence = undefined;
  await pass(6);
  // What it said before it went does not hold any more.
  assert.equal(receiver.reading().code, 'no-fix');
  await pass(1, asSent(QUECTEL_FIX));
  assert.equal(receiver.reading().code, 'ok');
  assert.deepEqual(lineCodes, ['ok', 'lost', 'not-found', 'ok']);
});

test('a line that cannot be opened is told as the line tells it', async (t) => {
  const { receiver, pass } = await begin(t, new Error('Permission denied, cannot open /dev/ttyX'));
  await pass(1);
  assert.deepEqual([receiver.reading().state, receiver.reading().code], ['waiting', 'denied']);
  assert.match(receiver.reading().reason, /dialout/);
});

test('sentences that are nonsense in spite of their checksum are left out', async (t) => {
  const { receiver, pass } = await begin(t);
  await pass(8, sentence('GPRMC,999999,A,9945.8,N,03124.6,E,1.3,300.5,999999,,,A'));
  assert.equal(receiver.reading().code, 'no-fix');
});
