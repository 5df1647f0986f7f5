import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { SerialHeads } from '../../../drivers/ptz/serial-heads.ts';
import { hex } from '../../support/hex.ts';
import { ScriptedPorts } from '../../support/scripted-port.ts';
import { ScriptedVisca, type ViscaScript } from '../../support/scripted-visca.ts';
import { until } from '../../support/until.ts';

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);
const DRIVE_RIGHT = '8101060118010203ff';
const DRIVE_STOP = '8101060101010303ff';
const ZOOM_STOP = '8101040700ff';
const RECALL = '8101043f0203ff';

/** Two heads on a line; the scripts are theirs. */
async function startBus(test: TestContext, yard?: ViscaScript, dock?: ViscaScript) {
  const ports = new ScriptedPorts();
  const heads = [new ScriptedVisca(1, yard), new ScriptedVisca(2, dock)] as const;
  const broadcasts: string[] = [];
  ports.on('written', (bytes: Uint8Array) => {
    const packet = Buffer.from(bytes).toString('hex');
    if (packet.startsWith('88')) broadcasts.push(packet);
    if (packet === '883001ff') setImmediate(() => ports.hear(hex`88 30 03 ff`));
    if (packet === '88010001ff') setImmediate(() => ports.hear(bytes));
    const answers = heads.flatMap((head) => head.hear(bytes));
    setImmediate(() => {
      for (const answer of answers) ports.hear(answer);
    });
  });
  const clock = { nowMs: 0 };
  const controller = new AbortController();
  const all = new SerialHeads(
    [
      {
        name: 'mast',
        path: '/dev/ttyX',
        protocol: 'visca',
        baudRate: 115_200,
        rs485: false,
        addresses: { yard: 1, dock: 2 },
      },
    ],
    {
      log: pino({ level: 'silent' }),
      now: () => clock.nowMs,
      random: () => 0,
      openPort: ports.open,
    },
  );
  all.start(controller.signal);
  test.after(async () => {
    controller.abort();
    await all.stopped();
  });
  await until(() => broadcasts.length === 2);
  const head = (name: 'yard' | 'dock') => {
    const found = all.head(`mast/${name}`);
    assert.ok(found);
    return found;
  };
  return { head, ports, clock, broadcasts, yard: heads[0], dock: heads[1] };
}

const only = (script: Record<string, readonly Uint8Array[]>): ViscaScript => {
  return (packet) => script[packet];
};

describe('heads that speak VISCA on a line', { concurrency: true }, () => {
  it('are given addresses, then cleared, then spoken to', async (test) => {
    const { head, broadcasts, yard, dock } = await startBus(test);
    assert.deepEqual(broadcasts, ['883001ff', '88010001ff']);
    await Promise.all([
      head('yard').move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER),
      head('dock').home(NEVER),
    ]);
    await head('yard').stop(NEVER);
    assert.deepEqual(yard.told, [DRIVE_RIGHT, DRIVE_STOP, ZOOM_STOP]);
    assert.deepEqual(dock.told, ['82010604ff']);
  });

  it('are given addresses again when the chain has changed, but not all the time', async (test) => {
    const { ports, broadcasts, clock } = await startBus(test);
    ports.hear(hex`90 38 ff`);
    await sleep(20);
    assert.equal(broadcasts.length, 2);
    clock.nowMs += 10_000;
    ports.hear(hex`90 38 ff`);
    await until(() => broadcasts.length === 4);
    clock.nowMs -= 30 * 365 * 24 * 60 * 60_000;
    ports.hear(hex`90 38 ff`);
    await until(() => broadcasts.length === 6);
  });

  it('tell where they look when one axis is to stay', async (test) => {
    const { head, yard } = await startBus(test);
    await head('yard').moveTo({ tilt: 0, zoom: 1 }, NEVER);
    assert.deepEqual(yard.told, [
      '81090612ff',
      '8101060218140001020300000000ff',
      '8101044704000000ff',
    ]);
  });

  const refusals = [
    ['02', 'VISCA_SYNTAX'],
    ['01', 'VISCA_SYNTAX'],
    ['41', 'VISCA_NOT_EXECUTABLE'],
    ['77', 'VISCA_REFUSED'],
  ] as const;
  for (const [code, want] of refusals) {
    it(`refuse with error ${code}`, async (test) => {
      const script = only({ [RECALL]: [hex`90 60 ${code} ff`] });
      const { head } = await startBus(test, script);
      await assert.rejects(head('yard').goToPreset('3', NEVER), { code: want });
      await head('yard').goToPreset('4', NEVER);
    });
  }

  it('may complete without an acknowledgement', async (test) => {
    const { head } = await startBus(test, only({ [RECALL]: [hex`90 50 ff`] }));
    await head('yard').goToPreset('3', NEVER);
  });

  it('are stopped although one half of them refuses', async (test) => {
    const script = only({ [ZOOM_STOP]: [hex`90 60 02 ff`] });
    const { head } = await startBus(test, script);
    await head('yard').stop(NEVER);
    const { head: other } = await startBus(test, () => [hex`90 60 41 ff`]);
    await assert.rejects(other('yard').stop(NEVER), { code: 'VISCA_NOT_EXECUTABLE' });
  });

  it('that do not answer are told so, and cost others no more than their time', async (test) => {
    const { head, yard, dock } = await startBus(test, () => []);
    const outcomes = await Promise.allSettled([
      head('yard').goToPreset('3', NEVER),
      head('dock').goToPreset('3', NEVER),
      head('yard').setPreset({ token: '3' }, NEVER),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done')),
      ['VISCA_TIMEOUT', 'done', 'VISCA_TIMEOUT'],
    );
    assert.equal(dock.told.length, 1);
    // Before the second command it is told to forget the first, whose answer might come yet.
    assert.deepEqual(yard.told, [RECALL, '81010001ff', '8101043f0103ff']);
  });

  it('that answer too late are not misunderstood', async (test) => {
    let isLate = true;
    const { head, ports } = await startBus(test, (packet) => {
      if (packet === RECALL && isLate) return [];
      return packet === '8101043f0104ff' ? [hex`90 60 41 ff`] : undefined;
    });
    await assert.rejects(head('yard').goToPreset('3', NEVER), { code: 'VISCA_TIMEOUT' });
    isLate = false;
    ports.hear(hex`90 41 ff`);
    await assert.rejects(head('yard').setPreset({ token: '4' }, NEVER), {
      code: 'VISCA_NOT_EXECUTABLE',
    });
  });

  it('that travel are cancelled by a stop', async (test) => {
    const script: ViscaScript = (packet) => {
      if (packet === RECALL) return [hex`90 41 ff`];
      if (packet === '8121ff') return [hex`90 61 04 ff`];
      return packet.startsWith('8101') ? [hex`90 62 41 ff`] : undefined;
    };
    const { head, yard } = await startBus(test, script);
    await head('yard').goToPreset('3', NEVER);
    await head('yard').stop(NEVER);
    assert.deepEqual(yard.told, [RECALL, DRIVE_STOP, ZOOM_STOP, '8121ff']);
  });

  it('that have arrived are not', async (test) => {
    const { head, ports, yard } = await startBus(test, only({ [RECALL]: [hex`90 41 ff`] }));
    await head('yard').goToPreset('3', NEVER);
    ports.hear(hex`90 51 ff`);
    await head('yard').stop(NEVER);
    assert.deepEqual(yard.told, [RECALL, DRIVE_STOP, ZOOM_STOP]);
  });

  it('that travel twice at once are cancelled for a third', async (test) => {
    const script: ViscaScript = (packet) => {
      if (packet === RECALL) return [hex`90 41 ff`];
      if (packet === '81010604ff') return [hex`90 42 ff`];
      return packet.startsWith('812') ? [hex`90 6${packet.slice(3, 4)} 04 ff`] : undefined;
    };
    const { head, yard } = await startBus(test, script);
    await head('yard').goToPreset('3', NEVER);
    await head('yard').home(NEVER);
    await head('yard').goToPreset('4', NEVER);
    assert.deepEqual(yard.told, [RECALL, '81010604ff', '8121ff', '8122ff', '8101043f0204ff']);
  });

  it('may arrive, or have nothing to cancel, before they answer what they were told since', async (test) => {
    const script = only({
      [RECALL]: [hex`90 41 ff`],
      '8101043f0101ff': [hex`90 51 ff`, hex`90 60 41 ff`],
      '8101043f0102ff': [hex`90 61 05 ff`, hex`90 62 04 ff`, hex`90 42 ff`, hex`90 52 ff`],
    });
    const { head } = await startBus(test, script);
    await head('yard').goToPreset('3', NEVER);
    await assert.rejects(head('yard').setPreset({ token: '1' }, NEVER), {
      code: 'VISCA_NOT_EXECUTABLE',
    });
    await head('yard').setPreset({ token: '2' }, NEVER);
  });

  it('end the axis that moved before, and say nothing of one that did not', async (test) => {
    const { head, yard } = await startBus(test);
    await head('yard').move({ pan: 0, tilt: 0, zoom: 1 }, 60_000, NEVER);
    await head('yard').move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER);
    await head('yard').move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER);
    assert.deepEqual(yard.told, ['8101040727ff', DRIVE_RIGHT, ZOOM_STOP, DRIVE_RIGHT]);
  });

  it('are not waited for on a line that is lost', async (test) => {
    const { head, ports, yard } = await startBus(test, () => []);
    const asked = [head('yard').goToPreset('3', NEVER), head('dock').goToPreset('3', NEVER)];
    await until(() => yard.told.length === 1);
    const from = performance.now();
    ports.unplug();
    await Promise.all(asked.map((job) => assert.rejects(job, { code: 'SERIAL_LINE_DOWN' })));
    assert.ok(performance.now() - from < 300);
  });

  it('whose sockets others have taken are freed for a move, but not for a memory', async (test) => {
    let isFull = true;
    const { head, yard } = await startBus(test, (packet) => {
      if (packet === '8122ff') isFull = false;
      return isFull && packet.startsWith('8101') ? [hex`90 60 03 ff`] : undefined;
    });
    await assert.rejects(head('yard').setPreset({ token: '1' }, NEVER), {
      code: 'VISCA_BUFFER_FULL',
    });
    await head('yard').move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER);
    assert.deepEqual(yard.told.slice(1), [DRIVE_RIGHT, '8121ff', '8122ff', DRIVE_RIGHT]);
  });

  it('are heard between noise and each other', async (test) => {
    const noisy: ViscaScript = (packet) =>
      packet === RECALL
        ? [hex`00 7f a0 51 ff 33`, hex`c1 90 41 ff ff ff`, hex`b0 41 ff 90`, hex`51 ff`]
        : undefined;
    const { head } = await startBus(test, noisy);
    await Promise.all([head('yard').goToPreset('3', NEVER), head('dock').goToPreset('3', NEVER)]);
  });
});
