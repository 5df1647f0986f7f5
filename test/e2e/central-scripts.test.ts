/** The scripts of deploy/central/ where people do not do as the README says. Nothing is started. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
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

  it('programs that are missing are named before anything is made', async (t) => {
    const folder = await makeFolder(t);
    for (const tool of ['bash', 'dirname', 'openssl']) {
      const { stdout } = await promisify(execFile)('which', [tool]);
      await symlink(stdout.trim(), join(folder, tool));
    }
    const made = join(folder, 'made');
    const said = await new Promise<string>((resolve) => {
      const options = { env: { PATH: folder } };
      const args = ['deploy/central/set-up.sh', 'central.example', '--folder', made];
      execFile(join(folder, 'bash'), args, options, (_error, _stdout, stderr) => resolve(stderr));
    });
    assert.match(said, /^mosquitto_passwd is missing: apt-get install .*mosquitto/);
    assert.equal(existsSync(made), false);
  });

  it('the master runs as a user of its own, and its unit is in order', {
    skip: process.getuid?.() === 0 ? false : 'needs root, to be another user',
  }, async (t) => {
    const folder = await makeFolder(t);
    await run('set-up.sh', 'central.example', '--folder', folder);
    const { gid } = await stat(join(folder, 'publish-password'));
    const nobody = ['--reuid=65534', '--regid=65534', `--groups=${gid}`];
    const secrets = ['publish-password', 'tls/server.key'].map((name) => join(folder, name));
    const asNobody = (...command: string[]) =>
      promisify(execFile)('setpriv', [...nobody, ...command]);
    await asNobody('cat', ...secrets);
    await assert.rejects(asNobody('cat', join(folder, 'tls/ca.key')), /Permission denied/);
    const unit = await readFile(join(folder, 'sluice-central.service'), 'utf8');
    assert.match(
      unit,
      new RegExp(
        `^ExecStart=.* run --config ${folder}/master\\.yaml --data-dir /var/lib/sluice-central$`,
        'm',
      ),
    );
    assert.match(unit, /^StateDirectory=sluice-central$/m);
    assert.match(unit, /^SupplementaryGroups=mosquitto$/m);
    assert.doesNotMatch(unit, /\/opt\/sluice|\/etc\/sluice/);
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
    // A pattern is no gateway.
    for (const args of [['.*'], ['dashboard'], ['#'], ['shop-1', 'shop-2'], []]) {
      assert.equal((await run('remove-gateway.sh', ...args, '--folder', folder)).code, 2);
    }
    assert.equal((await run('remove-gateway.sh', 'shop-9', '--folder', folder)).code, 1);
    assert.equal((await run('set-up.sh', 'a.example', 'b.example', '--folder', folder)).code, 2);
    assert.equal(await readFile(join(folder, 'passwords'), 'utf8'), before);
  });
});
