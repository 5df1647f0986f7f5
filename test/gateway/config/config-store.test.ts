// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test
import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigFile } from '../../../gateway/config/config-file.ts';
import { ConfigStore } from '../../../gateway/config/config-store.ts';
import { readTree } from '../../../gateway/config/load.ts';
import type { FileOperations } from '../../../gateway/kept-file.ts';
import { CommandError } from '../../../gateway/report/commands.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-store-'));
after(() => rmSync(root, { recursive: true }));

const TEXT = `# The shop.
streams:
  door: { source: "rtsp://viewer:planted-a@10.0.0.20/", username: x, password: planted-b }
discovery: { credentials: [ { username: admin, password: "\${CAM_PW}" }, { username: b, password: planted-c } ] }
`;

function setUp(text: string | undefined = TEXT, operations?: FileOperations) {
  const folder = mkdtempSync(join(root, 'box-'));
  const path = join(folder, 'sluice.yaml');
  if (text !== '') writeFileSync(path, text, { mode: 0o644 });
  const env = { CAM_PW: 'planted-d' };
  const file = new ConfigFile({ path, env, ...(operations === undefined ? {} : { operations }) });
  return {
    folder,
    path,
    file,
    store: new ConfigStore(file),
    text: () => readFileSync(path, 'utf8'),
  };
}

async function set(store: ConfigStore, patch: unknown, revision = store.view().revision) {
  return await store.write(store.change(patch, revision));
}

function refusal(code: string, words: RegExp) {
  return (error: unknown) =>
    error instanceof CommandError && error.code === code && words.test(error.message);
}

describe('the file as it is changed from afar', () => {
  it('no answer has a secret, and what is sent back as it was changes nothing', () => {
    const { store } = setUp();
    const { config, revision } = store.view();
    assert.doesNotMatch(JSON.stringify(config), /planted/);
    assert.equal(store.change(config, revision).isNews, false);
  });

  it('whatever part of it is sent back: the file means the same', () => {
    const { store } = setUp();
    const { config, revision } = store.view();
    const keys = Object.keys(config);
    fc.assert(
      fc.property(fc.subarray(keys), (some) => {
        const patch = Object.fromEntries(some.map((key) => [key, config[key]]));
        const { text } = store.change(patch, revision);
        assert.deepEqual(readTree(text, ''), readTree(TEXT, ''));
      }),
    );
  });

  it('a change is in the file with its comments, whom nobody else may read now', async () => {
    const { store, text, path } = setUp();
    const before = store.view().revision;
    const revision = await set(store, { log: { level: 'debug' } });
    assert.equal(text(), `${TEXT}log:\n  level: debug\n`);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(store.view().revision, revision);
    assert.notEqual(revision, before);
  });

  it('without secrets it stays readable, and where it was a link it stays one', async () => {
    const { store, path, folder } = setUp('log: { level: info }\n');
    const link = join(folder, 'link.yaml');
    symlinkSync(path, link);
    await set(new ConfigStore(new ConfigFile({ path: link, env: {} })), { log: { level: 'warn' } });
    assert.equal(statSync(path).mode & 0o777, 0o644);
    assert.equal(readFileSync(path, 'utf8'), 'log: { level: warn }\n');
    assert.equal(store.hasStream('door'), false);
  });

  it('a conflict, also with somebody who edits it', async () => {
    const { store, path, text } = setUp();
    const { revision } = store.view();
    writeFileSync(path, `${TEXT}# edited\n`);
    await assert.rejects(
      set(store, { log: { level: 'debug' } }, revision),
      refusal('conflict', /get it again/),
    );
    assert.equal(text(), `${TEXT}# edited\n`);
  });

  const bad: readonly (readonly [name: string, patch: unknown, words: RegExp])[] = [
    ['an unknown key', { log: { levle: 'x' } }, /^log\.levle: no such key/],
    [
      'a bad value',
      { streams: { door: { source: 'x' } } },
      /^streams\.door\.source: expected a URL/,
    ],
    [
      'a secret that is a number',
      { http: { admin: { username: 'a', password: 4711 } } },
      /^http\.admin\.password: expected a password, got something else$/,
    ],
    [
      'a file that is not there',
      { mqtt: { url: 'mqtts://h', caFile: 'no.pem' } },
      /^mqtt\.caFile: cannot read/,
    ],
    ['a variable that is not set', { gateway: { id: '${NO_SUCH}' } }, /NO_SUCH is not set/],
    [
      'a mask from elsewhere',
      { mqtt: { password: '***0123456789' } },
      /^mqtt\.password: expected a mask/,
    ],
    [
      'a key that is special',
      JSON.parse('{"log": {"__proto__": {"x": 1}}}'),
      /^log\.__proto__: no such key/,
    ],
    [
      'nothing left of what is needed',
      { streams: { door: { source: null } } },
      /^streams\.door\.source: expected/,
    ],
    ['too deep', JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`), /nested too deep/],
    ['a list where a map is', { streams: [] }, /^streams: expected a map/],
  ];
  for (const [name, patch, words] of bad) {
    it(`refused, and the file as it was: ${name}`, async () => {
      const { store, text } = setUp();
      await assert.rejects(set(store, patch), refusal('invalid', words));
      assert.equal(text(), TEXT);
    });
  }

  it('a file that is no YAML is left to whoever wrote it', async () => {
    const { store } = setUp('a: [');
    assert.throws(() => store.view(), refusal('invalid', /not valid YAML/));
    assert.throws(() => store.change({}), refusal('invalid', /not valid YAML/));
  });

  it('a power cut at any step leaves the old text or the new one', async () => {
    const steps = ['rm', 'open', 'rename'] as const;
    for (const step of steps) {
      const cut = () => Promise.reject(Object.assign(new Error('cut'), { code: 'EIO' }));
      const { store, text } = setUp(TEXT, { ...fs, [step]: cut });
      await assert.rejects(
        set(store, { log: { level: 'debug' } }),
        refusal('failed', /cannot be written: EIO/),
      );
      assert.equal(text(), TEXT, step);
    }
  });

  it('none is given: made in the data folder, and read from there', async () => {
    const dataDir = join(root, 'fresh', 'data');
    const file = new ConfigFile({ dataDir, env: {} });
    assert.equal(file.load().gateway.dataDir, dataDir);
    const store = new ConfigStore(file);
    await set(store, { gateway: { id: 'made' } });
    assert.deepEqual(readdirSync(dataDir), ['sluice.yaml']);
    assert.equal(new ConfigFile({ dataDir, env: {} }).load().gateway.id, 'made');
    await assert.rejects(
      set(store, { gateway: { dataDir: './x' } }),
      refusal('invalid', /^gateway\.dataDir: this file is found/),
    );
  });
});
