import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { concat } from '../../../codecs/bytes.ts';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import { userControlMessage } from '../../../protocols/rtmp/control.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { hex } from '../../support/hex.ts';
import { RtmpSink, type RtmpSinkOptions, type RtmpSinkSession } from '../../support/rtmp-sink.ts';
import { SourceAttempt } from '../../support/source-attempt.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const AUDIO = 8;
const VIDEO = 9;
const IDR = hex`17 01 000028 00000003 658801`;
const INTER = hex`27 01 000000 00000003 419a01`;
const AAC = hex`af01 21004f`;

function playTracks(session: RtmpSinkSession): void {
  session.status('NetStream.Play.Start');
  session.sendMedia(VIDEO, 0, sequenceHeader(VIDEO_TRACK, 'enhanced') ?? hex``);
  session.sendMedia(AUDIO, 0, sequenceHeader(AUDIO_TRACK, 'enhanced') ?? hex``);
}

function playAll(session: RtmpSinkSession): void {
  playTracks(session);
  session.sendMedia(VIDEO, 1000, IDR);
  session.sendMedia(AUDIO, 1010, AAC);
  session.sendMedia(VIDEO, 1040, INTER);
}

async function open(
  context: TestContext,
  onPlay: (session: RtmpSinkSession) => void,
  options: RtmpSinkOptions = {},
): Promise<RtmpSink> {
  const server = await RtmpSink.listen({ onPlay, ...options });
  context.after(() => server.close());
  return server;
}

test('plays a live stream, and says goodbye', async (context) => {
  const server = await open(context, playAll);
  const run = new SourceAttempt(context, `${server.url('live/inst')}/cam?token=t0ken`);
  await run.has(2, 1);
  assert.deepEqual(run.sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
  assert.deepEqual(
    run.sink.units.map(({ kind, dtsUs, ptsUs, randomAccess }) => [
      kind,
      dtsUs,
      ptsUs,
      randomAccess,
    ]),
    [
      ['video', 1_000_000, 1_040_000, true],
      ['audio', 1_010_000, 1_010_000, true],
      ['video', 1_040_000, 1_040_000, false],
    ],
  );
  const [session] = server.history;
  assert.deepEqual([session?.app, session?.streamName], ['live/inst', 'cam?token=t0ken']);
  const { stats } = run.driver;
  assert.equal(stats.transport, 'tcp');
  assert.equal(stats.receivedPackets, 5);
  assert.ok(stats.receivedBytes > 3000);
  const closed = new Promise<void>((resolve) => {
    server.options.onClose = () => resolve();
  });
  await run.stop();
  await closed;
  assert.equal(session?.commandNames.at(-1), 'deleteStream');
  assert.deepEqual([run.sink.starts, run.sink.stops], [1, 1]);
  assert.ok(!run.log.join('').includes('t0ken'));
});

test('an abort ends with its reason, and leaves nothing open', async (context) => {
  const server = await open(context, playAll);
  await setImmediate();
  const before = process.getActiveResourcesInfo().length;
  const run = new SourceAttempt(context, `${server.url()}/cam`);
  await run.has(1, 1);
  await run.stop();
  assert.match((await run.error()).message, /stopped by the test/);
  const session = server.history[0];
  session?.destroy();
  await setImmediate();
  await setImmediate();
  assert.ok(process.getActiveResourcesInfo().length <= before);
});

test('aggregates are taken apart; pings and other messages disturb nothing', async (context) => {
  const server = await open(context, (session) => {
    playTracks(session);
    session.send(userControlMessage(6, hex`00000001`));
    session.sendMedia(18, 0, serializeAmf0('|RtmpSampleAccess', true, true));
    session.sendMedia(
      22,
      5_000,
      concat(
        hex`09 00000c 0003e8 00 000000`,
        IDR,
        hex`00000017 08 000005 0003f2 00 000000`,
        AAC,
        hex`00000010`,
      ),
    );
  });
  const run = new SourceAttempt(context, `${server.url()}/cam`);
  await run.has(1, 1);
  assert.deepEqual(
    run.sink.units.map(({ dtsUs }) => dtsUs),
    [5_000_000, 5_010_000],
  );
});

test('a large picture in many chunks, with sound between them, arrives whole', async (context) => {
  const slice = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) & 0xff).with(
    0,
    0x65,
  );
  const server = await open(context, (session) => {
    playTracks(session);
    session.sendMedia(VIDEO, 0, concat(hex`17 01 000000 000493e0`, slice));
    session.sendMedia(AUDIO, 0, AAC);
  });
  const run = new SourceAttempt(context, `${server.url()}/cam`);
  await run.has(1, 1);
  assert.deepEqual(run.sink.video[0]?.data.subarray(4), slice);
});

for (const code of ['NetStream.Play.UnpublishNotify', 'NetStream.Play.Stop']) {
  test(`${code}: the stream has ended`, async (context) => {
    const server = await open(context, (session) => {
      playAll(session);
      session.status(code);
    });
    const run = new SourceAttempt(context, `${server.url()}/cam`);
    assert.equal(await run.result, undefined);
    assert.equal(run.sink.video.length, 2);
    assert.equal(run.sink.stops, 1);
  });
}

test('logs in the Adobe way over three connections', async (context) => {
  const login = { mode: 'adobe', username: 'viewer', password: 'p@ss' } as const;
  const server = await open(context, playAll, { login });
  const run = new SourceAttempt(context, `${server.url('live', 'viewer:p%40ss@')}/cam`);
  await run.has(1, 1);
  assert.equal(server.history.length, 3);
});

test('credentials given beside the URL win', async (context) => {
  const login = { mode: 'adobe', username: 'viewer', password: 'p@ss' } as const;
  const server = await open(context, playAll, { login });
  const url = `${server.url('live', 'other:wrong@')}/cam`;
  const credentials = { username: 'viewer', password: 'p@ss' };
  await new SourceAttempt(context, url, { credentials }).has(1, 1);
});

const endings: [
  string,
  RtmpSinkOptions,
  (session: RtmpSinkSession) => void,
  (error: Error) => boolean,
][] = [
  [
    'a stream that is not there',
    {},
    (session) => session.status('NetStream.Play.StreamNotFound', 'no such stream'),
    (error) => error instanceof ProtocolError && error.status === 404,
  ],
  [
    'a player who is refused',
    {},
    (session) => session.status('NetStream.Play.Failed'),
    (error) => error instanceof ProtocolError && error.code === 'RTMP_PLAY_REFUSED',
  ],
  [
    'an application that is not there',
    { answer: 'reject-connect' },
    () => undefined,
    (error) => error instanceof ProtocolError && error.code === 'RTMP_CONNECT_REJECTED',
  ],
  [
    'a connection that is cut when the stream is asked for',
    {},
    (session) => session.destroy(),
    (error) => error instanceof ProtocolError && error.code === 'RTMP_CLOSED_DURING_PLAY',
  ],
  [
    'a connection that is cut while it plays',
    {},
    (session) => {
      playAll(session);
      setTimeout(() => session.destroy(), 50);
    },
    (error) => error instanceof ProtocolError && error.code === 'RTMP_CLOSED',
  ],
  [
    'a wrong password',
    { login: { mode: 'adobe', username: 'viewer', password: 'other' } },
    () => undefined,
    (error) => error instanceof AuthenticationError && error.credentialsSent,
  ],
  [
    'a codec that cannot be taken',
    {},
    (session) => session.sendMedia(VIDEO, 0, hex`24 00`),
    (error) => error instanceof UnsupportedError && /VP6/.test(error.message),
  ],
];
for (const [name, options, onPlay, isRight] of endings) {
  test(`ends with what it was: ${name}`, async (context) => {
    const server = await open(context, onPlay, options);
    const run = new SourceAttempt(context, `${server.url('live', 'viewer:secret@')}/cam`);
    const error = await run.error();
    assert.ok(isRight(error), String(error));
    assert.equal(run.sink.stops, 1);
    assert.ok(!`${error.message}${run.log.join('')}`.includes('secret'));
  });
}

test('after three refused logins the server is left alone', async (context) => {
  const login = { mode: 'adobe', username: 'viewer', password: 'other' } as const;
  const server = await open(context, () => undefined, { login });
  const run = new SourceAttempt(context, `${server.url('live', 'viewer:secret@')}/cam`);
  await run.error();
  for (let again = 0; again < 4; again += 1) {
    await assert.rejects(
      run.driver.run(run.sink, new AbortController().signal),
      (error) => error instanceof AuthenticationError && error.credentialsSent,
    );
  }
  assert.equal(server.history.length, 3 * 3);
});

test('a server that asks without end and reads no answer is given up', async (context) => {
  const server = await open(context, (session) => {
    playTracks(session);
    session.stopReading();
    const pings = Array.from({ length: 500 }, () => userControlMessage(6, hex`00000001`));
    const flood = () => {
      for (const ping of pings) session.send(ping);
      if (!session.isClosed) setTimeout(flood, 0);
    };
    flood();
  });
  const error = await new SourceAttempt(context, `${server.url()}/cam`).error();
  assert.ok(error instanceof ProtocolError && error.code === 'NOT_READING', String(error));
});

test('without credentials a login is told as missing', async (context) => {
  const login = { mode: 'adobe', username: 'viewer', password: 'p' } as const;
  const server = await open(context, playAll, { login });
  const error = await new SourceAttempt(context, `${server.url()}/cam`).error();
  assert.ok(error instanceof AuthenticationError && !error.credentialsSent, String(error));
});

test('a web server is told by its first byte, a closed port by the system', async (context) => {
  const web = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = web.address() as { port: number };
  const url = `rtmp://127.0.0.1:${port}/live/cam`;
  assert.match((await new SourceAttempt(context, url).error()).message, /not an RTMP server/);
  web.close();
  await once(web, 'close');
  const refused = await new SourceAttempt(context, url).error();
  assert.equal((refused as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

test('a server that never answers is given up after 15 s', async (context) => {
  const server = await open(context, playAll, { answer: 'never-answer' });
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const run = new SourceAttempt(context, `${server.url()}/cam`);
  while (server.history[0]?.commandNames.includes('connect') !== true) await setImmediate();
  context.mock.timers.tick(15_000);
  assert.equal((await run.error()).name, 'TimeoutError');
});

test('rtmps: verified, pinned, or refused', async (context) => {
  const tls = await makeCertificate('DNS:localhost,IP:127.0.0.1');
  const server = await open(context, playAll, { tls });
  const url = `${server.url()}/cam`;
  await new SourceAttempt(context, url, { tls: { ca: tls.ca } }).has(1, 1);
  await new SourceAttempt(context, url, { tls: { fingerprint: tls.fingerprint } }).has(1, 1);
  const unknown = await new SourceAttempt(context, url).error();
  assert.match(String((unknown as NodeJS.ErrnoException).code), /SELF_SIGNED|UNABLE_TO/);
  const other = { fingerprint: '00'.repeat(32) };
  const wrong = await new SourceAttempt(context, url, { tls: other }).error();
  assert.equal((wrong as NodeJS.ErrnoException).code, 'ERR_TLS_FINGERPRINT');
});
