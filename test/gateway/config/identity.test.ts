import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gatewayId, nextSession } from '../../../gateway/config/identity.ts';
import { loadConfig, parseConfig } from '../../../gateway/config/load.ts';
import { collectingLog } from '../../support/reporting.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-identity-'));
after(() => rmSync(root, { recursive: true }));

describe('gatewayId', () => {
  it('is the configured one, and then nothing is written', () => {
    const dataDir = join(root, 'configured');
    const config = parseConfig(`gateway: {id: shop-12, dataDir: ${dataDir}}`, {
      file: 'f',
      folder: root,
      env: {},
    });
    assert.equal(gatewayId(config, collectingLog().log), 'shop-12');
    assert.deepEqual(readdirSync(root), []);
  });

  it('is derived, valid, kept, and the kept one wins', () => {
    const dataDir = join(root, 'deep/er');
    const config = loadConfig(undefined, { dataDir });
    const { log } = collectingLog();
    const id = gatewayId(config, log);
    assert.match(id, /^gw-[0-9a-f]{10}$/);
    assert.equal(gatewayId(config, log), id);
    assert.deepEqual(readdirSync(dataDir), ['gateway-id']);
    writeFileSync(join(dataDir, 'gateway-id'), 'moved-here\n');
    assert.equal(gatewayId(config, log), 'moved-here');
    writeFileSync(join(dataDir, 'gateway-id'), '\0\0\0');
    assert.equal(gatewayId(config, log), id);
    assert.equal(readFileSync(join(dataDir, 'gateway-id'), 'utf8'), `${id}\n`);
  });

  it('a dataDir that cannot be written is a warning, not the end', () => {
    writeFileSync(join(root, 'a-file'), '');
    const config = loadConfig(undefined, { dataDir: join(root, 'a-file/data') });
    const { log, lines } = collectingLog();
    assert.match(gatewayId(config, log), /^gw-/);
    assert.equal(nextSession(config, log), 1);
    assert.match(String(lines[0]?.['msg']), /^cannot write to dataDir/);
  });
});

describe('nextSession', () => {
  it('counts the starts, and begins again where the file is damaged', () => {
    const config = loadConfig(undefined, { dataDir: join(root, 'session') });
    const { log } = collectingLog();
    assert.equal(nextSession(config, log), 1);
    assert.equal(nextSession(config, log), 2);
    writeFileSync(join(root, 'session/session'), 'x');
    assert.equal(nextSession(config, log), 1);
  });
});
