import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import type { FieldPath } from '../../../../../gateway/http/dashboard/settings/field-path.ts';
import { type Field, formOf } from '../../../../../gateway/http/dashboard/settings/form-model.ts';
import { descriptionWords } from '../../../../../gateway/http/dashboard/settings/schema-words.ts';
import { language } from '../../../../../gateway/http/dashboard/words.ts';

const FORM = formOf(JSON.parse(readFileSync('deploy/config.schema.json', 'utf8')));

function described(field: Field, path: FieldPath): [FieldPath, string][] {
  const self: [FieldPath, string][] =
    field.description === undefined || typeof path.at(-1) !== 'string'
      ? []
      : [[path, field.description]];
  if (field.kind === 'group' || field.kind === 'either') {
    const { fields } = field.kind === 'group' ? field : field.group;
    return [...self, ...[...fields].flatMap(([key, one]) => described(one, [...path, key]))];
  }
  if (field.kind === 'list' || field.kind === 'map')
    return [...self, ...described(field.item, [...path, 0])];
  return self;
}

describe('what is said of the keys', () => {
  afterEach(() => {
    language.value = 'en';
  });

  it('is the schema’s own in English', () => {
    assert.equal(descriptionWords(['log'], 'The log'), 'The log');
    assert.equal(descriptionWords(['log'], undefined), undefined);
  });

  it('is there in Chinese for every key, and English where a newer gateway has another', () => {
    language.value = 'zh';
    const english = described(FORM, []).filter(
      ([path, words]) => !/\p{Script=Han}/u.test(descriptionWords(path, words) ?? ''),
    );
    assert.deepEqual(
      english.map(([path]) => path.join('.')),
      [],
    );
    assert.equal(descriptionWords(['new', 'key'], 'Something new'), 'Something new');
    assert.equal(descriptionWords(['constructor'], 'Something new'), 'Something new');
  });
});
