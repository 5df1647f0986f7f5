import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { HttpAuthenticator } from '../../../protocols/http-auth/authenticator.ts';
import { RtspError } from '../../../protocols/rtsp/rtsp-error.ts';
import type { ServerHost, TrackTransport } from '../../../protocols/rtsp/server-host.ts';
import type { Action } from '../../../protocols/rtsp/server-login.ts';
import { RtspServerSession } from '../../../protocols/rtsp/server-session.ts';
import type { SessionDescription } from '../../../protocols/sdp/sdp.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex } from '../../support/hex.ts';

const BASE = 'rtsp://10.0.0.1/live/door';
const SDP =
  'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:streamid=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=control:streamid=1\r\n';
const TCP = 'RTP/AVP/TCP;unicast;interleaved=0-1';
const UDP = 'RTP/AVP;unicast;client_port=5000-5001';

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly wwwAuthenticate: readonly string[];
  readonly body: string;
}

/** A client's connection to a session whose host only notes what it is asked. */
class Client implements ServerHost {
  nowMs = 1000;
  readonly calls: string[] = [];
  readonly written: string[] = [];
  error: Error | undefined;
  logins: Partial<Record<Action, { username: string; password: string } | { token: string }>> = {};
  failures = 0;
  isBlocked = false;
  refuses: ReadonlySet<string> = new Set();
  tracks = 2;
  waitFor: Promise<void> = Promise.resolve();
  readonly session: RtspServerSession;
  #cseq = 0;
  #ids = 0;

  constructor() {
    const accessTo = (action: Action) => {
      const client = this;
      return {
        get isOpen() {
          return client.logins[action] === undefined;
        },
        get credentials() {
          const login = client.logins[action];
          return login !== undefined && 'password' in login ? login : undefined;
        },
        isToken: (token: string) => {
          const login = this.logins[action];
          return login !== undefined && 'token' in login && login.token === token;
        },
        isBlocked: () => this.isBlocked,
        failed: () => {
          this.failures += 1;
        },
      };
    };
    this.session = new RtspServerSession({
      host: this,
      access: { play: accessTo('play'), publish: accessTo('publish') },
      write: (bytes) => this.written.push(new TextDecoder().decode(bytes)),
      now: () => this.nowMs,
      newId: () => `id${this.#ids++}`,
    });
  }

  async describe(name: string) {
    this.calls.push(`describe ${name}`);
    await this.waitFor;
    if (name !== 'door') throw new RtspError(404);
    return { sdp: SDP, tracks: this.tracks };
  }

  async lookUp(name: string) {
    if (name !== 'door') throw new RtspError(404);
    return { sdp: SDP, tracks: this.tracks };
  }

  announce(name: string, { medias }: SessionDescription) {
    this.calls.push(`announce ${name} ${medias.length}`);
    if (name === 'odd') throw new RtspError(415, [], 'it offers\r\nonly PCM');
  }

  async setUp(action: Action, track: number, transport: TrackTransport) {
    const where =
      transport.lower === 'tcp'
        ? `${transport.channel}-${transport.rtcpChannel}`
        : `${transport.port}-${transport.rtcpPort}`;
    if (this.refuses.has(transport.lower)) return undefined;
    this.calls.push(`setUp ${action} ${track} ${transport.lower} ${where}`);
    return transport.lower === 'udp' ? { serverPorts: [30_000, 30_001] as const } : {};
  }

  play() {
    this.calls.push('play');
    const beginnings = [
      { track: 0, seq: 7, rtpTimestamp: 90_000 },
      { track: 1, seq: undefined, rtpTimestamp: 48_000 },
    ];
    return { beginnings, begin: () => void this.written.push('MEDIA') };
  }

  pause() {
    this.calls.push('pause');
  }

  record() {
    this.calls.push('record');
  }

  teardown() {
    this.calls.push('teardown');
  }

  rtp(track: number, bytes: Uint8Array, start: number, end: number) {
    this.calls.push(`rtp ${track} ${Buffer.from(bytes.subarray(start, end)).toString('hex')}`);
  }

  rtcp(track: number, bytes: Uint8Array, start: number, end: number) {
    this.calls.push(`rtcp ${track} ${end - start} of ${bytes.length > 0}`);
  }

  failed(error: Error) {
    this.error = error;
  }

  push(text: string | Uint8Array): void {
    this.session.push(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  }

  /** All that is answered by the time nothing more is going on. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await undefined;
  }

  async ask(
    method: string,
    url = BASE,
    headers: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<Answer> {
    this.#cseq += 1;
    const all = { CSeq: String(this.#cseq), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    if (body !== '') lines.push(`Content-Length: ${body.length}\r\n`);
    const before = this.written.length;
    this.push(`${method} ${url} RTSP/1.0\r\n${lines.join('')}\r\n${body}`);
    await this.settled();
    const answer = read(this.written[before] ?? assert.fail(`no answer to ${method}`));
    assert.equal(answer.headers.get('cseq'), String(this.#cseq));
    return answer;
  }

  async announced(): Promise<void> {
    const type = { 'Content-Type': 'application/sdp' };
    assert.equal((await this.ask('ANNOUNCE', BASE, type, SDP)).status, 200);
  }

  /** Sets up both tracks over TCP; returns what the Session header must say. */
  async ready(track: string): Promise<Record<string, string>> {
    const first = await this.ask('SETUP', `${BASE}/${track}=0`, { Transport: TCP });
    assert.equal(first.status, 200);
    const Session = first.headers.get('session')!.split(';')[0]!;
    const Transport = 'RTP/AVP/TCP;unicast;interleaved=2-3';
    const second = await this.ask('SETUP', `${BASE}/${track}=1`, { Transport, Session });
    assert.equal(second.status, 200);
    return { Session };
  }
}

function read(text: string): Answer {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [status = '', ...lines] = head.split('\r\n');
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
  });
  return {
    status: Number(/^RTSP\/1\.0 (\d{3}) \S/.exec(status)?.[1]),
    headers: new Map(pairs),
    wwwAuthenticate: pairs.filter(([name]) => name === 'www-authenticate').map(([, v]) => v),
    body,
  };
}

describe('a player', () => {
  test('OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, PLAY, TEARDOWN', async () => {
    const client = new Client();
    const options = await client.ask('OPTIONS', '*');
    assert.match(options.headers.get('public')!, /^OPTIONS, DESCRIBE, ANNOUNCE, .*SET_PARAMETER$/);
    const description = await client.ask('DESCRIBE', `${BASE}/`, { Accept: 'application/sdp' });
    assert.equal(description.headers.get('content-type'), 'application/sdp');
    assert.equal(description.headers.get('content-base'), `${BASE}/`);
    assert.equal(description.body, SDP);
    assert.equal(Number(description.headers.get('content-length')), SDP.length);
    const session = await client.ready('trackID');
    const play = await client.ask('PLAY', `${BASE}/`, { ...session, Range: 'npt=0.000-' });
    assert.equal(play.status, 200);
    assert.equal(play.headers.get('range'), 'npt=now-');
    assert.equal(
      play.headers.get('rtp-info'),
      `url=${BASE}/trackID=0;seq=7;rtptime=90000,url=${BASE}/trackID=1;rtptime=48000`,
    );
    assert.equal(client.written.at(-1), 'MEDIA', 'media comes behind the answer');
    assert.ok(client.session.isActive);
    assert.equal((await client.ask('PAUSE', BASE, session)).status, 200);
    assert.ok(!client.session.isActive);
    assert.equal((await client.ask('PLAY', BASE, session)).status, 200);
    assert.equal((await client.ask('TEARDOWN', BASE, session)).status, 200);
    assert.ok(!client.session.hasSession);
    assert.deepEqual(client.calls, [
      'describe door',
      'setUp play 0 tcp 0-1',
      'setUp play 1 tcp 2-3',
      'play',
      'pause',
      'play',
      'teardown',
    ]);
  });

  test('states the session and its timeout', async () => {
    const client = new Client();
    const answer = await client.ask('SETUP', `${BASE}/trackID=0`, { Transport: TCP });
    assert.equal(answer.headers.get('session'), 'id0;timeout=60');
    assert.equal(answer.headers.get('transport'), 'RTP/AVP/TCP;unicast;interleaved=0-1');
  });

  test('a stream that is not there: 404, for DESCRIBE and SETUP', async () => {
    const client = new Client();
    assert.equal((await client.ask('DESCRIBE', 'rtsp://h/other')).status, 404);
    const answer = await client.ask('SETUP', 'rtsp://h/other/trackID=0', { Transport: TCP });
    assert.equal(answer.status, 404);
    assert.ok(!client.session.hasSession);
  });

  test('SETUP without a track: only where there is one', async () => {
    const client = new Client();
    assert.equal((await client.ask('SETUP', BASE, { Transport: TCP })).status, 459);
    client.tracks = 1;
    assert.equal((await client.ask('SETUP', BASE, { Transport: TCP })).status, 200);
  });

  test('requests are answered in order, whatever takes long', async () => {
    const client = new Client();
    let go = () => {};
    client.waitFor = new Promise((resolve) => {
      go = resolve;
    });
    client.push(
      `DESCRIBE ${BASE} RTSP/1.0\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n`,
    );
    await client.settled();
    assert.deepEqual(client.written, []);
    go();
    await client.settled();
    assert.deepEqual(
      client.written.map((text) => read(text).headers.get('cseq')),
      ['1', '2'],
    );
  });

  test('a closed session answers nothing any more', async () => {
    const client = new Client();
    client.push(`DESCRIBE ${BASE} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    client.session.close();
    await client.settled();
    client.push('OPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n');
    await client.settled();
    assert.deepEqual(client.written, []);
  });
});

describe('a publisher', () => {
  test('ANNOUNCE, SETUP, RECORD, frames, TEARDOWN', async () => {
    const client = new Client();
    await client.announced();
    const session = await client.ready('streamid');
    assert.equal((await client.ask('RECORD', BASE, session)).status, 200);
    assert.ok(client.session.isActive);
    client.push(hex`24 00 0003 aabbcc 24 03 0001 dd 24 09 0001 ee 24 02 0000`);
    assert.equal((await client.ask('TEARDOWN', BASE, session)).status, 200);
    client.push(hex`24 00 0003 aabbcc`); // on its way when the session ended
    assert.deepEqual(client.calls, [
      'announce door 2',
      'setUp publish 0 tcp 0-1',
      'setUp publish 1 tcp 2-3',
      'record',
      'rtp 0 aabbcc',
      'rtcp 1 1 of true',
      'rtp 1 ',
      'teardown',
    ]);
  });

  test('UDP: our ports, and the mode', async () => {
    const client = new Client();
    await client.announced();
    const Transport = `${UDP};mode=record`;
    const answer = await client.ask('SETUP', `${BASE}/streamid=1`, { Transport });
    assert.equal(
      answer.headers.get('transport'),
      'RTP/AVP;unicast;client_port=5000-5001;server_port=30000-30001;mode=record',
    );
  });

  test('the track is known by the end of its URL when the host is another', async () => {
    const client = new Client();
    await client.announced();
    await client.ask('SETUP', 'rtsp://name.example:554/door/streamid=1', { Transport: TCP });
    assert.deepEqual(client.calls.slice(1), ['setUp publish 1 tcp 0-1']);
    const answer = await client.ask('SETUP', `${BASE}/streamid=7`, { Transport: TCP });
    assert.equal(answer.status, 404);
  });

  test('what cannot be carried is told why, on one line', async () => {
    const client = new Client();
    const answer = await client.ask('ANNOUNCE', 'rtsp://h/odd', {}, SDP);
    assert.equal(answer.status, 415);
    assert.match(client.written[0]!, /^RTSP\/1\.0 415 it offers only PCM\r\n/);
  });

  test('a description of something else, of nothing, of too much', async () => {
    const client = new Client();
    const type = (text: string) => ({ 'Content-Type': text });
    assert.equal((await client.ask('ANNOUNCE', BASE, type('text/plain'), SDP)).status, 415);
    assert.equal((await client.ask('ANNOUNCE', BASE, type('application/sdp'), 'v=0')).status, 400);
    const many = 'm=video 0 RTP/AVP 96\r\n'.repeat(17);
    assert.equal((await client.ask('ANNOUNCE', BASE, {}, many)).status, 453);
    assert.deepEqual(client.calls, []);
  });
});

describe('transports', () => {
  const cases: readonly [name: string, transport: string, want: string | number][] = [
    ['the client’s channels', 'RTP/AVP/TCP;interleaved=8-9', 'tcp 8-9'],
    ['one channel', 'RTP/AVP/TCP;unicast;interleaved=4', 'tcp 4-5'],
    ['no channels', 'RTP/AVP/TCP;unicast', 'tcp 0-1'],
    ['channels without /TCP', 'RTP/AVP;unicast;interleaved=6-7', 'tcp 6-7'],
    [
      'the first that can be had',
      `RTP/SAVP;unicast;client_port=1-2,${UDP},${TCP}`,
      'udp 5000-5001',
    ],
    ['UDP spelled out', 'RTP/AVP/UDP;unicast;client_port=6000-6001', 'udp 6000-6001'],
    ['UDP without ports', 'RTP/AVP;unicast', 461],
    ['UDP to port 0', 'RTP/AVP;unicast;client_port=0-1', 461],
    ['multicast', 'RTP/AVP;multicast', 461],
    ['encrypted RTP', 'RTP/SAVP/TCP;interleaved=0-1', 461],
    ['nothing', '', 461],
    ['a channel twice', 'RTP/AVP/TCP;interleaved=3-3', 400],
    ['channels out of range', 'RTP/AVP/TCP;interleaved=255-256', 'tcp 0-1'],
  ];
  for (const [name, Transport, want] of cases) {
    test(name, async () => {
      const client = new Client();
      const { status } = await client.ask('SETUP', `${BASE}/trackID=0`, { Transport });
      assert.deepEqual(
        status === 200 ? client.calls : status,
        typeof want === 'number' ? want : [`setUp play 0 ${want}`],
      );
    });
  }

  test('the next offer, when the host cannot have the first', async () => {
    const client = new Client();
    client.refuses = new Set(['udp']);
    const Transport = `${UDP},${TCP}`;
    await client.ask('SETUP', `${BASE}/trackID=0`, { Transport });
    assert.deepEqual(client.calls, ['setUp play 0 tcp 0-1']);
  });

  test('a second track on channels of the first: refused, or the next ones when it names none', async () => {
    const client = new Client();
    await client.ask('SETUP', `${BASE}/trackID=0`, { Transport: TCP });
    const url = `${BASE}/trackID=1`;
    assert.equal((await client.ask('SETUP', url, { Transport: TCP })).status, 400);
    assert.equal((await client.ask('SETUP', url, { Transport: 'RTP/AVP/TCP' })).status, 200);
    assert.deepEqual(client.calls.at(-1), 'setUp play 1 tcp 2-3');
  });

  test('the same track once more: on other channels, and not on the old ones', async () => {
    const client = new Client();
    await client.ask('SETUP', `${BASE}/trackID=0`, { Transport: TCP });
    const Transport = 'RTP/AVP/TCP;interleaved=4-5';
    assert.equal((await client.ask('SETUP', `${BASE}/trackID=0`, { Transport })).status, 200);
    client.push(hex`24 01 0001 aa 24 05 0001 aa`);
    assert.equal(client.calls.filter((call) => call.startsWith('rtcp')).length, 1);
  });
});

describe('what is refused', () => {
  test('unknown methods: 501, with those that are known', async () => {
    const answer = await new Client().ask('REDIRECT');
    assert.equal(answer.status, 501);
    assert.match(answer.headers.get('public')!, /DESCRIBE/);
    assert.equal((await new Client().ask('FLY_TO_THE_MOON')).status, 501);
  });

  test('Require: 551, with what is not supported', async () => {
    const feature = 'www.onvif.org/ver20/backchannel';
    const answer = await new Client().ask('DESCRIBE', BASE, { Require: feature });
    assert.equal(answer.status, 551);
    assert.equal(answer.headers.get('unsupported'), feature);
    assert.equal((await new Client().ask('SETUP', BASE, { 'Proxy-Require': 'x' })).status, 551);
  });

  for (const method of ['PLAY', 'PAUSE', 'RECORD', 'TEARDOWN']) {
    test(`${method} without a session: 455; with one that is not: 454`, async () => {
      const client = new Client();
      assert.equal((await client.ask(method)).status, 455);
      assert.equal((await client.ask(method, BASE, { Session: 'no' })).status, 454);
    });

    test(`${method} of a session without its name, or with another: 454`, async () => {
      const client = new Client();
      await client.ready('trackID');
      assert.equal((await client.ask(method)).status, 454);
      assert.equal((await client.ask(method, BASE, { Session: 'id1' })).status, 454);
    });
  }

  test('what a player and a publisher cannot do: 455', async () => {
    const player = new Client();
    const played = await player.ready('trackID');
    assert.equal((await player.ask('RECORD', BASE, played)).status, 455);
    assert.equal((await player.ask('ANNOUNCE', BASE, {}, SDP)).status, 455);
    await player.ask('PLAY', BASE, played);
    const setUp = { Transport: TCP, ...played };
    assert.equal((await player.ask('SETUP', `${BASE}/trackID=0`, setUp)).status, 455);
    const publisher = new Client();
    await publisher.announced();
    const published = await publisher.ready('streamid');
    assert.equal((await publisher.ask('PLAY', BASE, published)).status, 455);
    assert.equal((await publisher.ask('PAUSE', BASE, published)).status, 455);
  });

  test('another stream within a session: 455', async () => {
    const client = new Client();
    await client.ready('trackID');
    const answer = await client.ask('SETUP', 'rtsp://h/door2/trackID=0', { Transport: TCP });
    assert.ok([404, 455].includes(answer.status));
  });

  test('parameters: none are known, but without any they keep the session alive', async () => {
    const client = new Client();
    const session = await client.ready('trackID');
    assert.equal((await client.ask('GET_PARAMETER', BASE, session)).status, 200);
    assert.equal((await client.ask('SET_PARAMETER', BASE, session)).status, 200);
    assert.equal((await client.ask('GET_PARAMETER', BASE, session, 'jitter')).status, 451);
    assert.equal((await client.ask('GET_PARAMETER', BASE, { Session: 'x' })).status, 454);
    assert.equal((await client.ask('GET_PARAMETER')).status, 200);
  });
});

describe('logins', () => {
  const LOGIN = { username: 'viewer', password: 'p w' };

  test('Digest: once for a connection, and each action by itself', async () => {
    const client = new Client();
    client.logins = { play: LOGIN, publish: { username: 'cam', password: 'other' } };
    const refused = await client.ask('DESCRIBE');
    assert.equal(refused.status, 401);
    assert.equal(refused.wwwAuthenticate.length, 2);
    const digest = new HttpAuthenticator(LOGIN);
    digest.challenge(refused.wwwAuthenticate, false);
    const login = () => ({ Authorization: digest.authorize('DESCRIBE', BASE)! });
    assert.equal((await client.ask('DESCRIBE', BASE, login())).status, 200);
    assert.equal((await client.ask('DESCRIBE')).status, 200, 'the connection is logged in');
    assert.equal((await client.ask('ANNOUNCE', BASE, {}, SDP)).status, 401);
    assert.equal(client.failures, 0);
    assert.deepEqual(client.calls, ['describe door', 'describe door']);
  });

  test('a wrong password is counted, and the challenge comes anew', async () => {
    const client = new Client();
    client.logins = { play: LOGIN };
    const { wwwAuthenticate } = await client.ask('DESCRIBE');
    const digest = new HttpAuthenticator({ ...LOGIN, password: 'guess' });
    digest.challenge(wwwAuthenticate, false);
    const Authorization = digest.authorize('DESCRIBE', BASE)!;
    const answer = await client.ask('DESCRIBE', BASE, { Authorization });
    assert.equal(answer.status, 401);
    assert.ok(!answer.wwwAuthenticate[0]!.includes('stale'));
    assert.equal(client.failures, 1);
    assert.deepEqual(client.calls, []);
  });

  test('SETUP without DESCRIBE needs it, too', async () => {
    const client = new Client();
    client.logins = { play: LOGIN };
    const answer = await client.ask('SETUP', `${BASE}/trackID=0`, { Transport: TCP });
    assert.equal(answer.status, 401);
    assert.ok(!client.session.hasSession);
  });

  test('right, but to an old nonce: stale, and not counted', async () => {
    const client = new Client();
    client.logins = { play: LOGIN };
    const { wwwAuthenticate } = await client.ask('DESCRIBE');
    const digest = new HttpAuthenticator(LOGIN);
    digest.challenge(wwwAuthenticate, false);
    client.nowMs += 400_000;
    const Authorization = digest.authorize('DESCRIBE', BASE)!;
    const answer = await client.ask('DESCRIBE', BASE, { Authorization });
    assert.equal(answer.status, 401);
    assert.match(answer.wwwAuthenticate[0]!, /stale=true/);
    assert.equal(client.failures, 0);
  });

  test('a token in the URL', async () => {
    const client = new Client();
    client.logins = { play: { token: 's3cret' } };
    assert.equal((await client.ask('DESCRIBE', BASE)).status, 403);
    assert.equal(client.failures, 0);
    assert.equal((await client.ask('DESCRIBE', `${BASE}?token=no`)).status, 403);
    assert.equal(client.failures, 1);
    assert.equal((await client.ask('DESCRIBE', `${BASE}?token=s3cret`)).status, 200);
  });

  test('who guesses is not listened to', async () => {
    const client = new Client();
    client.logins = { play: { token: 's3cret' } };
    client.isBlocked = true;
    assert.equal((await client.ask('DESCRIBE', `${BASE}?token=s3cret`)).status, 403);
  });
});

describe('bad clients', () => {
  for (const [name, text] of [
    ['a web browser', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01'],
    ['noise between requests', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n\x00\x01\x02'],
    ['a word that is no method', 'OPTIONS-PLEASE * RTSP/1.0\r\n\r\n'],
  ] as const) {
    test(`${name} is answered 400 and is over`, async () => {
      const client = new Client();
      assert.throws(() => client.push(text), ParseError);
      assert.match(client.written.at(-1)!, /^RTSP\/1\.0 400 /);
    });
  }

  test('a head or a body that has no end', () => {
    const endless = () => {
      const client = new Client();
      client.push('OPTIONS * RTSP/1.0\r\n');
      for (let n = 0; n < 1000; n += 1) client.push(`X-${n}: ${'a'.repeat(100)}\r\n`);
    };
    assert.throws(endless, ParseError);
    assert.throws(
      () => new Client().push(`ANNOUNCE ${BASE} RTSP/1.0\r\nContent-Length: 1000000\r\n\r\n`),
      ParseError,
    );
  });

  test('more requests than anybody waits for', () => {
    const client = new Client();
    client.waitFor = new Promise(() => {});
    const flood = () => client.push(`DESCRIBE ${BASE} RTSP/1.0\r\nCSeq: 1\r\n\r\n`.repeat(20));
    assert.throws(flood, ProtocolError);
  });

  test('methods that never end cost no time', () => {
    const started = performance.now();
    assert.throws(() => new Client().push('A '.repeat(500_000)), ParseError);
    assert.ok(performance.now() - started < 2000);
  });

  test('an error of the host that is no answer ends the session', async () => {
    const client = new Client();
    client.waitFor = Promise.reject(new Error('disk full'));
    client.push(`DESCRIBE ${BASE} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    await client.settled();
    assert.equal(client.error?.message, 'disk full');
  });

  test('anything is answered or is a ParseError', async () => {
    const words = fc.constantFrom(
      ...['OPTIONS', 'SETUP', 'PLAY', 'RECORD', ' ', '*', BASE, 'RTSP/1.0', '\r\n', 'CSeq: 1\r\n'],
      ...['Session: id0\r\n', `Transport: ${TCP}\r\n`, 'Content-Length: 3\r\n', '$', '\0\x03abc'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words), async (parts) => {
        const client = new Client();
        try {
          for (const part of parts) client.push(part);
        } catch (error) {
          if (!(error instanceof ParseError || error instanceof ProtocolError)) throw error;
        }
        await client.settled();
        assert.equal(client.error, undefined);
      }),
    );
  });
});

test('requests and frames are found however they are cut', async () => {
  const request = (method: string, url: string, rest = '') =>
    `${method} ${url} RTSP/1.0\r\nCSeq: 1\r\n${rest}\r\n`;
  const text = [
    request('ANNOUNCE', BASE, `Content-Length: ${SDP.length}\r\n`) + SDP,
    request('SETUP', `${BASE}/streamid=0`, `Transport: ${TCP}\r\n`),
    request('RECORD', BASE, 'Session: id0\r\n'),
  ].join('');
  const frames = hex`24 00 0003 aabbcc 24 01 0002 ddee`;
  const bytes = new Uint8Array([...new TextEncoder().encode(text), ...frames]);
  for (const chunks of everySplit(bytes)) {
    const client = new Client();
    for (const chunk of chunks) {
      client.push(chunk);
      await client.settled();
    }
    // In one piece the frames come before SETUP is answered, and are of nobody.
    const calls = client.calls.filter((call) => !call.startsWith('rt'));
    assert.deepEqual(calls, ['announce door 2', 'setUp publish 0 tcp 0-1', 'record']);
    assert.equal(client.error, undefined);
  }
});
