import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseConfig } from '../../../gateway/config/load.ts';
import { adminLogin } from '../../../gateway/http/admin-login.ts';
import { scrub } from '../../../gateway/secrets.ts';
import { collectingLog } from '../../support/reporting.ts';

describe('adminLogin', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-login-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function ask(http: unknown = { listen: '0.0.0.0:0' }, dataDir = folder) {
    const text = JSON.stringify({ http, gateway: { dataDir } });
    const config = parseConfig(text, { file: 'test', folder: '/', env: {} });
    const { log, lines } = collectingLog();
    let shown = '';
    const login = await adminLogin(config, log, (words) => {
      shown += words;
    });
    const password = /shown this once: admin (\S+)\n/.exec(shown)?.[1] ?? '';
    return { login, shown, password, logged: JSON.stringify(lines) };
  }

  const kept = () => join(folder, 'http-login.json');

  it('this machine needs none, whatever it is called', async () => {
    for (const listen of ['127.0.0.1:0', '[::1]:0', 'localhost:0', '127.1.2.3:80']) {
      const { login, shown } = await ask({ listen });
      assert.equal(login, undefined);
      assert.equal(shown, '');
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it('the configured one wins, on this machine, too, and is changed in the configuration only', async () => {
    await ask();
    const admin = { username: 'a', password: 'configured-one' };
    for (const listen of ['127.0.0.1:0', '0.0.0.0:0']) {
      const { login } = await ask({ listen, admin });
      assert.equal(await login?.isRight('a', 'configured-one'), true);
      assert.equal(await login?.isRight('a', 'other'), false);
      assert.equal(await login?.isRight('b', 'configured-one'), false);
      assert.equal(login?.canSetPassword, false);
      assert.equal(login?.mustSetPassword, false);
      await assert.rejects(login!.setPassword('another-one-1'), /http\.admin/);
    }
  });

  it('others: made once, shown once, never logged, and nowhere on the disk', async () => {
    const first = await ask();
    assert.match(first.password, /^[a-z2-9]{20}$/);
    assert.equal(scrub(first.password), '***');
    assert.equal((await stat(kept())).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['http-login.json']);
    assert.doesNotMatch(await readFile(kept(), 'utf8'), new RegExp(first.password));

    const second = await ask({ listen: '[::]:0' });
    assert.equal(second.shown, '');
    for (const { login, logged } of [first, second]) {
      assert.equal(login?.mustSetPassword, true);
      assert.equal(login?.canSetPassword, true);
      assert.equal(await login?.isRight('root', first.password), false);
      assert.equal(await login?.isRight('admin', `${first.password}x`), false);
      assert.equal(login?.isKnown('admin', first.password), false);
      assert.equal(await login?.isRight('admin', first.password), true);
      assert.equal(login?.isKnown('admin', first.password), true);
      assert.doesNotMatch(logged, new RegExp(first.password));
    }
  });

  it('one of one’s own holds over a restart; the one before is forgotten everywhere', async () => {
    const { login, password } = await ask();
    await login!.isRight('admin', password);
    await login!.setPassword('three unrelated words');
    assert.equal(login!.mustSetPassword, false);
    const again = await ask();
    assert.equal(again.shown, '');
    for (const account of [login!, again.login!]) {
      assert.equal(account.mustSetPassword, false);
      assert.equal(await account.isRight('admin', password), false);
      assert.equal(await account.isRight('admin', 'three unrelated words'), true);
    }
    assert.deepEqual(await readdir(folder), ['http-login.json']);
    assert.equal((await stat(kept())).mode & 0o777, 0o600);
  });

  it('the plain file of earlier versions is hashed and removed', async () => {
    await writeFile(join(folder, 'http-password'), 'kept-by-version-0\n', { mode: 0o600 });
    const { login, shown, logged } = await ask();
    assert.equal(shown, '');
    assert.equal(await login?.isRight('admin', 'kept-by-version-0'), true);
    assert.equal(login?.mustSetPassword, true);
    assert.deepEqual(await readdir(folder), ['http-login.json']);
    assert.doesNotMatch(await readFile(kept(), 'utf8'), /kept-by/);
    assert.doesNotMatch(logged, /kept-by/);
    // The power went before it was removed, or somebody put it back: what was set since holds.
    await writeFile(join(folder, 'http-password'), 'kept-by-version-0\n');
    const again = await ask();
    assert.equal(await again.login?.isRight('admin', 'kept-by-version-0'), true);
    assert.equal(existsSync(join(folder, 'http-password')), false);
  });

  const damaged = [
    ['nothing', ''],
    ['half of it', '{"username":"admin","isMade":true,"hash":{"algorithm":"scr'],
    ['no object', 'null'],
    ['no hash', '{"username":"admin"}'],
    [
      'a cost that nobody has',
      `{"username":"admin","hash":{"algorithm":"scrypt","N":1073741824,"r":8,"p":1,"salt":"${'A'.repeat(22)}==","key":"${'A'.repeat(43)}="}}`,
    ],
    [
      'an empty key',
      `{"username":"admin","hash":{"algorithm":"scrypt","N":1024,"r":8,"p":1,"salt":"${'A'.repeat(22)}==","key":""}}`,
    ],
  ] as const;
  for (const [name, text] of damaged) {
    it(`the file holds ${name}: told, and a new password is made`, async () => {
      await writeFile(kept(), text);
      const { login, password, logged } = await ask();
      assert.match(logged, /damaged/);
      assert.equal(await login?.isRight('admin', ''), false);
      assert.equal(await login?.isRight('admin', password), true);
    });
  }

  it('dataDir cannot be written to: it holds until the next start, and says so; another cannot be set', async () => {
    const file = join(folder, 'no-folder');
    await writeFile(file, '');
    const first = await ask(undefined, file);
    assert.match(first.shown, /until the next start/);
    assert.match(first.logged, /cannot write to dataDir/);
    await assert.rejects(first.login!.setPassword('three unrelated words'));
    assert.equal(await first.login!.isRight('admin', first.password), true);
    assert.equal(await first.login!.isRight('admin', 'three unrelated words'), false);
    assert.notEqual((await ask(undefined, file)).password, first.password);
  });
});
