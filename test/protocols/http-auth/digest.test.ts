import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseChallenges } from '../../../protocols/http-auth/challenge.ts';
import {
  type DigestRequest,
  digestAnswer,
  digestStrength,
} from '../../../protocols/http-auth/digest.ts';

function answerTo(header: string, request: Partial<DigestRequest> = {}): string | undefined {
  const [challenge] = parseChallenges([header]);
  assert.ok(challenge);
  return digestAnswer(challenge, {
    method: 'GET',
    uri: '/dir/index.html',
    username: 'Mufasa',
    password: 'Circle of Life',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    nonceCount: 1,
    ...request,
  });
}

function field(answer: string | undefined, name: string): string | undefined {
  return new RegExp(`\\b${name}="?([^",]*)"?`).exec(answer ?? '')?.[1];
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

const RFC_7616 =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

/** Cameras that want qop, or SHA-256: gortsplib#1074, PR#1155; go2rtc PR#2344, PR#2451, #2232. */
test('RFC 2617 §3.5: MD5 with qop', () => {
  const answer = answerTo(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    { password: 'Circle Of Life', cnonce: '0a4f113b' },
  );
  assert.equal(field(answer, 'response'), '6629fae49393a05397450978507c4ef1');
  assert.equal(field(answer, 'nc'), '00000001');
  assert.equal(field(answer, 'opaque'), '5ccc069c403ebaf9f0171e9517f40e41');
  assert.equal(field(answer, 'algorithm'), undefined, 'not named by the challenge: not echoed');
});

test('RFC 7616 §3.9.1: MD5', () => {
  const answer = answerTo(`Digest ${RFC_7616}, algorithm=MD5`);
  assert.equal(field(answer, 'response'), '8ca523f5e9506fed4657c9700eebdbec');
});

test('RFC 7616 §3.9.1: SHA-256', () => {
  const answer = answerTo(`Digest ${RFC_7616}, algorithm=SHA-256`);
  assert.equal(
    field(answer, 'response'),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  );
  assert.equal(field(answer, 'algorithm'), 'SHA-256');
});

test('RFC 2069: without qop there is neither nc nor cnonce', () => {
  const answer = answerTo('Digest realm="cam", nonce="abc"', {
    method: 'DESCRIBE',
    uri: 'rtsp://10.0.0.1/s',
    username: 'admin',
    password: '12345',
  });
  const want = md5(`${md5('admin:cam:12345')}:abc:${md5('DESCRIBE:rtsp://10.0.0.1/s')}`);
  assert.equal(field(answer, 'response'), want);
  assert.equal(field(answer, 'nc'), undefined);
  assert.equal(field(answer, 'cnonce'), undefined);
});

test('MD5-sess hashes nonce and cnonce into the secret', () => {
  const answer = answerTo('Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess', {
    method: 'PLAY',
    uri: 'u',
    username: 'a',
    password: 'b',
    cnonce: 'c',
    nonceCount: 0x1f,
  });
  const ha1 = md5(`${md5('a:r:b')}:n:c`);
  assert.equal(field(answer, 'response'), md5(`${ha1}:n:0000001f:c:auth:${md5('PLAY:u')}`));
  assert.equal(field(answer, 'nc'), '0000001f');
});

test('quotes and backslashes in realm and user name are escaped', () => {
  const answer = answerTo('Digest realm="a \\"b\\"", nonce="n"', { username: 'x\\y' });
  assert.match(answer ?? '', /username="x\\\\y", realm="a \\"b\\""/);
});

const strengths = [
  ['Digest nonce="n", algorithm=SHA-256', 3],
  ['Digest nonce="n", algorithm="sha-256-sess"', 3],
  ['Digest nonce="n", algorithm=SHA256', 3],
  ['Digest nonce="n"', 2],
  ['Digest nonce="n", algorithm="MD5"', 2],
  ['Digest nonce="n", qop=""', 2],
  ['Digest nonce="n", qop="auth-int"', 0],
  ['Digest nonce="n", algorithm=SHA-512-256', 0],
  ['Digest realm="no nonce"', 0],
  ['Basic realm="x"', 0],
] as const;

for (const [header, want] of strengths) {
  test(`the strength of ${header} is ${want}`, () => {
    const [challenge] = parseChallenges([header]);
    assert.equal(challenge && digestStrength(challenge), want);
    if (want === 0) assert.equal(challenge && answerTo(header), undefined);
  });
}
