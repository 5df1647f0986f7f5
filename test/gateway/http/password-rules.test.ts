import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passwordProblem } from '../../../gateway/http/password-rules.ts';

describe('a password of one’s own', () => {
  const refused = [
    ['', /at least 10/],
    ['ninesigns', /at least 10/],
    ['😀'.repeat(9), /at least 10/],
    ['x'.repeat(257), /at most 256/],
    ['aaaaaaaaaaaa', /tried first/],
    ['121212121212', /tried first/],
    ['1234567890', /tried first/],
    ['0123456789', /tried first/],
    ['Password123', /tried first/],
    ['password1234', /tried first/],
    ['admin12345', /tried first/],
    ['adminadminadmin', /tried first/],
    ['qwertyuiop', /tried first/],
    ['the-present-one', /another/],
  ] as const;
  for (const [password, words] of refused) {
    it(`${password.slice(0, 20)}: no`, () => {
      assert.match(passwordProblem(password, 'admin', 'the-present-one') ?? '', words);
    });
  }
  for (const password of ['three unrelated words', 'k7#mQ2-x!9', '门前的红色大象喝着蓝色的水']) {
    it(`${password}: yes`, () => {
      assert.equal(passwordProblem(password, 'admin', 'the-present-one'), undefined);
    });
  }
});
