import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { passwordStrength } from '../../../../../gateway/http/dashboard/login/password-strength.ts';

describe('how strong a password is', () => {
  const cases = {
    '': 'empty',
    a: 'weak',
    password: 'weak',
    Password1: 'weak',
    aaaaaaaaaaaaaaaaaaaaaaaa: 'weak',
    abcdefghijklmnopqrstuvwxyz: 'weak',
    '12345678901234567890': 'weak',
    'qwerty-admin-2026': 'fair',
    mv7kq2xdp: 'fair',
    'tin roof, wet cat, slow tram': 'good',
    猫在屋顶上等着慢车来: 'good',
    kq7mz2wx9rtbu4nd8pgc: 'good',
  };
  for (const [password, strength] of Object.entries(cases)) {
    it(`${password || 'nothing'}: ${strength}`, () => {
      assert.equal(passwordStrength(password), strength);
    });
  }

  it('never falls when something surprising is added', () => {
    const order = ['empty', 'weak', 'fair', 'good'];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'acegikmoqsuwy02468') }), (text) => {
        const rank = (password: string) => order.indexOf(passwordStrength(password));
        return rank(`${text}~Q`) >= rank(text);
      }),
    );
  });
});
