import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { RetriedListening } from '../../gateway/retried-listening.ts';
import { collectingLog } from '../support/reporting.ts';

/** What was opened, disposed of and told. */
class Setup {
  readonly logged = collectingLog();
  readonly told: string[] = [];
  readonly servers: Server[] = [];
  disposed = 0;
  readonly listening: RetriedListening;

  /** `opening`: what happens to each server before it listens. */
  constructor(listen: string, opening: (server: Server) => void = () => undefined) {
    this.listening = new RetriedListening({
      listen,
      open: () => {
        const server = createServer();
        this.servers.push(server);
        opening(server);
        return { server, extra: { [Symbol.dispose]: () => this.#disposedOf() } };
      },
      success: 'it listens',
      tellProblem: (words) => this.told.push(words),
      log: this.logged.log,
    });
  }

  #disposedOf(): void {
    this.disposed += 1;
  }
}

async function taken(): Promise<{ other: Server; listen: string }> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { other, listen: `127.0.0.1:${address.port}` };
}

describe('a port that is listened on as soon as it can be', () => {
  it('tells of the same trouble once, keeps nothing of an attempt that failed, and listens in the end', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { other, listen } = await taken();
    const setup = new Setup(listen);
    const { listening, servers } = setup;
    const after = async (attempts: number) => {
      while (servers.length < attempts || setup.disposed < attempts - 1) {
        t.mock.timers.tick(5_000);
        await new Promise(setImmediate);
      }
    };
    await listening.start();
    await after(3);
    other.close();
    await once(other, 'close');
    await after(4);
    while (listening.port === undefined) await new Promise(setImmediate);
    assert.deepEqual(setup.told, ['this port is in use by another program']);
    assert.deepEqual(
      setup.logged.lines.map(({ msg }) => msg),
      ['it listens'],
    );
    await listening.stop();
    assert.equal(setup.disposed, servers.length);
  });

  it('that is stopped while it opens never listens, and says nothing', async () => {
    const setup = new Setup('127.0.0.1:0', (server) => {
      server.once('listening', () => assert.fail('it has listened'));
      void setup.listening.stop();
    });
    await setup.listening.start();
    assert.equal(setup.servers[0]?.listening, false);
    assert.equal(setup.disposed, 1);
    assert.deepEqual([setup.told, setup.logged.lines], [[], []]);
  });

  it('that is stopped as it begins to listen is closed, and says nothing', async () => {
    const setup = new Setup('127.0.0.1:0', (server) => {
      server.once('listening', () => void setup.listening.stop());
    });
    await setup.listening.start();
    assert.equal(setup.listening.port, undefined);
    assert.equal(setup.servers[0]?.listening, false);
    assert.equal(setup.disposed, 1);
    assert.deepEqual(setup.logged.lines, []);
  });

  it('that fails as it is stopped is not tried again', async (t) => {
    const { other, listen } = await taken();
    const setup = new Setup(listen, (server) => {
      server.once('error', () => void setup.listening.stop());
    });
    const timer = t.mock.method(globalThis, 'setTimeout');
    await setup.listening.start();
    assert.equal(timer.mock.callCount(), 0);
    assert.deepEqual(setup.told, []);
    assert.equal(setup.disposed, 1);
    other.close();
  });
});
