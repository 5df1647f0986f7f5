import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseDigestChallenge, DigestResponder } from '../../../protocols/soap/http-digest.ts';

/** RFC 7616 §3.9.1. */
const RFC_7616 =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

test('the examples of RFC 7616 §3.9.1', () => {
  const cases = [
    {
      header: RFC_7616,
      response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    },
    { header: RFC_7616.replace('SHA-256', 'MD5'), response: '8ca523f5e9506fed4657c9700eebdbec' },
  ];
  for (const { header, response } of cases) {
    const challenge = chooseDigestChallenge([header]);
    assert.ok(challenge !== undefined);
    const answer = new DigestResponder(challenge, 'Mufasa', 'Circle of Life').authorize(
      'GET',
      '/dir/index.html',
      CNONCE,
    );
    assert.match(answer, new RegExp(`response="${response}"`));
    assert.match(answer, /qop=auth, nc=00000001/);
    assert.match(answer, /opaque="FQhe\/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"/);
  }
});

test('the count goes up while a nonce is used again', () => {
  const challenge = chooseDigestChallenge([RFC_7616])!;
  const responder = new DigestResponder(challenge, 'a', 'b');
  responder.authorize('POST', '/');
  assert.match(responder.authorize('POST', '/'), /nc=00000002/);
});

test('challenges as cameras send them', () => {
  const cases = [
    {
      name: 'no qop (RFC 2069)',
      headers: ['Digest realm="IP Camera", nonce="a"'],
      want: { algorithm: 'MD5', hasQop: false, nonce: 'a' },
    },
    {
      name: 'space in qop',
      headers: ['Digest qop="auth, auth-int", realm="x", nonce="a"'],
      want: { hasQop: true },
    },
    {
      name: 'auth-int first',
      headers: ['Digest qop="auth-int,auth", realm="x", nonce="a"'],
      want: { hasQop: true },
    },
    {
      name: 'Hikvision: two headers, SHA-256 second',
      headers: [
        'Digest qop="auth", realm="IP Camera", nonce="md5", stale="FALSE"',
        'Digest qop="auth", realm="IP Camera", nonce="sha", algorithm="SHA-256", stale="FALSE"',
      ],
      want: { nonce: 'sha', algorithm: 'SHA-256', stale: false },
    },
    {
      name: 'several schemes in one header',
      headers: ['Basic realm="x", Digest realm="y", nonce="a", stale=TRUE'],
      want: { realm: 'y', stale: true },
    },
    {
      name: 'unknown algorithm beside a known one',
      headers: [
        'Digest realm="x", nonce="a", algorithm=SHA-512-256',
        'Digest realm="x", nonce="b"',
      ],
      want: { nonce: 'b' },
    },
    {
      name: 'quote inside the realm',
      headers: ['Digest realm="the \\"yard\\"", nonce="a"'],
      want: { realm: 'the "yard"' },
    },
  ];
  for (const { name, headers, want } of cases) {
    const challenge = chooseDigestChallenge(headers);
    assert.ok(challenge !== undefined, name);
    assert.deepEqual({ ...challenge, ...want }, challenge, name);
  }
});

test('what cannot be answered is no challenge', () => {
  for (const header of [
    '',
    'Basic realm="x"',
    'Digest realm="x"',
    'Digest nonce="a", qop="auth-int"',
    'Digest nonce="a", algorithm=MD5-sess',
    'Negotiate',
  ]) {
    assert.equal(chooseDigestChallenge([header]), undefined, header);
  }
});

test('any header gives a challenge or none', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      chooseDigestChallenge([a, `Digest ${b}`, `Digest nonce="${a}", ${b}`]);
    }),
  );
});
