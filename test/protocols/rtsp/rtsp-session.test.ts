import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AuthenticationError, ProtocolError } from '../../../codecs/errors.ts';
import { parseHead, type RtspHeaders } from '../../../protocols/rtsp/message.ts';
import { RedirectError, RtspSession } from '../../../protocols/rtsp/rtsp-session.ts';

const URL = 'rtsp://10.0.0.1/stream';
const SDP = 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n';
const CREDENTIALS = { username: 'admin', password: 'secret' };

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: RtspHeaders;
}

/** The text of an answer; `CSEQ` stands for the request's. */
type Answerer = (request: Request, count: number) => string | undefined;

class Dialogue {
  readonly requests: Request[] = [];
  readonly written: string[] = [];
  readonly frames: number[] = [];
  readonly session: RtspSession;
  readonly abort = new AbortController();
  #answerer: Answerer;

  constructor(answerer: Answerer, credentials?: typeof CREDENTIALS) {
    this.#answerer = answerer;
    this.session = new RtspSession({
      url: URL,
      credentials,
      write: (bytes) => this.#written(new TextDecoder().decode(bytes)),
      onFrame: (channel) => void this.frames.push(channel),
      now: () => 0,
    });
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  push(text: string): void {
    this.session.push(new TextEncoder().encode(text));
  }

  #written(text: string): void {
    this.written.push(text);
    const head = parseHead(text);
    if (head.kind !== 'request') return;
    this.requests.push(head);
    const answer = this.#answerer(head, this.requests.length);
    const cseq = head.headers.get('cseq') ?? '';
    // As over a network: never within the call that writes.
    if (answer !== undefined) queueMicrotask(() => this.push(answer.replaceAll('CSEQ', cseq)));
  }
}

function ok(headers = '', body = ''): string {
  return `RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function unauthorized(...challenges: readonly string[]): string {
  const lines = challenges.map((challenge) => `WWW-Authenticate: ${challenge}\r\n`).join('');
  return `RTSP/1.0 401 Unauthorized\r\nCSeq: CSEQ\r\n${lines}\r\n`;
}

const DIGEST = 'Digest realm="cam", nonce="n1"';

test('every request has its own CSeq, and answers find theirs in any order', async () => {
  const dialogue = new Dialogue(() => undefined);
  const first = dialogue.session.describe(dialogue.signal);
  const second = dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal);
  assert.deepEqual(
    dialogue.requests.map(({ headers }) => headers.get('cseq')),
    ['1', '2'],
  );
  dialogue.push('RTSP/1.0 200 OK\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;interleaved=4-5\r\n\r\n');
  dialogue.push(`RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`);
  assert.equal((await second).channel, 4);
  assert.equal((await first).sdp.medias.length, 1);
});

test('an answer without CSeq answers the oldest request', async () => {
  const dialogue = new Dialogue(() => ok('', SDP).replace('CSeq: CSEQ\r\n', ''));
  assert.equal((await dialogue.session.describe(dialogue.signal)).sdp.medias.length, 1);
});

test('an answer that nobody waits for is passed over', async () => {
  const dialogue = new Dialogue(() => `RTSP/1.0 500 Late\r\nCSeq: 99\r\n\r\n${ok('', SDP)}`);
  assert.equal((await dialogue.session.describe(dialogue.signal)).sdp.medias.length, 1);
});

test('the Session header goes with every request after SETUP, without its parameters', async () => {
  const dialogue = new Dialogue(() => ok('Session:  abc ; timeout=60\r\n'));
  await dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal);
  await dialogue.session.play(URL, () => {}, dialogue.signal);
  assert.deepEqual(
    dialogue.requests.map(({ headers }) => headers.get('session')),
    [undefined, 'abc'],
  );
});

const contentTypes = [
  'application/sdp',
  'application/sdp;charset=utf-8',
  'Application/SDP ; charset=UTF-8',
  undefined,
  'text/plain',
] as const;

for (const contentType of contentTypes) {
  test(`takes a description of type ${contentType}`, async () => {
    const header = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
    const dialogue = new Dialogue(() => ok(header, SDP));
    assert.equal((await dialogue.session.describe(dialogue.signal)).sdp.medias.length, 1);
  });
}

test('a description that is a web page is refused', async () => {
  const dialogue = new Dialogue(() => ok('Content-Type: text/html\r\n', '<html>'));
  await assert.rejects(dialogue.session.describe(dialogue.signal), ProtocolError);
});

test('the base is that of Content-Base, else of the request', async () => {
  const withBase = new Dialogue(() => ok('Content-Base: rtsp://10.0.0.1/other/\r\n', SDP));
  const { base } = await withBase.session.describe(withBase.signal);
  assert.equal(base, 'rtsp://10.0.0.1/other/');
  const without = new Dialogue(() => ok('', SDP));
  assert.equal((await without.session.describe(without.signal)).base, URL);
});

test('a camera without OPTIONS is tolerated', async () => {
  const dialogue = new Dialogue(() => 'RTSP/1.0 405 Method Not Allowed\r\nCSeq: CSEQ\r\n\r\n');
  await dialogue.session.options(dialogue.signal);
});

test('an error status ends the attempt, and says which', async () => {
  const dialogue = new Dialogue(() => 'RTSP/1.0 404 Not Found\r\nCSeq: CSEQ\r\n\r\n');
  await assert.rejects(
    dialogue.session.describe(dialogue.signal),
    (error: unknown) =>
      error instanceof ProtocolError && error.status === 404 && /DESCRIBE.*404/.test(error.message),
  );
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`${status} leads elsewhere`, async () => {
    const dialogue = new Dialogue(
      () => `RTSP/1.0 ${status} Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://10.0.0.2/x\r\n\r\n`,
    );
    await assert.rejects(
      dialogue.session.describe(dialogue.signal),
      (error: unknown) => error instanceof RedirectError && error.location === 'rtsp://10.0.0.2/x',
    );
  });
}

test('a redirection to nowhere is an error like others', async () => {
  const dialogue = new Dialogue(() => 'RTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\n\r\n');
  await assert.rejects(dialogue.session.describe(dialogue.signal), ProtocolError);
});

// Login --------------------------------------------------------------------------------------

function loginDialogue(answerer: Answerer): Dialogue {
  return new Dialogue(answerer, CREDENTIALS);
}

test('logs in once, and sends the answer with every request after that', async () => {
  const dialogue = loginDialogue(({ headers }) =>
    headers.get('authorization') === undefined ? unauthorized(DIGEST) : ok('', SDP),
  );
  await dialogue.session.options(dialogue.signal);
  await dialogue.session.describe(dialogue.signal);
  assert.deepEqual(
    dialogue.requests.map(({ method, headers }) => [
      method,
      headers.get('authorization') !== undefined,
    ]),
    [
      ['OPTIONS', false],
      ['OPTIONS', true],
      ['DESCRIBE', true],
    ],
  );
  assert.match(
    dialogue.requests[2]?.headers.get('authorization') ?? '',
    /uri="rtsp:\/\/10.0.0.1\/stream"/,
  );
});

test('a wrong password is refused after one try', async () => {
  const dialogue = loginDialogue((_, count) =>
    unauthorized(`Digest realm="cam", nonce="n${count}"`),
  );
  await assert.rejects(
    dialogue.session.describe(dialogue.signal),
    (error: unknown) => error instanceof AuthenticationError && error.credentialsSent,
  );
  assert.equal(dialogue.requests.length, 2);
});

test('no credentials: nothing is tried', async () => {
  const dialogue = new Dialogue(() => unauthorized(DIGEST));
  await assert.rejects(
    dialogue.session.describe(dialogue.signal),
    (error: unknown) => error instanceof AuthenticationError && !error.credentialsSent,
  );
  assert.equal(dialogue.requests.length, 1);
});

test('a stale nonce is not a wrong password', async () => {
  const dialogue = loginDialogue((_, count) => {
    if (count === 1) return unauthorized(DIGEST);
    if (count === 2) return unauthorized('Digest realm="cam", nonce="n2", stale=true');
    return ok('', SDP);
  });
  await dialogue.session.describe(dialogue.signal);
  assert.match(dialogue.requests[2]?.headers.get('authorization') ?? '', /nonce="n2"/);
});

test('a nonce that is always stale ends the attempt', async () => {
  const dialogue = loginDialogue((_, count) =>
    unauthorized(`Digest realm="cam", nonce="n${count}", stale=true`),
  );
  await assert.rejects(dialogue.session.describe(dialogue.signal), AuthenticationError);
  assert.ok(dialogue.requests.length <= 5);
});

test('401 after the password was right: out of sessions (rroller/dahua#603)', async () => {
  const dialogue = loginDialogue(({ method, headers }, count) => {
    if (headers.get('authorization') === undefined) return unauthorized(DIGEST);
    return method === 'SETUP' ? unauthorized(`Digest realm="cam", nonce="s${count}"`) : ok('', SDP);
  });
  await dialogue.session.describe(dialogue.signal);
  await assert.rejects(
    dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal),
    (error: unknown) => error instanceof ProtocolError && error.code === 'RTSP_OUT_OF_SESSIONS',
  );
});

test('a login of an unknown kind is told from a wrong password', async () => {
  const dialogue = loginDialogue(() => unauthorized('Negotiate'));
  await assert.rejects(dialogue.session.describe(dialogue.signal), ProtocolError);
});

test('no error tells the password', async () => {
  const dialogue = loginDialogue(() => unauthorized(DIGEST));
  await assert.rejects(
    dialogue.session.describe(dialogue.signal),
    (error: unknown) => !String(error).includes(CREDENTIALS.password),
  );
});

// What comes by itself -------------------------------------------------------------------------

test('answers what a camera asks', () => {
  const dialogue = new Dialogue(() => undefined);
  for (const method of ['OPTIONS', 'GET_PARAMETER', 'ANNOUNCE', 'REDIRECT']) {
    dialogue.push(`${method} ${URL} RTSP/1.0\r\nCSeq: 5\r\n\r\n`);
  }
  assert.deepEqual(
    dialogue.written.map((text) => text.split('\r\n').slice(0, 2).join(' ')),
    [
      'RTSP/1.0 200 OK CSeq: 5',
      'RTSP/1.0 200 OK CSeq: 5',
      'RTSP/1.0 200 OK CSeq: 5',
      'RTSP/1.0 501 Not Implemented CSeq: 5',
    ],
  );
});

test('RTP-Info is known before the media behind it in the same read', async () => {
  const seen: string[] = [];
  const dialogue = new Dialogue(() => `${ok('RTP-Info: url=a;rtptime=9\r\n')}$\0\0\x01x`);
  dialogue.session.expectChannels(0);
  const play = dialogue.session.play(
    URL,
    (rtpInfo) =>
      void seen.push(`${rtpInfo[0]?.rtpTimestamp} before ${dialogue.frames.length} frames`),
    dialogue.signal,
  );
  await play;
  assert.deepEqual(seen, ['9 before 0 frames']);
  assert.deepEqual(dialogue.frames, [0]);
});

// Ends -----------------------------------------------------------------------------------------

test('closing rejects whoever waits, and whoever asks later', async () => {
  const dialogue = new Dialogue(() => undefined);
  const waiting = dialogue.session.describe(dialogue.signal);
  dialogue.session.close(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  await assert.rejects(dialogue.session.describe(dialogue.signal), /gone/);
});

test('aborting rejects with the reason', async () => {
  const dialogue = new Dialogue(() => undefined);
  const waiting = dialogue.session.describe(dialogue.signal);
  dialogue.abort.abort(new Error('stop'));
  await assert.rejects(waiting, /stop/);
  await assert.rejects(dialogue.session.describe(dialogue.signal), /stop/);
  assert.equal(dialogue.requests.length, 1);
});

test('no answer within ten seconds', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const dialogue = new Dialogue(() => undefined);
  const waiting = assert.rejects(
    dialogue.session.describe(dialogue.signal),
    (error: unknown) => error instanceof Error && error.name === 'TimeoutError',
  );
  context.mock.timers.tick(10_000);
  await waiting;
});

test('TEARDOWN is sent once there is a session, and never throws', async () => {
  const dialogue = new Dialogue(({ method }) =>
    method === 'SETUP' ? ok('Session: s\r\n') : 'RTSP/1.0 454 Gone\r\nCSeq: CSEQ\r\n\r\n',
  );
  await dialogue.session.teardown(URL);
  assert.equal(dialogue.requests.length, 0);
  await dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal);
  await dialogue.session.teardown(URL);
  assert.equal(dialogue.requests.at(-1)?.method, 'TEARDOWN');
  dialogue.session.close(new Error('gone'));
  await dialogue.session.teardown(URL);
});

// Keepalive ------------------------------------------------------------------------------------

const keepalives = [
  {
    offered: 'OPTIONS, GET_PARAMETER',
    timeout: ';timeout=60',
    method: 'GET_PARAMETER',
    everyMs: 30_000,
  },
  { offered: 'OPTIONS, DESCRIBE', timeout: '', method: 'OPTIONS', everyMs: 30_000 },
  { offered: 'OPTIONS, DESCRIBE', timeout: ';timeout=10', method: 'OPTIONS', everyMs: 5000 },
] as const;

for (const { offered, timeout, method, everyMs } of keepalives) {
  test(`keeps alive by ${method} every ${everyMs} ms`, async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const dialogue = new Dialogue(() => ok(`Public: ${offered}\r\nSession: s${timeout}\r\n`));
    await dialogue.session.options(dialogue.signal);
    await dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal);
    const keepAlive = dialogue.session.keepAlive(URL, dialogue.signal);
    for (let n = 1; n <= 3; n += 1) {
      context.mock.timers.tick(everyMs - 1);
      await setImmediate();
      assert.equal(dialogue.requests.length, 1 + n);
      context.mock.timers.tick(1);
      await setImmediate();
      assert.equal(dialogue.requests.length, 2 + n);
      assert.equal(dialogue.requests.at(-1)?.method, method);
    }
    dialogue.abort.abort(new Error('stop'));
    await assert.rejects(keepAlive);
  });
}

test('a keepalive that nobody answers, or that is refused, changes nothing', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const dialogue = new Dialogue(({ method }, count) => {
    if (method === 'SETUP') return ok('Session: s;timeout=60\r\n');
    return count === 2 ? undefined : 'RTSP/1.0 405 No\r\nCSeq: CSEQ\r\n\r\n';
  });
  await dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal);
  const keepAlive = dialogue.session.keepAlive(URL, dialogue.signal);
  for (let n = 0; n < 8; n += 1) {
    context.mock.timers.tick(20_000);
    await setImmediate();
  }
  assert.ok(dialogue.requests.length >= 4);
  dialogue.abort.abort(new Error('stop'));
  await assert.rejects(keepAlive);
});

test('454 to a keepalive: the session is lost', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const dialogue = new Dialogue(({ method }) =>
    method === 'SETUP'
      ? ok('Session: s\r\n')
      : 'RTSP/1.0 454 Session Not Found\r\nCSeq: CSEQ\r\n\r\n',
  );
  await dialogue.session.setup(URL, { lower: 'tcp', channel: 0 }, dialogue.signal);
  const lost = assert.rejects(
    dialogue.session.keepAlive(URL, dialogue.signal),
    (error: unknown) => error instanceof ProtocolError && error.status === 454,
  );
  context.mock.timers.tick(30_000);
  await lost;
});
