import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseConfig } from '../../../gateway/config/load.ts';
import { adminLogin } from '../../../gateway/http/admin-login.ts';
import { scrub } from '../../../gateway/secrets.ts';
import { collectingLog } from '../../support/reporting.ts';

describe('adminLogin', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-login-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function ask(http: unknown, dataDir = folder) {
    const text = JSON.stringify({ http, gateway: { dataDir } });
    const config = parseConfig(text, { file: 'test', folder: '/', env: {} });
    const { log, lines } = collectingLog();
    let shown = '';
    const login = adminLogin(config, log, (words) => {
      shown += words;
    });
    return { login, shown, logged: JSON.stringify(lines) };
  }

  it('this machine needs none, whatever it is called', () => {
    for (const listen of ['127.0.0.1:0', '[::1]:0', 'localhost:0', '127.1.2.3:80']) {
      const { login, shown } = ask({ listen });
      assert.equal(login, undefined);
      assert.equal(shown, '');
    }
  });

  it('the configured one is asked for on this machine, too', () => {
    const admin = { username: 'a', password: 'configured-one' };
    assert.deepEqual(ask({ admin }).login, admin);
  });

  it('others: made once, kept for the service’s own user, shown once, never logged', async () => {
    const first = ask({ listen: '0.0.0.0:0' });
    assert.equal(first.login?.username, 'admin');
    const password = first.login?.password ?? '';
    assert.match(password, /^[a-z2-9]{20}$/);
    assert.match(first.shown, new RegExp(`shown this once: admin ${password}\n`));
    const file = join(folder, 'http-password');
    assert.equal(await readFile(file, 'utf8'), `${password}\n`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(scrub(password), '***');

    const second = ask({ listen: '[::]:0' });
    assert.deepEqual(second.login, first.login);
    assert.equal(second.shown, '');
    assert.match(second.logged, /http-password/);
    for (const { logged } of [first, second]) assert.doesNotMatch(logged, new RegExp(password));
  });

  it('dataDir cannot be written to: it holds until the next start, and says so', async () => {
    const file = join(folder, 'no-folder');
    await writeFile(file, '');
    const first = ask({ listen: '0.0.0.0:0' }, file);
    assert.match(first.shown, /until the next start/);
    assert.match(first.logged, /cannot write to dataDir/);
    assert.notEqual(ask({ listen: '0.0.0.0:0' }, file).login?.password, first.login?.password);
  });
});
