/** The scripts of deploy/central/ where people do not do as the README says. Nothing is started. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeCertificate } from '../support/certificates.ts';

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(script: string, ...args: string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(`deploy/central/${script}`, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-central-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function namesOf(folder: string): Promise<string | undefined> {
  return new X509Certificate(await readFile(join(folder, 'tls/server.pem'))).subjectAltName;
}

describe('deploy/central', { concurrency: true }, () => {
  it('set up again under another name: another certificate of the same authority', async (t) => {
    const folder = await makeFolder(t);
    await run('set-up.sh', 'central.example', '--folder', folder);
    const authority = await readFile(join(folder, 'tls/ca.pem'), 'utf8');
    const first = await readFile(join(folder, 'tls/server.pem'), 'utf8');
    await run('set-up.sh', 'central.example', '--folder', folder);
    assert.equal(await readFile(join(folder, 'tls/server.pem'), 'utf8'), first);
    assert.equal(await namesOf(folder), 'DNS:central.example');
    const { stdout } = await run('set-up.sh', '10.0.0.4', '--folder', folder);
    assert.match(stdout, /certificate for 10\.0\.0\.4 made/);
    assert.equal(await namesOf(folder), 'IP Address:10.0.0.4');
    assert.equal(await readFile(join(folder, 'tls/ca.pem'), 'utf8'), authority);
  });

  it('a certificate of somebody else’s is left, and complained about when it has another name', async (t) => {
    const folder = await makeFolder(t);
    await run('set-up.sh', 'central.example', '--folder', folder);
    const { cert } = await makeCertificate('DNS:elsewhere.example');
    await writeFile(join(folder, 'tls/server.pem'), cert);
    const { stderr, code } = await run('set-up.sh', 'central.example', '--folder', folder);
    assert.equal(code, 0);
    assert.match(stderr, /not for central\.example, and none of ours/);
    assert.equal(await readFile(join(folder, 'tls/server.pem'), 'utf8'), cert);
  });

  it('Home Assistant gets a login, and is no gateway; two at a time, and unknown options, are refused', async (t) => {
    const folder = await makeFolder(t);
    await run('set-up.sh', 'central.example', '--folder', folder);
    const login = await run('add-gateway.sh', 'homeassistant', '--folder', folder);
    assert.match(login.stdout, /port 8883, user homeassistant, password [0-9a-f]{32};/);
    assert.doesNotMatch(login.stdout, /gateway: \{/);
    const before = await readFile(join(folder, 'passwords'), 'utf8');
    for (const args of [['shop-1', 'shop-2'], ['shop-1', '--fold', folder], ['dashboard']]) {
      const { code, stderr, stdout } = await run('add-gateway.sh', ...args, '--folder', folder);
      assert.deepEqual([code, stdout], [2, ''], stderr);
    }
    assert.equal((await run('set-up.sh', 'a.example', 'b.example', '--folder', folder)).code, 2);
    assert.equal(await readFile(join(folder, 'passwords'), 'utf8'), before);
  });
});
