import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it, mock } from 'node:test';
import { TLSSocket } from 'node:tls';
import { expiredCookie, Sessions } from '../../../gateway/http/sessions.ts';

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;

function requestWith(cookie?: string, socket: object = { localPort: 8080 }): IncomingMessage {
  // All that is looked at.
  return { headers: { cookie }, socket } as unknown as IncomingMessage;
}

function setUp() {
  const clock = { ms: 0 };
  const sessions = new Sessions(() => clock.ms);
  const open = () => {
    const { session, cookie } = sessions.open(requestWith());
    return { session, pair: cookie.split(';')[0] ?? '' };
  };
  const find = (pair: string) => sessions.find(requestWith(pair));
  return { clock, sessions, open, find };
}

describe('sessions', () => {
  it('a cookie that was never given is none', () => {
    const { open, find } = setUp();
    const { pair, session } = open();
    assert.equal(find(pair), session);
    assert.equal(find(`a=b; ${pair}; c=d`), session);
    for (const wrong of [
      '',
      'sluice-8080=',
      `${pair}x`,
      `x${pair}`,
      pair.slice(0, -1),
      'sluice-8080',
    ]) {
      assert.equal(find(wrong), undefined, wrong);
    }
    assert.equal(find(pair.replace('8080', '8081')), undefined);
  });

  it('the cookie is for this server’s requests only, and no script’s', () => {
    const { sessions } = setUp();
    const { cookie } = sessions.open(requestWith());
    assert.match(
      cookie,
      /^sluice-8080=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=1209600$/,
    );
    const tls = new TLSSocket(new Socket());
    const secure = sessions.open(requestWith(undefined, tls)).cookie;
    assert.match(secure, /^__Host-sluice-.*; Path=\/; HttpOnly; SameSite=Strict; Secure; /);
    assert.match(expiredCookie(requestWith()), /^sluice-8080=; Path=\/; .*; Max-Age=0$/);
    tls.destroy();
  });

  it('ends when it is not used for three days, but not while a WebSocket is open', () => {
    const { clock, open, find } = setUp();
    const { pair, session } = open();
    const socket = new Socket();
    clock.ms += 3 * DAY_MS - 1;
    assert.equal(find(pair), session);
    session.sockets.add(socket);
    clock.ms += 4 * DAY_MS;
    assert.equal(find(pair), session);
    session.sockets.delete(socket);
    clock.ms += 3 * DAY_MS;
    assert.equal(find(pair), undefined);
  });

  it('ends after two weeks whatever is done, and its WebSockets with it, though nobody asks', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { clock, open, find } = setUp();
      const { pair, session } = open();
      const socket = new Socket();
      session.sockets.add(socket);
      clock.ms += 14 * DAY_MS - 1;
      mock.timers.tick(14 * DAY_MS - 1);
      assert.equal(find(pair), session);
      mock.timers.tick(1);
      assert.equal(socket.destroyed, true);
      assert.equal(find(pair), undefined);
    } finally {
      mock.timers.reset();
    }
  });

  it('64 at most: the one not used for longest goes', () => {
    const { open, find } = setUp();
    const [first, second] = [open(), open()];
    for (let count = 2; count < 64; count += 1) open();
    assert.equal(find(first.pair), first.session);
    const socket = new Socket();
    second.session.sockets.add(socket);
    open();
    assert.equal(find(second.pair), undefined);
    assert.equal(socket.destroyed, true);
    assert.equal(find(first.pair), first.session);
  });

  it('renewed, only the new number holds; all others can be ended', () => {
    const { sessions, open, find } = setUp();
    const [kept, other] = [open(), open()];
    const sockets = [new Socket(), new Socket()] as const;
    kept.session.sockets.add(sockets[0]);
    other.session.sockets.add(sockets[1]);
    sessions.endAllBut(kept.session);
    const renewed = sessions.renew(kept.session, requestWith()).split(';')[0] ?? '';
    assert.equal(find(kept.pair), undefined);
    assert.equal(find(other.pair), undefined);
    assert.equal(find(renewed), kept.session);
    assert.deepEqual([sockets[0].destroyed, sockets[1].destroyed], [false, true]);
  });
});
