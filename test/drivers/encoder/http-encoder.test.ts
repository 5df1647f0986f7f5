import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { concat } from '../../../codecs/bytes.ts';
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../../codecs/errors.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import {
  FLV_TAG_HEADER_BYTES,
  flvFileHeader,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../../codecs/flv/tag.ts';
import type { SourceDescription } from '../../../drivers/catalog.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { hex } from '../../support/hex.ts';
import { SourceAttempt } from '../../support/source-attempt.ts';
import { TEST_PICTURE, TestEncoder } from '../../support/test-encoder.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function tag(type: number, timestampMs: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FLV_TAG_HEADER_BYTES + body.length + 4);
  writeFlvTagHeader(bytes, 0, type, body.length, timestampMs);
  bytes.set(body, FLV_TAG_HEADER_BYTES);
  writeFlvPreviousTagSize(bytes, FLV_TAG_HEADER_BYTES + body.length, body.length);
  return bytes;
}

/** Two pictures and a sound. */
const FLV = concat(
  flvFileHeader(true, true),
  tag(9, 0, sequenceHeader(VIDEO_TRACK, 'enhanced') ?? hex``),
  tag(8, 0, sequenceHeader(AUDIO_TRACK, 'enhanced') ?? hex``),
  tag(9, 0, hex`17 01 000028 00000003 658801`),
  tag(8, 10, hex`af01 21004f`),
  tag(9, 40, hex`27 01 000000 00000003 419a01`),
);

/** Returns where it is, without a slash at the end. */
async function serve(
  context: TestContext,
  handler: Handler,
  tls?: TestCertificate,
): Promise<string> {
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The usual stream, which goes on and on. */
const stream: Handler = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'video/x-flv' });
  response.write(FLV);
};

/** The URL as Reolink cameras have it. */
const REOLINK = '/flv?port=1935&app=bcs&stream=channel0_main.bcs&user=admin&password=p4ssw0rd';

/** frigate#3235: the way Reolink cameras work best. */
test('a Reolink camera: path and query as they stand, secrets in no log line', async (context) => {
  let asked: string | undefined;
  const at = await serve(context, (request, response) => {
    asked = request.url;
    stream(request, response);
  });
  const run = new SourceAttempt(context, at + REOLINK);
  await run.has(2, 1);
  assert.equal(asked, REOLINK);
  assert.deepEqual(run.sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
  assert.deepEqual(
    run.sink.units.map(({ kind, dtsUs, ptsUs }) => [kind, dtsUs, ptsUs]),
    [
      ['video', 0, 40_000],
      ['audio', 10_000, 10_000],
      ['video', 40_000, 40_000],
    ],
  );
  const { stats } = run.driver;
  assert.deepEqual(
    [stats.transport, stats.receivedBytes, stats.receivedPackets, stats.damagedUnits],
    ['tcp', FLV.length, 5, 0],
  );
  await run.stop();
  assert.match((await run.error()).message, /stopped by the test/);
  assert.deepEqual([run.sink.starts, run.sink.stops], [1, 1]);
  assert.ok(!run.log.join('').includes('p4ssw0rd'));
});

test('chunked or not, and cut anywhere', async (context) => {
  const at = await serve(context, (request, response) => {
    const isChunked = request.url === '/chunked';
    response.writeHead(200, isChunked ? {} : { 'Content-Length': FLV.length });
    const next = (from: number) => {
      response.write(FLV.subarray(from, from + 7));
      if (from + 7 < FLV.length) setTimeout(next, 0, from + 7);
      else response.end();
    };
    next(0);
  });
  for (const path of ['/chunked', '/plain']) {
    const run = new SourceAttempt(context, at + path);
    assert.equal(await run.result, undefined);
    assert.equal(run.sink.units.length, 3);
  }
});

test('MPEG-TS in place of FLV', async (context) => {
  const encoder = new TestEncoder();
  const bytes = concat(...Array.from({ length: 5 }, () => encoder.datagram()));
  const at = await serve(context, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    response.write(bytes.subarray(0, 100));
    setTimeout(() => response.end(bytes.subarray(100)), 1);
  });
  const run = new SourceAttempt(context, `${at}/live.ts`);
  assert.equal(await run.result, undefined);
  assert.deepEqual(
    run.sink.video.map(({ data }) => data),
    new Array(5).fill(TEST_PICTURE),
  );
  assert.equal(run.driver.stats.receivedBytes, bytes.length);
});

test('an answer of HTTP/1.0 without end, header lines with a bare LF', async (context) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('HTTP/1.0 200 OK\nContent-Type: video/x-flv\n\n');
      socket.write(FLV);
    });
    context.after(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const run = new SourceAttempt(context, `http://127.0.0.1:${port}/x.flv`);
  await run.has(2, 1);
});

/** Reolink cameras end it now and then (go2rtc#215, #1197). */
test('the end of the body is the end of the stream', async (context) => {
  const at = await serve(context, (_request, response) => response.end(FLV));
  const run = new SourceAttempt(context, `${at}/x.flv`);
  assert.equal(await run.result, undefined);
  assert.equal(run.sink.stops, 1);
});

test('an abort ends it at any point, and leaves nothing open', async (context) => {
  let answer: Handler = () => undefined;
  const at = await serve(context, (request, response) => answer(request, response));
  for (const handler of [
    () => undefined, // before the answer
    (_: IncomingMessage, response: ServerResponse) => response.writeHead(200).flushHeaders(),
    stream,
  ] as Handler[]) {
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    answer = (request, response) => {
      handler(request, response);
      asked();
    };
    const run = new SourceAttempt(context, `${at}/x.flv`);
    await isAsked;
    await setImmediate();
    await run.stop();
    assert.match((await run.error()).message, /stopped by the test/);
  }
});

const USER = { username: 'viewer', password: 'p@ss:w/rd' };

test('Basic authentication, from the URL or beside it', async (context) => {
  const want = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
  const at = await serve(context, (request, response) => {
    if (request.headers.authorization === want) stream(request, response);
    else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="cam"' }).end('no');
  });
  await new SourceAttempt(context, `${at}/x`, { credentials: USER }).has(1, 1);
  const pasted = at.replace('http://', `http://viewer:${USER.password}@`);
  await new SourceAttempt(context, `${pasted}/x`).has(1, 1);
});

test('Digest authentication, for the path and the query', async (context) => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const at = await serve(context, (request, response) => {
    const { authorization = '' } = request.headers;
    const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)`).exec(authorization)?.[1];
    const secret = md5(`${USER.username}:cam:${USER.password}`);
    const asked = md5(`GET:${request.url}`);
    const words = [secret, 'n0nce', field('nc'), field('cnonce'), 'auth', asked].join(':');
    if (field('response') === md5(words) && field('uri') === '/x?y=1') stream(request, response);
    else {
      const challenge = 'Digest realm="cam", nonce="n0nce", qop="auth"';
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    }
  });
  await new SourceAttempt(context, `${at}/x?y=1`, { credentials: USER }).has(1, 1);
});

test('a wrong password is tried once; none is told as missing', async (context) => {
  let requests = 0;
  const at = await serve(context, (_request, response) => {
    requests += 1;
    response.writeHead(401, { 'WWW-Authenticate': 'Digest realm="cam", nonce="n", qop="auth"' });
    response.end();
  });
  const wrong = await new SourceAttempt(context, `${at}/x`, { credentials: USER }).error();
  assert.ok(wrong instanceof AuthenticationError && wrong.credentialsSent, String(wrong));
  assert.equal(requests, 2);
  const none = await new SourceAttempt(context, `${at}/x`).error();
  assert.ok(none instanceof AuthenticationError && !none.credentialsSent, String(none));
});

test('after three refused logins the device is left alone', async (context) => {
  let logins = 0;
  const at = await serve(context, ({ headers }, response) => {
    if (headers.authorization !== undefined) logins += 1;
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="cam"' }).end();
  });
  const run = new SourceAttempt(context, `${at}/x`, { credentials: USER });
  await run.error();
  for (let again = 0; again < 4; again += 1) {
    await assert.rejects(
      run.driver.run(run.sink, new AbortController().signal),
      (error) => error instanceof AuthenticationError && error.credentialsSent,
    );
  }
  assert.equal(logins, 3);
});

test('the same host by its name in other letters keeps the login', async (context) => {
  const at = await serve(context, (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="cam"' }).end();
    } else if (request.url === '/old') response.writeHead(302, { Location: '/new' }).end();
    else stream(request, response);
  });
  const url = `${at.replace('127.0.0.1', 'LocalHost')}/old`;
  await new SourceAttempt(context, url, { credentials: USER }).has(1, 1);
});

test('a redirect is followed; to another host without the password', async (context) => {
  const seen: (string | undefined)[] = [];
  const other = await serve(context, (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="evil"' }).end();
  });
  const elsewhere = other.replace('127.0.0.1', 'localhost');
  const at = await serve(context, (request, response) => {
    if (request.url === '/old') response.writeHead(302, { Location: '/new?a=1' }).end();
    else if (request.url === '/away') response.writeHead(307, { Location: `${elsewhere}/x` }).end();
    else if (request.url === '/loop') response.writeHead(302, { Location: '/loop' }).end();
    else if (request.url === '/odd') response.writeHead(302, { Location: 'ftp://h/x' }).end();
    else stream(request, response);
  });
  await new SourceAttempt(context, `${at}/old`).has(1, 1);
  const away = await new SourceAttempt(context, `${at}/away`, { credentials: USER }).error();
  assert.ok(away instanceof AuthenticationError && !away.credentialsSent, String(away));
  assert.deepEqual(seen, [undefined]);
  for (const path of ['/loop', '/odd']) {
    const error = await new SourceAttempt(context, at + path).error();
    assert.ok(error instanceof ProtocolError && error.code === 'HTTP_REDIRECT', String(error));
  }
});

const endings: [string, Handler, (error: Error) => boolean, Partial<SourceDescription>?][] = [
  [
    '404',
    (_request, response) => response.writeHead(404).end(),
    (error) => error instanceof ProtocolError && error.status === 404,
  ],
  [
    '503',
    (_request, response) => response.writeHead(503, 'Too many viewers').end(),
    (error) =>
      error instanceof ProtocolError &&
      error.status === 503 &&
      error.message === 'it answered 503 Too many viewers',
  ],
  [
    'a switch to another protocol',
    ({ socket }) => {
      const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket';
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n\r\n`);
    },
    (error) => error instanceof ProtocolError && error.status === 101,
  ],
  [
    'a login that is refused with 403',
    ({ headers }, response) => {
      const challenge = { 'WWW-Authenticate': 'Basic realm="cam"' };
      response.writeHead(headers.authorization === undefined ? 401 : 403, challenge).end();
    },
    (error) => error instanceof AuthenticationError && error.credentialsSent,
    { credentials: USER },
  ],
  [
    'a web page',
    (_request, response) => response.end('<!DOCTYPE html><html><head><title>Camera</title>'),
    (error) =>
      error instanceof ProtocolError && /sends a web page, not FLV or MPEG-TS/.test(error.message),
  ],
  [
    'an HLS playlist',
    (_request, response) => response.end('#EXTM3U\n#EXT-X-VERSION:3\n'),
    (error) => error instanceof UnsupportedError && /an HLS playlist/.test(error.message),
  ],
  [
    'an answer without a body',
    (_request, response) => response.end(),
    (error) => error instanceof ProtocolError && error.code === 'HTTP_EMPTY',
  ],
  [
    'bytes that are no FLV any more',
    (_request, response) => response.write(concat(FLV, new Uint8Array(20).fill(0xff))),
    (error) => error instanceof ParseError,
  ],
  [
    'a codec that cannot be taken',
    (_request, response) =>
      response.write(concat(flvFileHeader(true, false), tag(9, 0, hex`22 00`))),
    (error) => error instanceof UnsupportedError && /H\.263/.test(error.message),
  ],
  [
    'a connection that is cut',
    (_request, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 });
      response.write(FLV, () => response.destroy());
    },
    (error) => (error as NodeJS.ErrnoException).code === 'ECONNRESET',
  ],
];
for (const [name, handler, isRight, description] of endings) {
  test(`ends with what it was: ${name}`, async (context) => {
    const at = await serve(context, handler);
    const run = new SourceAttempt(context, at + REOLINK, description);
    const error = await run.error();
    assert.ok(isRight(error), String(error));
    assert.equal(run.sink.stops, 1);
    assert.ok(!`${error.message}${run.log.join('')}`.includes('p4ssw0rd'));
  });
}

test('an answer that does not come is given up after 10 s', async (context) => {
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const at = await serve(context, () => asked());
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const run = new SourceAttempt(context, `${at}/x`);
  await isAsked;
  context.mock.timers.tick(10_000);
  assert.equal((await run.error()).name, 'TimeoutError');
});

test('https: verified, pinned, or refused; never redirected to http', async (context) => {
  const tls = await makeCertificate('DNS:localhost,IP:127.0.0.1');
  const plain = await serve(context, stream);
  const at = await serve(
    context,
    (request, response) => {
      if (request.url === '/down') response.writeHead(302, { Location: `${plain}/x` }).end();
      else stream(request, response);
    },
    tls,
  );
  await new SourceAttempt(context, `${at}/x`, { tls: { ca: tls.ca } }).has(1, 1);
  await new SourceAttempt(context, `${at}/x`, { tls: { fingerprint: tls.fingerprint } }).has(1, 1);
  const unknown = await new SourceAttempt(context, `${at}/x`).error();
  assert.match(String((unknown as NodeJS.ErrnoException).code), /SELF_SIGNED|UNABLE_TO/);
  const other = { fingerprint: '00'.repeat(32) };
  const wrong = await new SourceAttempt(context, `${at}/x`, { tls: other }).error();
  assert.equal((wrong as NodeJS.ErrnoException).code, 'ERR_TLS_FINGERPRINT');
  const down = await new SourceAttempt(context, `${at}/down`, { tls: { ca: tls.ca } }).error();
  assert.ok(down instanceof ProtocolError && down.code === 'HTTP_REDIRECT', String(down));
});
