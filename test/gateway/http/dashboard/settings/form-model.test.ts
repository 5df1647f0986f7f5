import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import {
  type Field,
  formOf,
  type GroupField,
} from '../../../../../gateway/http/dashboard/settings/form-model.ts';
import { problemsOf } from '../../../../../gateway/http/dashboard/settings/validate.ts';

const SCHEMA: unknown = JSON.parse(readFileSync('deploy/config.schema.json', 'utf8'));

function at(field: Field, ...keys: readonly string[]): Field {
  const [key, ...rest] = keys;
  if (key === undefined) return field;
  if (field.kind === 'group') return at(field.fields.get(key)!, ...rest);
  if (field.kind === 'either') return at(field.group, ...keys);
  assert.ok(field.kind === 'list' || field.kind === 'map', `${key} of ${field.kind}`);
  return at(field.item, ...rest);
}

function allFields(field: Field, path = ''): { path: string; field: Field }[] {
  const inner = (one: Field, key: string) => allFields(one, `${path}.${key}`);
  const self = { path, field };
  if (field.kind === 'group') {
    return [self, ...[...field.fields].flatMap(([key, one]) => inner(one, key))];
  }
  if (field.kind === 'either') return [self, ...inner(field.group, '?')];
  if (field.kind === 'list' || field.kind === 'map') return [self, ...inner(field.item, '*')];
  return [self];
}

describe('the form of the configuration', () => {
  const form: GroupField = formOf(SCHEMA);

  it('has a field for every key, and only what is handed on as it is stays JSON', () => {
    const any = allFields(form).filter(({ field }) => field.kind === 'any');
    assert.deepEqual(
      any.map(({ path }) => path),
      ['.extensions.*.options'],
    );
    assert.ok(allFields(form).length > 100);
  });

  it('knows kinds, bounds and defaults', () => {
    const interval = at(form, 'discovery', 'intervalMs');
    assert.deepEqual(interval, {
      kind: 'number',
      description: 'How often to look again',
      fallback: 60_000,
      isRequired: false,
      isWhole: true,
      minimum: 5_000,
      maximum: 86_400_000,
    });
    const adopt = at(form, 'discovery', 'adopt');
    assert.deepEqual(adopt.kind === 'choice' && adopt.options, ['auto', 'ask', 'off']);
    assert.equal(at(form, 'discovery', 'onvif').kind, 'flag');
    assert.equal(at(form, 'streams').kind, 'map');
    assert.equal(at(form, 'streams', '*', 'source').isRequired, true);
    assert.equal(at(form, 'serial', '*', 'addresses', '*').kind, 'number');
  });

  it('knows what may be a word or a group', () => {
    const profile = at(form, 'discovery', 'profile');
    assert.ok(profile.kind === 'either');
    assert.deepEqual(profile.words, ['main', 'sub']);
    assert.deepEqual([...profile.group.fields.keys()], ['maxHeight', 'maxKbps', 'codec']);
    const play = at(form, 'http', 'play');
    assert.deepEqual(play.kind === 'either' && play.words, ['open']);
  });

  it('tells what holds by being there from what is only a heading', () => {
    const isAlwaysThere = (...keys: string[]) => {
      const field = at(form, ...keys);
      return field.kind === 'group' && field.isAlwaysThere;
    };
    assert.equal(isAlwaysThere('mqtt', 'embedded'), true);
    assert.equal(isAlwaysThere('http', 'admin'), false);
    assert.equal(isAlwaysThere('acceptors', '*', 'publish'), false);
  });

  it('knows every secret', () => {
    const secrets = allFields(form)
      .filter(({ field }) => field.kind === 'text' && field.isSecret)
      .map(({ path }) => path);
    assert.deepEqual(
      secrets.filter((path) => !/\.(password|token|streamKey)$/.test(path)),
      [],
    );
    const named = allFields(form)
      .map(({ path }) => path)
      .filter((path) => /\.(password|token|streamKey)$/.test(path));
    assert.deepEqual(secrets, named);
  });

  it('finds nothing wrong with the example', () => {
    const example = parse(readFileSync('deploy/examples/sluice.yaml', 'utf8'));
    assert.deepEqual(problemsOf(form, example), []);
  });

  it('edits as JSON what it does not know, and refuses what is no schema', () => {
    const properties = {
      strange: { allOf: [] },
      mixed: { enum: [1, 'a'] },
      many: { anyOf: [{ type: 'string' }, { type: 'object', properties: {} }] },
      none: true,
    };
    const odd = formOf({ type: 'object', properties });
    for (const [key, field] of odd.fields) assert.equal(field.kind, 'any', key);
    for (const bad of [undefined, null, 7, [], {}, { type: 'string' }]) {
      assert.throws(() => formOf(bad), /expected/);
    }
  });

  it('ends, however deep a schema is', () => {
    let deep: unknown = { type: 'string' };
    for (let level = 0; level < 5_000; level += 1) deep = { type: 'array', items: deep };
    assert.ok(allFields(formOf({ type: 'object', properties: { deep } })).length < 30);
  });
});
