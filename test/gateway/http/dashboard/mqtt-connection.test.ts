/** The page's connection against a real broker over WebSocket, old and new, and against none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { effect, type ReadonlySignal } from '@preact/signals';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { CommandFailure, type Connection } from '../../../../gateway/http/dashboard/model.ts';
import { MqttConnection } from '../../../../gateway/http/dashboard/mqtt-connection.ts';
import { MqttModel } from '../../../../gateway/http/dashboard/mqtt-model.ts';

const TEST_MS = 30_000;

/** aedes speaks 3.1.1 alone: an old broker. */
class OldBroker {
  readonly url: string;
  readonly aedes: Aedes;
  readonly #server: Server;

  private constructor(aedes: Aedes, server: Server) {
    this.aedes = aedes;
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`;
  }

  static async start(): Promise<OldBroker> {
    const aedes = await Aedes.createBroker();
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      const stream = createWebSocketStream(socket);
      stream.on('error', () => {});
      aedes.handle(stream);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OldBroker(aedes, server);
  }

  publish(topic: string, payload: string, retain = true): Promise<void> {
    return new Promise((resolve, reject) => {
      this.aedes.publish(
        { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain, dup: false },
        (error) => (error ? reject(error) : resolve()),
      );
    });
  }

  /** As a gateway would. */
  answer(verb: string, reply: (request: { id: string }) => object): void {
    const topic = `sluice/box/cmd/${verb}`;
    this.aedes.subscribe(
      topic,
      (packet, done) => {
        const request = JSON.parse(String(packet.payload));
        void this.publish(`sluice/box/res/${verb}`, JSON.stringify(reply(request)), false);
        done();
      },
      () => {},
    );
  }

  stop(): void {
    this.aedes.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function connect(
  url: string,
  {
    gateway,
    needsLogin = () => Promise.resolve(false),
  }: { gateway?: string; needsLogin?: () => Promise<boolean> } = {},
) {
  const model = new MqttModel({
    baseTopic: 'sluice',
    only: gateway,
    makeUrl: () => 'blob:1',
    dropUrl: () => {},
  });
  return new MqttConnection({
    url,
    baseTopic: 'sluice',
    gateway,
    login: undefined,
    model,
    needsLogin,
    loadMqtt: () => Promise.resolve(mqtt),
  });
}

function until<T>(source: ReadonlySignal<T>, isSo: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      const { value } = source;
      if (!isSo(value)) return;
      queueMicrotask(() => stop());
      resolve(value);
    });
  });
}

const isAt = (at: Connection['at']) => (connection: Connection) => connection.at === at;

describe('the connection of the page', { timeout: TEST_MS }, () => {
  let broker: OldBroker;

  before(async () => {
    broker = await OldBroker.start();
    await broker.publish('sluice/box/state', 'online');
    await broker.publish('sluice/other/state', 'online');
  });

  after(() => broker.stop());

  it('with nobody there: says so, and commands are refused at once', async () => {
    const connection = connect('ws://127.0.0.1:9/mqtt', { gateway: 'box' });
    const run = connection.run();
    const waiting = await until(connection.connection, isAt('waiting'));
    assert.match('reason' in waiting ? waiting.reason : '', /127\.0\.0\.1:9 does not answer/);
    await assert.rejects(connection.command('box', 'discover', {}), { code: 'offline' });
    connection.stop();
    await run;
  });

  it('refused for want of a login: ends, and says so', async () => {
    const needsLogin = () => Promise.resolve(true);
    const connection = connect('ws://127.0.0.1:9/mqtt', { gateway: 'box', needsLogin });
    await connection.run();
    assert.deepEqual(connection.connection.value, { at: 'login-needed' });
  });

  it('a lost connection is told at once, though nobody says whether a login is needed', async () => {
    const connection = connect('ws://127.0.0.1:9/mqtt', {
      gateway: 'box',
      needsLogin: () => new Promise(() => {}),
    });
    void connection.run();
    await until(connection.connection, isAt('waiting'));
    connection.stop();
  });

  it('shows one gateway, and takes its replies by their id', async () => {
    broker.answer('log/level', ({ id }) => ({ id, ok: true, data: { level: 'debug' } }));
    broker.answer('stream/restart', ({ id }) => ({
      id,
      ok: false,
      error: { code: 'not-found', message: 'no such stream' },
    }));
    const connection = connect(broker.url, { gateway: 'box' });
    const run = connection.run();
    await until(connection.connection, isAt('connected'));
    const [gateway] = await until(connection.gateways, ({ length }) => length > 0);
    assert.equal(gateway?.id, 'box');
    assert.deepEqual(await connection.command('box', 'log/level', {}), { level: 'debug' });
    await assert.rejects(
      connection.command('box', 'stream/restart', { name: 'cam' }),
      (error) => error instanceof CommandFailure && error.code === 'not-found',
    );
    const asked = connection.command('box', 'discover', {});
    connection.stop();
    await assert.rejects(asked, { code: 'offline' });
    await run;
  });

  it('the fleet view falls back to 3.1.1, and shows all', async () => {
    const connection = connect(broker.url);
    const run = connection.run();
    await until(connection.gateways, ({ length }) => length === 2);
    await until(connection.connection, isAt('connected'));
    connection.stop();
    await run;
  });
});
