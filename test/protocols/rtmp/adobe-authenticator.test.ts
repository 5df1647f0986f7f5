import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdobeAuthenticator } from '../../../protocols/rtmp/adobe-authenticator.ts';
import { nextAuthQuery, type RtmpCredentials } from '../../../protocols/rtmp/authentication.ts';
import { splitQuery } from '../../../protocols/rtmp/query.ts';

const LOGIN = { username: 'cam', password: 'se/cret&=' };

class Server {
  nowMs = 1_000;
  readonly authenticator = new AdobeAuthenticator(() => this.nowMs);

  answer(query: string) {
    return this.authenticator.answer(splitQuery(`live?${query}`).query, LOGIN);
  }

  words(query: string): string {
    const step = this.answer(query);
    assert.ok(step.at === 'rejected');
    return step.description;
  }

  /** As our own publisher does it: asked, challenged, answered. */
  query(credentials: RtmpCredentials): string {
    const user = nextAuthQuery(this.words(''), credentials, 'live', '');
    return nextAuthQuery(this.words(user), credentials, 'live', user);
  }
}

test('a wrong password or user is refused for good, in the words that clients know', () => {
  for (const wrong of [
    { ...LOGIN, password: 'x' },
    { ...LOGIN, username: 'other' },
    { username: '', password: '' },
  ]) {
    const server = new Server();
    const step = server.answer(server.query(wrong));
    assert.deepEqual(step, {
      at: 'rejected',
      description: '[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed',
      isWrong: true,
    });
  }
});

test('a challenge that is not ours, or was changed, or is old, gives another', () => {
  const server = new Server();
  const query = server.query(LOGIN);
  assert.match(new Server().words(query), /reason=needauth/, 'another server’s');
  const changed = query.replace(/opaque=./, (text) =>
    text === 'opaque=1' ? 'opaque=2' : 'opaque=1',
  );
  assert.match(server.words(changed), /reason=needauth/);
  assert.match(server.words(query.replace(/&opaque=.*/, '')), /reason=needauth/);
  assert.match(server.words(`${query.replace(/opaque=.*/, '')}opaque=`), /reason=needauth/);
  server.nowMs += 60_000;
  assert.match(server.words(query), /reason=needauth/);
  assert.equal(server.answer(server.query(LOGIN)).at, 'accepted');
});

test('other modes are asked for this one', () => {
  assert.equal(
    new Server().words('authmod=llnw&user=cam'),
    '[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ',
  );
});

test('a user name is said back where it can be', () => {
  const server = new Server();
  assert.match(server.words('authmod=adobe&user=cam'), /\?reason=needauth&user=cam&salt=/);
  assert.match(server.words('authmod=adobe&user=a%26b%0a'), /\?reason=needauth&user=&salt=/);
});

test('who knows the password is let in', () => {
  const server = new Server();
  assert.deepEqual(server.answer(server.query(LOGIN)), { at: 'accepted' });
});
