/** Brokers that are silent, or say too much: each costs its connection, is told in words, and is tried again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeReporting, type Reporting } from '../support/reporting.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { until } from '../support/until.ts';

function warningOf({ lines }: Reporting): string {
  return String(lines.find(({ level }) => level === 40)?.['msg']);
}

it('one that never answers CONNECT', async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reporting = makeReporting({ url: `mqtt://127.0.0.1:${port}` });
  await reporting.reporter.start();
  try {
    await until(() => sockets.length === 1);
    const closed = once(sockets[0]!, 'close');
    // Until the client is there that waits for the answer.
    await until(() => {
      t.mock.timers.tick(1_000);
      return reporting.lines.some(({ level }) => level === 40);
    });
    await closed;
    assert.match(warningOf(reporting), /it does not answer in time/);
    await until(() => {
      t.mock.timers.tick(1_000);
      return sockets.length === 2;
    });
  } finally {
    t.mock.timers.reset();
    await reporting.reporter.stop();
    server.close();
  }
});

it('one whose connection is dead without a word: noticed within half a minute', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const broker = await ScriptedBroker.start('code-1');
  const reporting = makeReporting({ url: broker.url });
  const { board, reporter } = reporting;
  await reporter.start();
  try {
    await until(() => reporter.isConnected);
    await until(() => broker.published.length > 1);
    broker.mute();
    for (let second = 0; second < 31 && reporter.isConnected; second += 1) {
      board.emit('event', { at: 'now', type: 'seen', message: `${second}` });
      t.mock.timers.tick(1_000);
      await sleep(5);
    }
    await until(() => !reporter.isConnected);
    assert.match(warningOf(reporting), /it does not answer any more/);
  } finally {
    await reporter.stop();
    await broker.stop();
  }
});

it('a packet without end costs the connection, at its header', async () => {
  const broker = await ScriptedBroker.start('code-1');
  const reporting = makeReporting({ url: broker.url });
  const { reporter } = reporting;
  await reporter.start();
  try {
    await until(() => reporter.isConnected);
    // PUBLISH of 100 MB, of which little has come.
    broker.sendToAll(Buffer.of(0x30, 0x80, 0xc2, 0xd7, 0x2f, 0, 1, 0x61));
    await until(() => !reporter.isConnected);
    assert.match(warningOf(reporting), /a packet of more than 262144 bytes/);
    await until(() => reporter.isConnected);
  } finally {
    await reporter.stop();
    await broker.stop();
  }
});
