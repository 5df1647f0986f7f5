import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from '../../../protocols/http-auth/challenge.ts';

interface Case {
  readonly name: string;
  readonly headers: readonly string[];
  readonly want: readonly (readonly [scheme: string, parameters: Record<string, string>])[];
}

const cases: readonly Case[] = [
  { name: 'no header', headers: [], want: [] },
  { name: 'an empty header', headers: [''], want: [] },
  {
    name: 'Basic with a realm',
    headers: ['Basic realm="IP Camera"'],
    want: [['basic', { realm: 'IP Camera' }]],
  },
  {
    name: 'unquoted algorithm, no space behind the commas',
    headers: ['Digest realm="cam",nonce="abc==",algorithm=MD5,stale=FALSE'],
    want: [['digest', { realm: 'cam', nonce: 'abc==', algorithm: 'MD5', stale: 'FALSE' }]],
  },
  {
    name: 'everything unquoted',
    headers: ['Digest realm=cam, nonce=abc123, qop=auth'],
    want: [['digest', { realm: 'cam', nonce: 'abc123', qop: 'auth' }]],
  },
  {
    name: 'spaces around the equals signs',
    headers: ['Digest realm = "cam" , nonce= "abc"'],
    want: [['digest', { realm: 'cam', nonce: 'abc' }]],
  },
  {
    name: 'commas and escaped quotes inside quotes',
    headers: ['Digest realm="a \\"b\\", c\\\\d", qop="auth,auth-int", nonce="n"'],
    want: [['digest', { realm: 'a "b", c\\d', qop: 'auth,auth-int', nonce: 'n' }]],
  },
  {
    name: 'two challenges in one header',
    headers: ['Basic realm="cam", Digest realm="cam", nonce="n"'],
    want: [
      ['basic', { realm: 'cam' }],
      ['digest', { realm: 'cam', nonce: 'n' }],
    ],
  },
  {
    name: 'two challenges in two headers',
    headers: ['DIGEST realm="cam", nonce="n"', 'BASIC realm="cam"'],
    want: [
      ['digest', { realm: 'cam', nonce: 'n' }],
      ['basic', { realm: 'cam' }],
    ],
  },
  {
    name: 'keys in capitals',
    headers: ['Digest Realm="cam", NONCE="n"'],
    want: [['digest', { realm: 'cam', nonce: 'n' }]],
  },
  {
    name: 'a quote that is never closed',
    headers: ['Digest nonce="n", realm="cam'],
    want: [['digest', { nonce: 'n', realm: 'cam' }]],
  },
  {
    name: 'an unquoted nonce in Base64',
    headers: ['Digest nonce=YWJj==, realm="cam"'],
    want: [['digest', { nonce: 'YWJj==', realm: 'cam' }]],
  },
  {
    name: 'a scheme alone',
    headers: ['Negotiate'],
    want: [['negotiate', {}]],
  },
  { name: 'parameters without a scheme', headers: ['realm="cam"'], want: [] },
];

for (const { name, headers, want } of cases) {
  test(`reads ${name}`, () => {
    const got = parseChallenges(headers).map(({ scheme, parameters }) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
    assert.deepEqual(got, want);
  });
}

test('looks at a bounded part of a header, and at a bounded number of challenges', () => {
  assert.ok(parseChallenges(['Basic realm="x", '.repeat(10_000)]).length <= 16);
});

test('any text gives a list, quickly', () => {
  const piece = fc.constantFrom('Digest ', 'Basic', ' ', ',', '=', '"', '\\', 'nonce', 'é', '\n');
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
      for (const { scheme } of parseChallenges([pieces.join('')])) {
        assert.equal(scheme, scheme.toLowerCase());
      }
    }),
  );
});
