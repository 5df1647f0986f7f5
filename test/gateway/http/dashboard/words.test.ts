/** Every table of words has both languages, with the same places for values. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { causeWords } from '../../../../gateway/http/dashboard/cause-words.ts';
import { language, wordsOf } from '../../../../gateway/http/dashboard/words.ts';
import { CAUSE_CODES } from '../../../../gateway/report/status.ts';

const FOLDER = join(process.cwd(), 'gateway/http/dashboard');

it('every cause has words in both', () => {
  for (const tongue of ['en', 'zh'] as const) {
    language.value = tongue;
    for (const code of CAUSE_CODES) assert.notEqual(causeWords(code), '');
    assert.equal(causeWords('sheep'), 'sheep', 'a newer gateway’s');
  }
  assert.ok(
    CAUSE_CODES.every((code) => causeWords(code) !== code),
    'in Chinese none is the code',
  );
  language.value = 'en';
});

it('a value that is missing stays as its place', () => {
  const t = wordsOf({ en: { many: '{count} of {all}' }, zh: { many: '{all} 中的 {count}' } });
  assert.equal(t('many', { count: 1 }), '1 of {all}');
});

/** What `{count}` stands for is given by one caller for both languages. */
it('both languages have the same places for values', () => {
  let tables = 0;
  for (const path of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(path)) continue;
    const source = readFileSync(join(FOLDER, path), 'utf8');
    const [, en = '', zh = ''] =
      /wordsOf\(\{\s*en: \{(.*?)\},\s*zh: \{(.*?)\},?\s*\}\)/s.exec(source) ?? [];
    if (en === '') continue;
    tables += 1;
    const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
    assert.deepEqual(places(en), places(zh), path);
  }
  assert.ok(tables > 5, `saw only ${tables} tables`);
});
