import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formOf } from '../../../../../gateway/http/dashboard/settings/form-model.ts';
import type { Json } from '../../../../../gateway/http/dashboard/settings/json.ts';
import { problemsOf } from '../../../../../gateway/http/dashboard/settings/validate.ts';

const FORM = formOf(JSON.parse(readFileSync('deploy/config.schema.json', 'utf8')));

const fromEnvironment = (name: string) => `$\{${name}}`;

const CASES: readonly (readonly [string, Json, readonly string[]])[] = [
  ['nothing', {}, []],
  ['keys with nothing after them', { log: null, streams: null }, []],
  ['no source', { streams: { door: {} } }, ['streams.door.source: missing']],
  ['an empty source', { streams: { door: { source: '' } } }, ['streams.door.source: missing']],
  [
    'a bad name',
    { streams: { 'Front Door': { source: 'rtsp://a' } } },
    ['streams.Front Door: name'],
  ],
  ['a bad id', { gateway: { id: 'A' } }, ['gateway.id: name']],
  [
    'text for a number',
    { discovery: { intervalMs: 'soon' } },
    ['discovery.intervalMs: whole-number-between'],
  ],
  [
    'half a millisecond',
    { discovery: { intervalMs: 5000.5 } },
    ['discovery.intervalMs: whole-number-between'],
  ],
  [
    'too small',
    { discovery: { intervalMs: 4999 } },
    ['discovery.intervalMs: whole-number-between'],
  ],
  ['not one of the words', { log: { level: 'loud' } }, ['log.level: choice']],
  ['yes or no', { discovery: { onvif: 'yes' } }, ['discovery.onvif: flag']],
  ['a word of neither', { http: { play: 'closed' } }, ['http.play: choice']],
  [
    'inside of either',
    { discovery: { profile: { maxHeight: 0 } } },
    ['discovery.profile.maxHeight: whole-number-between'],
  ],
  ['a number in place of either', { discovery: { profile: 7 } }, ['discovery.profile: group']],
  ['no user', { http: { admin: {} } }, ['http.admin.username: missing']],
  [
    'an empty list',
    { acceptors: [{ protocol: 'rtmp', listen: ':1', apps: [] }] },
    ['acceptors[0].apps: too-few'],
  ],
  ['a list that is none', { discovery: { hosts: 'one' } }, ['discovery.hosts: list']],
  [
    'too many',
    { discovery: { hosts: Array<string>(257).fill('a') } },
    ['discovery.hosts: too-many'],
  ],
  ['an empty item', { discovery: { hosts: ['a', ''] } }, ['discovery.hosts[1]: missing']],
  ['a map that is none', { streams: ['a'] }, ['streams: map']],
  ['too long', { gateway: { dataDir: 'x'.repeat(4097) } }, ['gateway.dataDir: too-long']],
  [
    'the environment',
    { log: { level: fromEnvironment('LEVEL') }, gateway: { id: fromEnvironment('ID') } },
    [],
  ],
  ['a mask', { mqtt: { password: '***ab' } }, []],
];

describe('what is wrong with an edited configuration', () => {
  for (const [name, value, expected] of CASES) {
    it(name, () => {
      const problems = problemsOf(FORM, value);
      assert.deepEqual(
        problems.map(({ path, code }) => `${path}: ${code}`),
        expected,
      );
    });
  }

  it('tells bounds and words', () => {
    const [problem] = problemsOf(FORM, { discovery: { intervalMs: 1 } });
    assert.deepEqual(problem?.values, { minimum: 5_000, maximum: 86_400_000 });
    const [choice] = problemsOf(FORM, { discovery: { adopt: 'no' } });
    assert.deepEqual(choice?.values, { options: 'auto, ask, off' });
  });
});
