/** What systemd hears of the bundle, and what it says to our unit. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GatewayProcess } from '../support/gateway-process.ts';
import { ServiceManager } from '../support/service-manager.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 20_000;
const UNIT = 'deploy/systemd/sluice.service';
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('under systemd', { concurrency: true }, () => {
  it('hears READY, WATCHDOG and STOPPING, in this order', async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-notify-'));
    test.after(() => rm(folder, { recursive: true }));
    for (const path of [join(folder, 'notify'), `@sluice-test-${process.pid}`]) {
      using manager = await ServiceManager.listen(path);
      const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' };
      await using gateway = await GatewayProcess.start('', { env });
      await until(() => count(manager, /^WATCHDOG=1/) >= 3, PATIENCE_MS);
      const { code } = await gateway.stop();
      await until(() => count(manager, /^STOPPING=1/) === 1, PATIENCE_MS);
      assert.equal(code, 0);
      assert.equal(manager.heard[0], 'READY=1\\nSTATUS=0 of 0 streams, 0 of 0 publishing\\n');
      assert.match(manager.heard.at(-1) ?? '', /^STOPPING=1/);
      assert.equal(count(manager, /READY/), 1);
    }
  });

  it('runs as well where the addon is missing, and says what that means', async () => {
    const env = { NOTIFY_SOCKET: '@nobody', NODE_OPTIONS: '--no-addons' };
    await using gateway = await GatewayProcess.start('', { env });
    assert.equal(gateway.log.match(/systemd is told nothing/g)?.length, 1);
    assert.match(gateway.log, /native addon.*Type=exec/);
    assert.equal((await gateway.stop()).code, 0);
  });

  it('goes on where nobody listens, and says so once', async () => {
    const env = { NOTIFY_SOCKET: '@nobody-at-all', WATCHDOG_USEC: '20000' };
    await using gateway = await GatewayProcess.start('', { env });
    await until(() => gateway.log.includes('systemd does not listen'), PATIENCE_MS);
    assert.equal((await gateway.stop()).code, 0);
    assert.equal(gateway.log.match(/systemd does not listen/g)?.length, 1);
  });

  it('finds nothing wrong with our unit', {
    skip: hasAnalyze ? false : 'systemd-analyze is not installed',
  }, async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-unit-'));
    test.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'sluice.service');
    const unit = await readFile(UNIT, 'utf8');
    // It is looked whether the program is there.
    await writeFile(file, unit.replace('/usr/bin/node', process.execPath));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: '' });
  });
});

function count(manager: ServiceManager, what: RegExp): number {
  return manager.heard.filter((line) => what.test(line)).length;
}
