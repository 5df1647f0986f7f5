import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { TlsEntrance } from '../../../gateway/acceptors/tls-entrance.ts';
import type { CertificatePem } from '../../../gateway/certificate.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { until } from '../../support/until.ts';
import { untilClosed } from '../../support/until-closed.ts';

let port = 0;
let entrance: TlsEntrance;
const secured: TLSSocket[] = [];
const failures: Error[] = [];
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  entrance.accept(socket);
});

async function newCertificate(): Promise<CertificatePem> {
  const { cert, key } = await makeCertificate('DNS:localhost');
  return { cert: Buffer.from(cert), key: Buffer.from(key) };
}

before(async () => {
  entrance = new TlsEntrance(
    await newCertificate(),
    (socket) => {
      socket.on('error', () => undefined);
      secured.push(socket);
      socket.pipe(socket);
    },
    (error) => failures.push(error),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

after(() => {
  server.close();
  for (const socket of secured) socket.destroy();
});

/** What it agreed on; says something and gets it back. */
async function versionFor(servername: string, through = port): Promise<string | null> {
  const name = servername === '' ? {} : { servername };
  const options = { host: '127.0.0.1', port: through, rejectUnauthorized: false };
  const socket = connectTls({ ...options, ...name });
  await once(socket, 'secureConnect');
  socket.write('hello');
  const [answer] = await once(socket, 'data');
  assert.equal(String(answer), 'hello');
  const version = socket.getProtocol();
  socket.destroy();
  return version;
}

describe('TlsEntrance', () => {
  it('speaks TLS 1.3 with those who name the server, 1.2 with those who do not', async () => {
    assert.equal(await versionFor('localhost'), 'TLSv1.3');
    assert.equal(await versionFor(''), 'TLSv1.2');
  });

  it('takes a hello that comes in pieces', async (context) => {
    const relay = createServer((socket) => {
      const far = connect(port, '127.0.0.1');
      far.setNoDelay(true);
      far.on('data', (chunk) => socket.write(chunk));
      far.on('error', () => undefined);
      socket.on('error', () => undefined);
      context.after(() => far.destroy());
      let isFirst = true;
      socket.on('data', (chunk) => {
        if (!isFirst) {
          far.write(chunk);
          return;
        }
        isFirst = false;
        far.write(chunk.subarray(0, 100));
        setTimeout(() => far.write(chunk.subarray(100)), 50);
      });
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    context.after(() => relay.close());
    assert.equal(await versionFor('', (relay.address() as AddressInfo).port), 'TLSv1.3');
  });

  it('shows a new certificate to both', async () => {
    const fingerprints = new Set<string>();
    const look = async (name: { servername?: string }) => {
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
      const socket = connectTls({ ...options, ...name });
      await once(socket, 'secureConnect');
      fingerprints.add(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    };
    await look({ servername: 'localhost' });
    await look({});
    assert.equal(fingerprints.size, 1);
    entrance.certificate = await newCertificate();
    await look({ servername: 'localhost' });
    await look({});
    assert.equal(fingerprints.size, 2);
  });

  it('tells of what is no TLS, and closes it', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\n\r\n');
    socket.resume();
    await untilClosed(socket);
    await until(() => failures.some(({ message }) => /http request|wrong version/i.test(message)));
  });

  it('forgets who goes without a word', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    assert.equal(await versionFor('localhost'), 'TLSv1.3');
  });
});
