import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fillTemplate, toName, uniqueName } from '../../gateway/names.ts';
import { matches } from '../../gateway/proxypublish/proxypublish.ts';

test('names: what cannot stand in a topic becomes a dash', () => {
  assert.equal(toName('DS-2CD2143G2 / Höf (1)', 'x'), 'ds-2cd2143g2-hof-1');
  assert.equal(toName('摄像机', 'cam'), 'cam');
});

test('names: always valid, whatever comes in', () => {
  fc.assert(
    fc.property(fc.string(), (text) => assert.match(toName(text, 'x'), /^[a-z0-9-]{1,48}$/)),
  );
});

test('names: a taken name gets a number and stays within 48 characters', () => {
  const taken = new Set(['a'.repeat(48), `${'a'.repeat(46)}-2`]);
  assert.equal(
    uniqueName('a'.repeat(48), (name) => taken.has(name)),
    `${'a'.repeat(46)}-3`,
  );
});

test('templates: missing values leave nothing behind', () => {
  assert.equal(fillTemplate('{model}-{serial}{x}', { model: 'M1', serial: undefined }), 'M1-');
});

test('globs match whole names', () => {
  const cases: [string | undefined, string, boolean][] = [
    [undefined, 'any', true],
    ['*', 'any', true],
    ['cam1', 'cam10', false],
    ['cam?', 'cam1', true],
    ['cam-*', 'cam-front', true],
    ['c.m', 'cam', false],
  ];
  for (const [glob, name, want] of cases)
    assert.equal(matches(glob, name), want, `${glob} ${name}`);
});
