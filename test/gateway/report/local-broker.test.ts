import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import packets from 'mqtt-packet';
import { pino } from 'pino';
import { EmbeddedBroker } from '../../../gateway/report/embedded-broker.ts';
import { LocalBroker } from '../../../gateway/report/local-broker.ts';
import { untilClosed } from '../../support/until-closed.ts';

async function startBroker(t: TestContext) {
  const log = pino({ enabled: false });
  const broker = await LocalBroker.open(log, { message: () => {}, greeting: () => [] });
  const entrance = new EmbeddedBroker('127.0.0.1:0', log, () => Promise.resolve(broker));
  await entrance.start();
  t.after(async () => {
    await broker.close();
    await entrance.close();
  });
  const open = async (clientId: string) => {
    const socket = connect(entrance.port ?? 0, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(packets.generate({ cmd: 'connect', clientId, clean: true, keepalive: 0 }));
    await once(socket, 'data');
    return socket;
  };
  return { broker, open };
}

test('a client that subscribes over and over is closed, others stay', async (t) => {
  const { broker, open } = await startBroker(t);
  broker.publish({ topic: 'a', payload: 'kept', qos: 0, retain: true });
  const subscribe = packets.generate({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: '#', qos: 0 }],
  });
  const calm = await open('calm');
  for (let count = 0; count < 150; count += 1) calm.write(subscribe);
  await once(calm, 'data');

  const eager = await open('eager');
  const closed = untilClosed(eager);
  eager.resume();
  for (let count = 0; count < 2_000; count += 1) eager.write(subscribe);
  await closed;

  calm.write(packets.generate({ cmd: 'pingreq' }));
  await once(calm, 'data');
  assert.equal(calm.destroyed, false);
  calm.destroy();
});

test('a client that has the broker keep more and more is closed', async (t) => {
  const { open } = await startBroker(t);
  const client = await open('hoarder');
  const keep = (topic: string) => {
    const packet = { topic, payload: 'kept', qos: 0, retain: true, dup: false } as const;
    client.write(packets.generate({ cmd: 'publish', ...packet }));
  };
  for (let n = 0; n < 1_000; n += 1) keep(`t/${n}`);
  client.write(packets.generate({ cmd: 'pingreq' }));
  await once(client, 'data');
  const closed = once(client, 'close', { signal: AbortSignal.timeout(10_000) });
  client.resume();
  keep('one-more');
  await closed;
});
