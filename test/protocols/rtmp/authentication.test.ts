import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { AuthenticationError } from '../../../codecs/errors.ts';
import { isAuthenticationDemand, nextAuthQuery } from '../../../protocols/rtmp/authentication.ts';

const credentials = { username: 'cam', password: 'secret' };
const need = (mode: string) =>
  `[ AccessManager.Reject ] : [ code=403 need auth; authmod=${mode} ] : `;
const challenge = (mode: string, query: string) =>
  `[ AccessManager.Reject ] : [ authmod=${mode} ] : ?reason=needauth&user=cam&${query}`;

function md5(text: string, encoding: 'base64' | 'hex'): string {
  return createHash('md5').update(text).digest(encoding);
}

test('the first answer names the mode and the user', () => {
  assert.ok(isAuthenticationDemand(need('adobe')));
  assert.equal(nextAuthQuery(need('adobe'), credentials, 'live', ''), 'authmod=adobe&user=cam');
  assert.equal(nextAuthQuery(need('llnw'), credentials, 'live', ''), 'authmod=llnw&user=cam');
});

test('a user name with reserved characters does not break the query', () => {
  const odd = { username: 'a&b=c?', password: '' };
  const query = nextAuthQuery(need('adobe'), odd, 'live', '');
  assert.equal(query, 'authmod=adobe&user=a%26b%3Dc%3F');
});

test('Adobe: the opaque value is part of the response and is sent back', () => {
  const query = nextAuthQuery(
    challenge('adobe', 'salt=s4lt==&challenge=Q0g=&opaque=T1A='),
    credentials,
    'live',
    'authmod=adobe&user=cam',
    '00c0ffee',
  );
  const secret = md5('cams4lt==secret', 'base64');
  const response = md5(`${secret}T1A=00c0ffee`, 'base64');
  const want = `authmod=adobe&user=cam&challenge=00c0ffee&response=${response}&opaque=T1A=`;
  assert.equal(query, want);
});

test('Adobe: the challenge stands in where there is no opaque value', () => {
  const query = nextAuthQuery(
    challenge('adobe', 'salt=s4lt&challenge=Q0g='),
    credentials,
    'live',
    'authmod=adobe&user=cam',
    '00c0ffee',
  );
  const secret = md5('cams4ltsecret', 'base64');
  const response = md5(`${secret}Q0g=00c0ffee`, 'base64');
  assert.equal(query, `authmod=adobe&user=cam&challenge=00c0ffee&response=${response}`);
});

for (const { app, uri } of [
  { app: 'live', uri: '/live/_definst_' },
  { app: 'live/instance', uri: '/live/instance' },
  { app: 'live?token=1', uri: '/live/_definst_' },
]) {
  test(`Limelight: a digest over ${uri}`, () => {
    const query = nextAuthQuery(
      challenge('llnw', 'nonce=bm9uY2U='),
      credentials,
      app,
      'authmod=llnw&user=cam',
      '00c0ffee',
    );
    const response = md5(
      `${md5('cam:live:secret', 'hex')}:bm9uY2U=:00000001:00c0ffee:auth:${md5(`publish:${uri}`, 'hex')}`,
      'hex',
    );
    assert.equal(
      query,
      `authmod=llnw&user=cam&nonce=bm9uY2U=&cnonce=00c0ffee&nc=00000001&response=${response}`,
    );
  });
}

const refusals = [
  { name: 'wrong password', text: '[ authmod=adobe ] : ?reason=authfailed&opaque=x', sent: 'x' },
  { name: 'unknown user', text: '[ authmod=adobe ] : ?reason=nosuchuser', sent: 'x' },
  { name: 'an unknown mode', text: need('ntlm'), sent: '' },
  { name: 'no mode', text: 'need auth', sent: '' },
  { name: 'the first demand again', text: need('adobe'), sent: 'authmod=adobe&user=cam' },
  {
    name: 'a challenge after a response',
    text: challenge('adobe', 'salt=1&opaque=2'),
    sent: 'authmod=adobe&user=cam&challenge=1&response=2',
  },
];

for (const { name, text, sent } of refusals) {
  test(`${name} is final, and the password is not in the message`, () => {
    assert.throws(
      () => nextAuthQuery(text, credentials, 'live', sent),
      (error) =>
        error instanceof AuthenticationError &&
        error.credentialsSent &&
        !error.message.includes('secret'),
    );
  });
}

test('without credentials the error says so', () => {
  assert.throws(
    () => nextAuthQuery(need('adobe'), undefined, 'live', ''),
    (error) => error instanceof AuthenticationError && !error.credentialsSent,
  );
});

test('an ordinary rejection is no demand', () => {
  assert.ok(!isAuthenticationDemand('[ no such application ]'));
});
