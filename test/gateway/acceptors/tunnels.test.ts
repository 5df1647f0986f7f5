import assert from 'node:assert/strict';
import { mock, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import type { TunnelSession } from '../../../gateway/acceptors/tunnel-session.ts';
import { Tunnels } from '../../../gateway/acceptors/tunnels.ts';
import { TunnelAnswerParser } from '../../../protocols/rtmp/tunnel-answer.ts';

const encoder = new TextEncoder();
const SILENCE_MS = 30_000;

/** The RTMP side of a session. */
class End {
  received = '';
  isClosed = false;
  words = '';
  readonly session: TunnelSession;

  constructor(session: TunnelSession) {
    this.session = session;
  }

  push(chunk: Uint8Array): void {
    this.received += new TextDecoder().decode(chunk);
    chunk.fill(0xee); // it may
  }

  closed(): void {
    this.isClosed = true;
  }

  end(words: string): void {
    this.words = words;
    this.session.end();
  }
}

interface Answer {
  status: number;
  body: string;
}

/** A client's HTTP connection. */
class Client {
  readonly answers: Answer[] = [];
  isEnded = false;
  isDestroyed = false;
  writableLength = 0;
  readonly #parser = new TunnelAnswerParser();
  readonly #side: { push(chunk: Uint8Array): void; closed(): void };

  constructor(tunnels: Tunnels, address: string) {
    this.#side = tunnels.connect(
      {
        write: (bytes) => this.#read(bytes),
        cork: () => undefined,
        uncork: () => undefined,
        end: () => {
          this.isEnded = true;
        },
        destroy: () => {
          this.isDestroyed = true;
        },
        get writableLength() {
          return client.writableLength;
        },
      },
      address,
    );
    const client = this;
  }

  raw(text: string): void {
    this.#side.push(encoder.encode(text));
  }

  post(path: string, body = '\0', headers = ''): Answer | undefined {
    const count = this.answers.length;
    this.raw(`POST ${path} HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`);
    return this.answers[count];
  }

  closed(): void {
    this.#side.closed();
  }

  /** The name of a new session. */
  open(): string {
    const answer = this.post('/open/1');
    assert.equal(answer?.status, 200);
    assert.match(answer.body, /^[\da-f]{32}\n$/);
    return answer.body.trim();
  }

  #read(bytes: Uint8Array): void {
    for (const event of this.#parser.push(bytes)) {
      if (event.at === 'answer') this.answers.push({ status: event.status, body: '' });
      const last = this.answers.at(-1);
      if (event.at === 'body' && last !== undefined) {
        last.body += new TextDecoder('latin1').decode(event.bytes);
      }
    }
  }
}

function setUp(context: TestContext, { maxSessions = 100, maxSessionsPerAddress = 10 } = {}) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  let nowMs = 0;
  const ends: End[] = [];
  const tunnels = new Tunnels({
    maxSessions,
    maxSessionsPerAddress,
    handshakeMs: 10_000,
    log: pino({ level: 'silent' }),
    now: () => nowMs,
    open: (session) => {
      const end = new End(session);
      ends.push(end);
      return end;
    },
  });
  context.after(() => {
    tunnels.stop();
    mock.timers.reset();
  });
  return {
    tunnels,
    ends,
    connect: (address = '10.0.0.1') => new Client(tunnels, address),
    pass: (ms: number) => {
      nowMs += ms;
      mock.timers.tick(ms);
    },
  };
}

test('open, send, idle, close', (context) => {
  const { ends, connect, tunnels } = setUp(context);
  const client = connect();
  const name = client.open();
  const [end] = ends;
  assert.ok(end);
  end.session.write(encoder.encode('S0S1S2'));
  assert.deepEqual(client.post(`/send/${name}/1`, 'C0C1'), { status: 200, body: '\x01S0S1S2' });
  assert.deepEqual(client.post(`/send/${name}/2`, 'C2'), { status: 200, body: '\x01' });
  assert.equal(end.received, 'C0C1C2');
  assert.deepEqual(client.post(`/close/${name}/3`), { status: 200, body: '\0' });
  assert.ok(end.isClosed);
  assert.equal(tunnels.sessions, 0);
  assert.equal(client.post(`/idle/${name}/4`)?.status, 404);
  assert.ok(!client.isEnded);
});

test('a session goes on over another connection, with requests cut anywhere', (context) => {
  const { ends, connect } = setUp(context);
  const name = connect().open();
  const request = `POST /send/${name}/1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello`;
  const client = connect('10.0.0.2');
  for (const letter of request) client.raw(letter);
  assert.deepEqual(client.answers, [{ status: 200, body: '\x01' }]);
  assert.equal(ends[0]?.received, 'hello');
});

test('a poll without anything to say is held back until there is', async (context) => {
  const { ends, connect, pass } = setUp(context);
  const client = connect();
  const name = client.open();
  assert.equal(client.post(`/idle/${name}/1`), undefined);
  ends[0]?.session.write(encoder.encode('one '));
  ends[0]?.session.write(encoder.encode('two'));
  await turn();
  assert.deepEqual(client.answers.at(-1), { status: 200, body: '\x01one two' });
  assert.equal(client.post(`/idle/${name}/2`), undefined);
  pass(50);
  assert.deepEqual(client.answers.at(-1), { status: 200, body: '\x01' });
});

test('answers keep the order of pipelined requests', (context) => {
  const { connect } = setUp(context);
  const client = connect();
  const name = client.open();
  const idle = `POST /idle/${name}/1 HTTP/1.1\r\nContent-Length: 1\r\n\r\n\0`;
  client.raw(`${idle}${idle}POST /fcs/ident2 HTTP/1.1\r\nContent-Length: 1\r\n\r\n\0`);
  assert.deepEqual(
    client.answers.map(({ status }) => status),
    [200, 200, 200, 404],
  );
});

test('the poll interval rises while nothing is said, and falls when something is', (context) => {
  const { ends, connect, pass } = setUp(context);
  const client = connect();
  const name = client.open();
  const intervals: (number | undefined)[] = [];
  for (let count = 0; count < 70; count += 1) {
    client.post(`/idle/${name}/${count}`);
    pass(50);
    intervals.push(client.answers.at(-1)?.body.charCodeAt(0));
  }
  assert.deepEqual([...new Set(intervals)], [1, 3, 5, 9, 0x11, 0x21]);
  ends[0]?.session.write(encoder.encode('x'));
  assert.equal(client.post(`/idle/${name}/71`)?.body, '\x01x');
});

test('a request that was lost with its connection is taken once, and answered as before', (context) => {
  const { ends, connect } = setUp(context);
  const first = connect();
  const name = first.open();
  ends[0]?.session.write(encoder.encode('answer'));
  assert.equal(first.post(`/send/${name}/5`, 'hello')?.body, '\x01answer');
  const second = connect();
  assert.equal(second.post(`/send/${name}/5`, 'hello')?.body, '\x01answer');
  assert.equal(ends[0]?.received, 'hello');
  assert.equal(second.post(`/send/${name}/6`, ' again')?.body, '\x01');
  assert.equal(ends[0]?.received, 'hello again');
});

test('a request of which a part was lost with its connection goes on where it was', (context) => {
  const { ends, connect } = setUp(context);
  const first = connect();
  const name = first.open();
  first.raw(`POST /send/${name}/5 HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123`);
  first.closed();
  const second = connect();
  assert.equal(second.post(`/send/${name}/5`, '0123456789')?.status, 200);
  assert.equal(ends[0]?.received, '0123456789');
});

test('numbers that repeat on one connection, jump or are left out are taken as they come', (context) => {
  const { ends, connect } = setUp(context);
  const client = connect();
  const name = client.open();
  for (const sequence of ['/1', '/1', '/9', '/3', '']) {
    assert.equal(client.post(`/send/${name}${sequence}`, 'x')?.status, 200, sequence);
  }
  assert.equal(ends[0]?.received, 'xxxxx');
});

test('a request that begins in the middle of another ends the session, and no other', (context) => {
  const { ends, connect } = setUp(context);
  const first = connect();
  const name = first.open();
  const other = first.open();
  first.raw(`POST /send/${name}/5 HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123`);
  const second = connect();
  assert.equal(second.post(`/send/${name}/6`, 'x')?.status, 404);
  assert.match(ends[0]?.words ?? '', /overlap/);
  first.raw('456789');
  assert.equal(ends[0]?.received, '0123');
  assert.equal(second.post(`/send/${other}/0`, 'x')?.status, 200);
});

test('what our side says last can be fetched, and then the session is gone', (context) => {
  const { ends, connect, tunnels } = setUp(context);
  const client = connect();
  const name = client.open();
  ends[0]?.session.write(encoder.encode('bye'));
  ends[0]?.session.end();
  ends[0]?.session.write(encoder.encode('more'));
  assert.equal(client.post(`/idle/${name}/1`)?.body, '\x01bye');
  assert.equal(client.post(`/idle/${name}/2`)?.status, 404);
  assert.equal(tunnels.sessions, 0);
  assert.ok(ends[0]?.isClosed);
});

test('a session of which nothing is heard for 30 s ends; its memory is free', (context) => {
  const { ends, connect, tunnels, pass } = setUp(context);
  const client = connect();
  const name = client.open();
  ends[0]?.session.write(new Uint8Array(1_000));
  for (let count = 0; count < 5; count += 1) {
    pass(SILENCE_MS - 2_000);
    client.post(`/send/${name}/${count}`, 'x');
  }
  assert.equal(tunnels.sessions, 1);
  ends[0]?.session.write(new Uint8Array(1_000));
  assert.equal(ends[0]?.session.backlogBytes, 1_000);
  pass(SILENCE_MS + 1_000);
  assert.equal(tunnels.sessions, 0);
  assert.ok(ends[0]?.isClosed);
  assert.equal(ends[0]?.session.backlogBytes, 0);
  assert.ok(client.isDestroyed, 'and so does an idle connection');
});

test('a connection that asks for nothing, or never comes to an end, is cut after handshakeMs', (context) => {
  const { connect, pass } = setUp(context);
  const silent = connect();
  const slow = connect();
  const served = connect();
  served.open();
  for (let second = 0; second < 11; second += 1) {
    slow.raw('P');
    pass(1_000);
  }
  assert.deepEqual([silent.isDestroyed, slow.isDestroyed, served.isDestroyed], [true, true, false]);
});

test('one answer carries a quarter of a megabyte, the next ones the rest', (context) => {
  const { ends, connect } = setUp(context);
  const client = connect();
  const name = client.open();
  for (let count = 0; count < 10; count += 1) ends[0]?.session.write(new Uint8Array(100_000));
  for (let count = 0; count < 5; count += 1) {
    assert.equal(client.post(`/idle/${name}/${count}`)?.body.length, 200_001);
  }
  assert.equal(ends[0]?.session.backlogBytes, 0);
});

for (const [name, head, status] of [
  ['a GET', 'GET / HTTP/1.1\r\n\r\n', 404],
  ['a POST without a length', 'POST /open/1 HTTP/1.1\r\n\r\n', 411],
  ['a POST in chunks', 'POST /open/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', 411],
  ['an endless POST', 'POST /open/1 HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n', 413],
  ['nonsense', 'PRETTY PLEASE\r\n\r\n', 400],
  ['a head without end', `POST /open/1 HTTP/1.1\r\nX: ${'x'.repeat(10_000)}`, 400],
] as const) {
  test(`${name} is answered with ${status}, and the connection closed`, (context) => {
    const { connect, tunnels } = setUp(context);
    const client = connect();
    client.raw(head);
    assert.equal(client.answers[0]?.status, status);
    assert.ok(client.isEnded);
    client.raw('POST /open/1 HTTP/1.1\r\nContent-Length: 1\r\n\r\n\0');
    assert.equal(tunnels.sessions, 0);
  });
}

test('wrong names get 404, and stay connected', (context) => {
  const { connect } = setUp(context);
  const client = connect();
  client.open();
  for (const path of [`/idle/${'0'.repeat(32)}/1`, '/send//1', '/idle', '/open', '/live/cam.flv']) {
    const status = client.post(path)?.status;
    assert.equal(status, path === '/open' ? 200 : 404, path);
  }
  assert.ok(!client.isEnded);
});

test('so many sessions of an address, so many in all', (context) => {
  const limits = { maxSessions: 15, maxSessionsPerAddress: 10 };
  const { connect, tunnels } = setUp(context, limits);
  for (let count = 0; count < 1_000; count += 1) connect().post('/open/1');
  assert.equal(tunnels.sessions, 10);
  for (let count = 0; count < 1_000; count += 1) connect('10.0.0.2').post('/open/1');
  assert.equal(tunnels.sessions, 15);
  const client = connect('10.0.0.3');
  assert.equal(client.post('/open/1')?.status, 503);
  assert.ok(client.isEnded);
});

test('a client that asks and asks and does not read is cut', (context) => {
  const { connect, tunnels } = setUp(context);
  const client = connect();
  const name = client.open();
  client.writableLength = 3 * 1024 * 1024;
  assert.equal(client.post(`/send/${name}/0`, 'x'), undefined);
  assert.ok(client.isDestroyed);
  assert.equal(tunnels.sessions, 1, 'the session may go on over another');
});

test('so many answers may wait, however small, and no more', (context) => {
  const { connect } = setUp(context);
  const client = connect();
  const name = client.open();
  client.writableLength = 1;
  for (let count = 0; count < 1_000; count += 1) client.post(`/send/${name}/${count}`, 'x');
  assert.ok(client.isDestroyed);
  const reading = connect();
  for (let count = 1_000; count < 2_100; count += 1) reading.post(`/send/${name}/${count}`, 'x');
  assert.ok(!reading.isDestroyed);
});

test('HTTP/1.0 closes after each answer, unless asked not to', (context) => {
  const { connect } = setUp(context);
  const closing = connect();
  closing.raw('POST /open/1 HTTP/1.0\r\nContent-Length: 1\r\n\r\n\0');
  assert.ok(closing.isEnded);
  const name = closing.answers[0]?.body.trim();
  const staying = connect();
  for (const sequence of [0, 1]) {
    const head = `POST /send/${name}/${sequence} HTTP/1.0\r\nconnection: KEEP-ALIVE\r\n`;
    staying.raw(`${head}Content-Length: 1\r\n\r\nx`);
  }
  assert.equal(staying.answers.length, 2);
  assert.ok(!staying.isEnded);
});

test('stop ends sessions with words, and connections', (context) => {
  const { ends, connect, tunnels } = setUp(context);
  const client = connect();
  client.open();
  tunnels.stop();
  assert.match(ends[0]?.words ?? '', /stopping/);
  assert.ok(ends[0]?.isClosed);
  assert.ok(client.isDestroyed);
  assert.equal(tunnels.sessions, 0);
});
