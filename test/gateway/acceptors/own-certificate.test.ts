import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { ownCertificate } from '../../../gateway/acceptors/own-certificate.ts';

const run = promisify(execFile);

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-own-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function logger() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, log };
}

describe('a certificate of our own', () => {
  it('fails where it cannot be written, and leaves half of nothing behind', async (t) => {
    const file = join(await folderFor(t), 'in-the-way');
    await writeFile(file, '');
    await assert.rejects(ownCertificate(file, 'box', logger().log), /ENOTDIR|EEXIST/);
  });

  it('is made once, kept for its owner alone, and named in the log', async (t) => {
    const dataDir = join(await folderFor(t), 'data');
    const { lines, log } = logger();
    const first = await ownCertificate(dataDir, 'shop-12', log);
    const made = await readFile(first.certFile);
    assert.equal((await stat(first.keyFile)).mode & 0o777, 0o600);
    const second = await ownCertificate(dataDir, 'shop-12', log);
    assert.deepEqual(await readFile(second.certFile), made);
    const { fingerprint256 } = new X509Certificate(made);
    assert.deepEqual(
      lines.map(({ fingerprint }) => fingerprint),
      [fingerprint256, fingerprint256],
    );
  });

  it('is one that OpenSSL, Node and a client that trusts it take', async (t) => {
    const { certFile, keyFile } = await ownCertificate(await folderFor(t), 'shop-12', logger().log);
    const verified = await run('openssl', ['verify', '-CAfile', certFile, certFile]);
    assert.match(verified.stdout, /OK/);
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    const parsed = new X509Certificate(cert);
    assert.ok(parsed.verify(parsed.publicKey));
    assert.equal(parsed.checkHost('shop-12'), 'shop-12');
    assert.match(parsed.validTo, /9999/);
    const server = createServer({ cert, key }, (socket) => socket.end()).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', ca: cert, servername: 'shop-12' });
    await once(socket, 'secureConnect');
    assert.ok(socket.authorized);
    socket.destroy();
  });
});
