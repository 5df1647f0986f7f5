import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { TcpListener, type TcpListenerOptions } from '../../../gateway/acceptors/tcp-listener.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { until } from '../../support/until.ts';

const log = pino({ level: 'silent' });
const listeners: TcpListener[] = [];
after(() => Promise.all(listeners.map((listener) => listener.stop())));

async function listen(options: Partial<TcpListenerOptions> = {}) {
  const accepted: { socket: Socket; address: string }[] = [];
  const listener = new TcpListener(
    { listen: '127.0.0.1:0', maxConnections: 10, maxConnectionsPerAddress: 10, log, ...options },
    (socket, address) => accepted.push({ socket, address }),
  );
  listeners.push(listener);
  await listener.start();
  return { listener, accepted, port: listener.port ?? 0 };
}

async function dialled(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  await once(socket, 'connect');
  return socket;
}

describe('TcpListener', () => {
  it('refuses one address more than its share, and all together more than theirs', async () => {
    const { port, accepted } = await listen({ maxConnections: 3, maxConnectionsPerAddress: 2 });
    const first = await dialled(port);
    await dialled(port);
    const third = await dialled(port);
    await once(third, 'close');
    await dialled(port, '127.0.0.2');
    const fifth = await dialled(port, '127.0.0.3');
    await once(fifth, 'close');
    assert.deepEqual(
      accepted.map(({ address }) => address),
      ['127.0.0.1', '127.0.0.1', '127.0.0.2'],
    );
    first.destroy();
    await once(accepted[0]?.socket ?? assert.fail(), 'close');
    await dialled(port);
    await until(() => accepted.length === 4);
  });

  it('goes on trying while its port is in use', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { listener } = await listen({ listen: `127.0.0.1:${port}` });
    assert.equal(listener.port, undefined);
    other.close();
    await once(other, 'close');
    t.mock.timers.tick(5_000);
    t.mock.timers.reset();
    await until(() => listener.port === port);
  });

  it('cuts every connection when it stops', async () => {
    const { listener, port } = await listen();
    const socket = await dialled(port);
    await Promise.all([once(socket, 'close'), listener.stop()]);
  });

  it('takes a new certificate when the files change; a wrong one leaves the old in use', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const folder = await mkdtemp(join(tmpdir(), 'sluice-listener-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = async ({ cert, key }: { cert: string; key: string }) => {
      await writeFile(certFile, cert);
      await writeFile(keyFile, key);
    };
    const [one, two] = [
      await makeCertificate('DNS:localhost'),
      await makeCertificate('DNS:localhost'),
    ];
    await put(one);
    const { port } = await listen({ tls: async () => ({ certFile, keyFile }) });
    const seen = async () => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    assert.equal(await seen(), one.fingerprint);
    await put({ cert: 'not a certificate', key: two.key });
    t.mock.timers.tick(10_000);
    assert.equal(await seen(), one.fingerprint);
    await put(two);
    t.mock.timers.tick(10_000);
    let now = await seen();
    for (let tries = 0; tries < 100 && now !== two.fingerprint; tries += 1) now = await seen();
    assert.equal(now, two.fingerprint);
  });
});
