import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpAuthenticator } from '../../../protocols/http-auth/authenticator.ts';
import { DigestVerifier } from '../../../protocols/http-auth/digest-verifier.ts';

const LOGIN = { username: 'cam', password: 'p w' };
const URI = 'rtsp://10.0.0.1/live/door';

class Harness {
  nowMs = 0;
  #nonces = 0;
  readonly verifier = new DigestVerifier({
    realm: 'Sluice',
    newNonce: () => `nonce${this.#nonces++}`,
    now: () => this.nowMs,
  });

  verdict(header: string, method = 'DESCRIBE', login = LOGIN) {
    return this.verifier.verify(header, { method, ...login });
  }
}

/** As our own client answers, to the challenges it is given. */
function answer(challenges: readonly string[], login = LOGIN, method = 'DESCRIBE'): string {
  const client = new HttpAuthenticator(login, () => 'c0ffee');
  assert.equal(client.challenge(challenges, false), 'retry');
  return client.authorize(method, URI)!;
}

describe('DigestVerifier', () => {
  test('offers SHA-256 and, last, what everybody knows', () => {
    assert.deepEqual(new Harness().verifier.challenges(false), [
      'Digest realm="Sluice", nonce="nonce0", algorithm=SHA-256',
      'Digest realm="Sluice", nonce="nonce0", algorithm=MD5',
    ]);
  });

  for (const algorithm of ['SHA-256', 'MD5', 'MD5-sess']) {
    for (const extra of ['', ', qop="auth"']) {
      test(`takes ${algorithm}${extra}`, () => {
        const harness = new Harness();
        const [offered] = harness.verifier.challenges(false);
        const asked = offered!.replace('SHA-256', algorithm) + extra;
        assert.equal(harness.verdict(answer([asked])), 'right');
      });
    }
  }

  test('RFC 2069 as a client without algorithm answers it', () => {
    const harness = new Harness();
    harness.verifier.challenges(false);
    const header = answer(['Digest realm="Sluice", nonce="nonce0"']);
    assert.ok(!header.includes('algorithm'));
    assert.equal(harness.verdict(header), 'right');
  });

  const wrong: readonly [name: string, header: (challenges: string[]) => string][] = [
    ['another password', (c) => answer(c, { ...LOGIN, password: 'guess' })],
    ['another name', (c) => answer(c, { ...LOGIN, username: 'CAM' })],
    ['another method', (c) => answer(c, LOGIN, 'PLAY')],
    ['another realm', (c) => answer(c.map((each) => each.replace('Sluice', 'Other')))],
    ['a cut answer', (c) => answer(c).replace(/response="..../, 'response="')],
    ['an algorithm that is not known', (c) => `${answer(c)}, algorithm=SHA-1`],
    ['Basic', () => `Basic ${Buffer.from('cam:p w').toString('base64')}`],
    ['nothing', () => ''],
    ['noise', () => 'Digest ,,, = "'],
  ];
  for (const [name, header] of wrong) {
    test(`says no to ${name}`, () => {
      const harness = new Harness();
      assert.equal(harness.verdict(header(harness.verifier.challenges(false))), 'wrong');
    });
  }

  test('a right answer to a nonce that is over, or of another connection, is stale', () => {
    const harness = new Harness();
    const header = answer(harness.verifier.challenges(false));
    harness.nowMs = 299_000;
    assert.equal(harness.verdict(header), 'right');
    harness.nowMs = 300_000;
    assert.equal(harness.verdict(header), 'stale');
    assert.match(harness.verifier.challenges(true)[1]!, /nonce="nonce1".*stale=true$/);
    assert.equal(harness.verdict(header), 'stale');
    assert.equal(new Harness().verdict(header), 'stale', 'nothing was asked there');
  });

  test('a wrong answer to an old nonce is wrong', () => {
    const harness = new Harness();
    const header = answer(harness.verifier.challenges(false), { ...LOGIN, password: 'guess' });
    harness.nowMs = 400_000;
    assert.equal(harness.verdict(header), 'wrong');
  });
});
