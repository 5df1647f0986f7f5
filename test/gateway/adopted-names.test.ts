import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { AdoptedNames } from '../../gateway/adopted-names.ts';
import { VERSION } from '../../gateway/version.ts';

const log = pino({ level: 'silent' });

test('a name once given is found again by any key, after a restart too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-names-'));
  new AdoptedNames(folder, log).keep(['serial:1', 'mac:2'], 'door');
  const later = new AdoptedNames(folder, log);
  assert.equal(later.find(['epr:x', 'mac:2']), 'door');
  assert.equal(later.find(['mac:3']), undefined);
  assert.ok(later.isTaken('door'));
  rmSync(folder, { recursive: true });
});

test('a damaged or hostile file gives no names and no error', () => {
  for (const text of ['', '{', '[]', '{"names":null}', '{"names":{"a":"../x","b":5}}']) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-names-'));
    writeFileSync(join(folder, 'adopted.json'), text);
    assert.equal(new AdoptedNames(folder, log).find(['a', 'b']), undefined, text);
    rmSync(folder, { recursive: true });
  }
});

test('the version is the one of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.equal(VERSION, version);
});
