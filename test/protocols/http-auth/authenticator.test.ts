import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerChallenge, HttpAuthenticator } from '../../../protocols/http-auth/authenticator.ts';

const CREDENTIALS = { username: 'admin', password: 'p:w d' };
const CONTEXT = { method: 'DESCRIBE', uri: 'rtsp://10.0.0.1/s' };
const MD5 = 'Digest realm="r", nonce="m1", algorithm=MD5';
const SHA = 'Digest realm="r", nonce="s1", algorithm=SHA-256, qop="auth"';
const BASIC = 'Basic realm="r"';

const choices = [
  { name: 'Basic alone', headers: [BASIC], want: /^Basic YWRtaW46cDp3IGQ=$/ },
  { name: 'Basic before MD5', headers: [BASIC, MD5], want: /nonce="m1"/ },
  { name: 'MD5 before SHA-256', headers: [MD5, SHA], want: /nonce="s1"/ },
  { name: 'SHA-256 before MD5 and Basic', headers: [SHA, MD5, BASIC], want: /nonce="s1"/ },
  { name: 'all in one header', headers: [`${BASIC}, ${MD5}, ${SHA}`], want: /nonce="s1"/ },
  {
    name: 'Digest that we cannot do, then Basic',
    headers: ['Digest realm="r", nonce="x", algorithm=SHA-512-256', BASIC],
    want: /^Basic /,
  },
] as const;

for (const { name, headers, want } of choices) {
  test(`takes the strongest of: ${name}`, () => {
    assert.match(answerChallenge(headers, CREDENTIALS, CONTEXT) ?? '', want);
  });
}

test('a login that is tried on strangers is never sent as it is', () => {
  const credentials = { ...CREDENTIALS, isSecretive: true };
  const authenticator = new HttpAuthenticator(credentials);
  assert.equal(authenticator.challenge([BASIC], false), 'clear-text');
  assert.equal(authenticator.authorize('OPTIONS', 'u'), undefined);
  assert.equal(answerChallenge([BASIC], credentials, CONTEXT), undefined);
  assert.equal(authenticator.challenge([BASIC, MD5], false), 'retry');
  assert.match(authenticator.authorize('OPTIONS', 'u') ?? '', /^Digest /);
  // First a digest, then downgraded.
  assert.equal(authenticator.challenge([BASIC], true), 'clear-text');
});

test('has no answer to a scheme that it does not know', () => {
  assert.equal(answerChallenge(['Negotiate'], CREDENTIALS, CONTEXT), undefined);
  assert.equal(answerChallenge([], CREDENTIALS, CONTEXT), undefined);
});

test('Basic sends UTF-8', () => {
  const answer = answerChallenge([BASIC], { username: 'ü', password: '€' }, CONTEXT);
  assert.equal(answer, `Basic ${Buffer.from('ü:€').toString('base64')}`);
});

test('says nothing before it is challenged, then counts the uses of the nonce', () => {
  const authenticator = new HttpAuthenticator(CREDENTIALS, () => 'c');
  assert.equal(authenticator.authorize('OPTIONS', 'u'), undefined);
  assert.equal(authenticator.challenge([SHA], false), 'retry');
  assert.match(authenticator.authorize('OPTIONS', 'u') ?? '', /nc=00000001/);
  assert.match(authenticator.authorize('DESCRIBE', 'u') ?? '', /nc=00000002/);
});

test('a second 401 with another nonce means that the password is wrong', () => {
  const authenticator = new HttpAuthenticator(CREDENTIALS);
  authenticator.challenge([MD5], false);
  authenticator.authorize('DESCRIBE', 'u');
  assert.equal(authenticator.challenge([MD5.replace('m1', 'm2')], true), 'refused');
});

test('a stale nonce is not a refusal, and the new nonce is counted anew', () => {
  const authenticator = new HttpAuthenticator(CREDENTIALS, () => 'c');
  authenticator.challenge([SHA], false);
  authenticator.authorize('SETUP', 'u');
  const stale = SHA.replace('s1', 's2');
  assert.equal(authenticator.challenge([`${stale}, stale=TRUE`], true), 'retry');
  assert.match(authenticator.authorize('SETUP', 'u') ?? '', /nonce="s2".*nc=00000001/);
});

test('a nonce that expires without a word is no refusal once the password was accepted', () => {
  const authenticator = new HttpAuthenticator(CREDENTIALS);
  authenticator.challenge([MD5], false);
  authenticator.authorize('DESCRIBE', 'u');
  authenticator.accepted();
  assert.equal(authenticator.challenge([MD5.replace('m1', 'm2')], true), 'retry');
  authenticator.authorize('DESCRIBE', 'u');
  assert.equal(authenticator.challenge([MD5.replace('m1', 'm2')], true), 'refused');
});

test('a challenge that nobody can answer is told from a refusal', () => {
  const authenticator = new HttpAuthenticator(CREDENTIALS);
  assert.equal(authenticator.challenge(['Negotiate'], false), 'unsupported');
});
