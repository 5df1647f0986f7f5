import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  loadSession,
  logIn,
  mayEnter,
  SessionRefusal,
  setPassword,
} from '../../../../../gateway/http/dashboard/login/session.ts';
import type { SessionState } from '../../../../../gateway/http/session-state.ts';

const ADMIN: SessionState = {
  access: 'admin',
  loginNeeded: true,
  mustSetPassword: false,
  canSetPassword: true,
  username: 'admin',
};

function answerWith(t: TestContext, answer: () => Response | Promise<Response>) {
  return t.mock.method(globalThis, 'fetch', async () => answer()).mock;
}

function refused(code: string, more: Partial<SessionRefusal> = {}) {
  return (error: unknown) => {
    assert.ok(error instanceof SessionRefusal);
    assert.deepEqual(
      { code: error.code, ...more },
      {
        code,
        ...Object.fromEntries(Object.keys(more).map((key) => [key, Reflect.get(error, key)])),
      },
    );
    return true;
  };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}) {
  return new Response(JSON.stringify(body), { status, headers });
}

describe('the session at the gateway', () => {
  it('says no in the words of the server', async (t) => {
    answerWith(t, () => json(401, { error: { code: 'wrong-login', message: 'no' } }));
    await assert.rejects(logIn('admin', 'x'), refused('wrong-login', { message: 'no' }));
  });

  it('says when to try again', async (t) => {
    const error = { code: 'too-many-attempts', message: 'wait' };
    answerWith(t, () => json(429, { error }, { 'retry-after': '37' }));
    await assert.rejects(logIn('admin', 'x'), refused('too-many-attempts', { retryAfterS: 37 }));
  });

  it('tells a server that is gone, and one that is none of ours', async (t) => {
    answerWith(t, () => Promise.reject(new TypeError('Failed to fetch')));
    await assert.rejects(loadSession(), refused('offline'));
    answerWith(t, () => new Response('<h1>Bad Gateway</h1>', { status: 502 }));
    await assert.rejects(loadSession(), refused('failed', { message: 'HTTP 502' }));
    for (const body of [null, 7, [], {}, { access: 'root' }]) {
      answerWith(t, () => json(200, body));
      await assert.rejects(loadSession(), refused('failed'));
    }
  });

  it('sends JSON to paths beside the page', async (t) => {
    const asked = answerWith(t, () => json(200, ADMIN));
    assert.deepEqual(await setPassword('old', 'new'), ADMIN);
    const [path, options] = (asked.calls[0]?.arguments ?? []) as unknown as [string, RequestInit];
    assert.equal(path, 'api/v1/password');
    assert.deepEqual(JSON.parse(String(options.body)), { current: 'old', password: 'new' });
    assert.deepEqual(options.headers, { 'content-type': 'application/json' });
  });

  it('lets in only who may do everything with a password of their own', () => {
    assert.ok(mayEnter(ADMIN));
    assert.ok(!mayEnter({ ...ADMIN, mustSetPassword: true }));
    assert.ok(!mayEnter({ ...ADMIN, access: 'read' }));
    assert.ok(!mayEnter({ ...ADMIN, access: 'none' }));
  });
});
