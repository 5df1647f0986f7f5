import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { SerialLine, type SerialLineOwner } from '../../../drivers/serial/serial-line.ts';
import { hex } from '../../support/hex.ts';
import { ScriptedPorts } from '../../support/scripted-port.ts';

const SILENT = pino({ level: 'silent' });

function openLine(
  test: TestContext,
  {
    owner,
    ...more
  }: {
    owner?: Partial<SerialLineOwner>;
    rs485?: boolean;
    enableRs485?: () => void;
    refusal?: Error;
  },
) {
  test.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const ports = new ScriptedPorts();
  ports.refusal = more.refusal;
  const codes: string[] = [];
  const heard: number[] = [];
  const line = new SerialLine(
    { path: '/dev/ttyX', baudRate: 2400, rs485: more.rs485 ?? false },
    {
      bytes: (bytes) => heard.push(...bytes),
      changed: ({ code }) => codes.push(code),
      ...owner,
    },
    {
      log: SILENT,
      now: () => Date.now(),
      random: () => 1,
      openPort: ports.open,
      ...(more.enableRs485 === undefined ? {} : { enableRs485: more.enableRs485 }),
    },
  );
  const controller = new AbortController();
  const running = line.run(controller.signal);
  const end = async () => {
    controller.abort();
    await passes(test, 5_000);
    await running;
  };
  return { line, ports, codes, heard, end };
}

/** Lets time pass in small steps, and what waits for it go on. */
async function passes(test: TestContext, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    test.mock.timers.tick(50);
    await turn();
  }
  await turn();
}

describe('a serial line', () => {
  it('opens, writes, hears, and closes at the end', async (test) => {
    const { line, ports, codes, heard, end } = openLine(test, {});
    await turn();
    assert.equal(line.state.code, 'ok');
    await line.write(hex`ff 01`);
    ports.hear(hex`a2`);
    assert.deepEqual(ports.written, ['ff01']);
    assert.deepEqual(heard, [0xa2]);
    await end();
    assert.deepEqual(codes, ['ok', 'stopped']);
    assert.equal(ports.closed, 1);
    await assert.rejects(line.write(hex`00`), { code: 'SERIAL_LINE_DOWN' });
  });

  it('knows how long bytes take', (test) => {
    const { line } = openLine(test, {});
    assert.equal(line.transmissionMs(7), 30);
  });

  const refusals: readonly (readonly [words: string, code: string, says: RegExp])[] = [
    ['Error: No such file or directory, cannot open /dev/ttyX', 'not-found', /plugged in/],
    ['Error: Permission denied, cannot open /dev/ttyX', 'denied', /dialout/],
    ['Error Resource temporarily unavailable Cannot lock port', 'in-use', /Another program/],
    ['Error: Input/output error setting custom baud rate of 9601', 'failed', /9601/],
  ];
  for (const [words, code, says] of refusals) {
    it(`tells ${code}, fails what is asked at once, and opens it later`, async (test) => {
      const { line, ports, codes, end } = openLine(test, { refusal: new Error(words) });
      await turn();
      assert.equal(line.state.code, code);
      assert.match(line.state.reason, says);
      await assert.rejects(line.write(hex`00`), { code: 'SERIAL_LINE_DOWN', message: says });
      await passes(test, 20_000);
      ports.refusal = undefined;
      await passes(test, 5_000);
      assert.deepEqual(codes, [code, 'ok']);
      await end();
    });
  }

  it('says what to do where the package is missing', async (test) => {
    const refusal = new UnsupportedError('run npm install serialport@13');
    const { line, end } = openLine(test, { refusal });
    await turn();
    assert.deepEqual(
      { code: line.state.code, reason: line.state.reason },
      { code: 'no-package', reason: 'run npm install serialport@13' },
    );
    await end();
  });

  it('is opened again when the device was unplugged and returns', async (test) => {
    const told: string[] = [];
    const { line, ports, codes, end } = openLine(test, {
      owner: { opened: () => told.push('opened'), lost: ({ message }) => told.push(message) },
    });
    await turn();
    ports.refusal = new Error('No such file or directory');
    ports.unplug();
    await turn();
    assert.equal(line.state.code, 'lost');
    await assert.rejects(line.write(hex`00`), /Plug it in again/);
    await passes(test, 3_000);
    assert.equal(line.state.code, 'not-found');
    ports.refusal = undefined;
    await passes(test, 5_000);
    await line.write(hex`01`);
    assert.deepEqual(codes, ['ok', 'lost', 'not-found', 'ok']);
    assert.equal(told.length, 3);
    assert.match(told[1] ?? '', /has gone/);
    await end();
  });

  it('notices within 2 s that a device has gone which says nothing', async (test) => {
    const { codes, ports, end } = openLine(test, {});
    await turn();
    ports.absence = new Error('another device has its path');
    await passes(test, 2_100);
    assert.deepEqual(codes, ['ok', 'lost']);
    ports.absence = undefined;
    await passes(test, 1_000);
    assert.equal(ports.opened, 2);
    assert.equal(ports.closed, 1);
    await end();
  });

  it('opens a line anew that takes no bytes', async (test) => {
    const { line, ports, codes, end } = openLine(test, {});
    await turn();
    ports.isStuck = true;
    const writing = assert.rejects(line.write(hex`00`), /takes no bytes/);
    await passes(test, 2_000);
    await writing;
    ports.isStuck = false;
    await passes(test, 1_000);
    await line.write(hex`01`);
    assert.deepEqual(codes, ['ok', 'stuck', 'ok']);
    await end();
  });

  it('lets its owner say the last words, but not for ever', async (test) => {
    const { line, ports, end } = openLine(test, {
      owner: {
        closing: async () => {
          await line.write(hex`dd`);
          await new Promise(() => {});
        },
      },
    });
    await turn();
    await end();
    assert.deepEqual(ports.written, ['dd']);
    assert.equal(ports.closed, 1);
  });

  it('switches the direction by the kernel where that is wanted and can be had', async (test) => {
    let switched = 0;
    const enableRs485 = () => {
      switched += 1;
    };
    const { end } = openLine(test, { rs485: true, enableRs485 });
    await turn();
    assert.equal(switched, 1);
    await end();
  });

  it('works without that, too', async (test) => {
    const enableRs485 = () => {
      throw new Error('ENOTTY');
    };
    const { line, end } = openLine(test, { rs485: true, enableRs485 });
    await turn();
    assert.equal(line.state.code, 'ok');
    await end();
  });
});
