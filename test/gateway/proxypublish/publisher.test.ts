import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { AuthenticationError, ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { isAmf0Object } from '../../../codecs/flv/amf0.ts';
import type { RtmpPublisherOptions } from '../../../gateway/proxypublish/publisher.ts';
import { MessageType } from '../../../protocols/rtmp/message.ts';
import { Publishing } from '../../support/publishing.ts';
import { RtmpSink, type RtmpSinkOptions } from '../../support/rtmp-sink.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';
import { until } from '../../support/until.ts';

const BOTH = [VIDEO_TRACK, AUDIO_TRACK];

/** A sink that remembers media as `v40`, `a10`, and headers as `V`, `A`, `M`. */
async function listen(options: RtmpSinkOptions = {}): Promise<{ sink: RtmpSink; seen: string[] }> {
  const seen: string[] = [];
  const sink = await RtmpSink.listen({
    ...options,
    onMessage: (_, { typeId, timestampMs, payload }) => {
      const kind = typeId === MessageType.video ? 'v' : typeId === MessageType.audio ? 'a' : 'm';
      const isHeader = kind === 'm' || payload[1] === 0;
      seen.push(isHeader ? kind.toUpperCase() : `${kind}${timestampMs}`);
    },
  });
  return { sink, seen };
}

function publish(sink: RtmpSink, options: Partial<RtmpPublisherOptions> = {}): Publishing {
  return new Publishing({ targetUri: sink.url(), ...options }, BOTH);
}

test('publishes, and says goodbye when it is told to stop', async () => {
  const { sink, seen } = await listen();
  await using _ = sink;
  const publishing = publish(sink, {
    targetStreamType: 'append',
    emulateUserAgent: 'Agent/1',
    pageUrl: 'http://page/',
  });
  await publishing.accepted;
  assert.equal(publishing.publisher.stats.state, 'publishing');
  publishing.write(videoUnit({ dtsUs: 1_000_000 }));
  publishing.write(audioUnit({ dtsUs: 1_010_000 }));
  publishing.write(videoUnit({ dtsUs: 1_040_000, randomAccess: false }));
  await until(() => seen.length === 6);
  assert.deepEqual(seen, ['M', 'V', 'A', 'v0', 'a10', 'v40']);
  const startedAt = performance.now();
  await publishing.stop();
  assert.ok(performance.now() - startedAt < 1_000);
  await until(() => sink.sessions.size === 0);
  const [session] = sink.history;
  assert.deepEqual(session?.commandNames, [
    'connect',
    'releaseStream',
    'FCPublish',
    'createStream',
    'publish',
    'FCUnpublish',
    'deleteStream',
  ]);
  assert.ok(session.c2EchoesS1);
  assert.deepEqual(
    [session.streamName, session.publishType, session.app],
    ['cam', 'append', 'live'],
  );
  const connect = session.commands[0]?.values[0];
  assert.ok(isAmf0Object(connect));
  assert.equal(connect['flashVer'], 'Agent/1');
  assert.equal(connect['pageUrl'], 'http://page/');
  const { stats } = publishing.publisher;
  assert.deepEqual([stats.state, stats.unitsSent, stats.droppedGops], ['idle', 3, 0]);
  assert.ok(stats.bytes > 100);
});

test('leaves no socket, timer or listener behind', async () => {
  const { sink } = await listen();
  const before = process.getActiveResourcesInfo().filter((name) => name !== 'TCPServerWrap');
  for (const answer of ['accept', 'bad-name', 'close-on-publish'] as const) {
    sink.options.answer = answer;
    const publishing = publish(sink);
    if (answer === 'accept') await publishing.accepted;
    publishing.abort.signal.addEventListener('abort', () => undefined);
    if (answer === 'accept') publishing.abort.abort();
    await publishing.ended;
  }
  await sink.close();
  // The kernel's side of a closed handle goes a few turns of the event loop later.
  for (let count = 0; count < 10; count += 1) await turn();
  assert.deepEqual(process.getActiveResourcesInfo().sort(), before.sort());
});

test('a source that goes and returns finds the session open; headers only where they are new', async () => {
  const { sink, seen } = await listen();
  await using _ = sink;
  await using publishing = publish(sink);
  await publishing.accepted;
  publishing.write(videoUnit({ dtsUs: 0 }));
  publishing.sink?.stop();
  await turn();
  publishing.sink?.start(BOTH);
  publishing.write(audioUnit({ dtsUs: 5_000_000 }));
  publishing.write(videoUnit({ dtsUs: 5_000_000 }));
  publishing.sink?.stop();
  publishing.sink?.start([OTHER_VIDEO_TRACK, AUDIO_TRACK]);
  publishing.write(videoUnit({ dtsUs: 9_000_000, track: OTHER_VIDEO_TRACK }));
  await until(() => seen.length === 7);
  assert.deepEqual(seen, ['M', 'V', 'A', 'v0', 'v5000', 'V', 'v9000']);
  assert.equal(sink.history.length, 1);
});

const refusals: [string, RtmpSinkOptions, string][] = [
  ['a rejected connect', { answer: 'reject-connect' }, 'RTMP_CONNECT_REJECTED'],
  ['a name that is taken', { answer: 'bad-name' }, 'RTMP_NAME_TAKEN'],
  ['a publisher that is refused', { answer: 'refuse-publish' }, 'RTMP_PUBLISH_REFUSED'],
  ['a connection that is cut', { answer: 'close-on-publish' }, 'RTMP_CLOSED_DURING_PUBLISH'],
];

for (const [name, options, code] of refusals) {
  test(`${name} is told apart: ${code}`, async () => {
    const { sink } = await listen(options);
    await using _ = sink;
    const error = await publish(sink).ended;
    assert.ok(error instanceof ProtocolError, String(error));
    assert.equal(error.code, code);
  });
}

test('nothing listens: the system error', async () => {
  const { sink } = await listen();
  const targetUri = sink.url();
  await sink.close();
  const error = await new Publishing({ targetUri }, BOTH).ended;
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

test('a web server is no RTMP server', async () => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const error = await new Publishing({ targetUri: `rtmp://127.0.0.1:${port}/live` }, BOTH).ended;
  server.close();
  assert.ok(error instanceof ParseError, String(error));
});

test('a server that never answers is given up after 15 s', async (t) => {
  const { sink } = await listen({ answer: 'never-answer' });
  await using _ = sink;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const publishing = publish(sink);
  // `until` would sleep on the mocked clock.
  while (sink.history[0]?.commands.length !== 1) await turn();
  t.mock.timers.tick(15_000);
  const error = await publishing.ended;
  t.mock.timers.reset();
  assert.equal((error as Error).name, 'TimeoutError');
});

test('a server without transaction ids in what it announces', async () => {
  const { sink, seen } = await listen({ omitTransactionIds: true });
  await using _ = sink;
  await using publishing = publish(sink);
  await publishing.accepted;
  publishing.write(videoUnit());
  await until(() => seen.includes('v0'));
});

test('the master hangs up while publishing', async () => {
  const { sink } = await listen();
  const publishing = publish(sink);
  await publishing.accepted;
  await sink.close();
  const error = await publishing.ended;
  assert.equal((error as ProtocolError).code, 'RTMP_CLOSED');
  assert.match((error as Error).message, /NetStream\.Publish\.Start/);
  assert.equal(publishing.sink, undefined, 'unsubscribed');
});

for (const mode of ['adobe', 'llnw'] as const) {
  const login = { mode, username: 'cam', password: 'p@ss:word' };

  test(`logs in the ${mode} way over three connections`, async () => {
    const { sink } = await listen({ login });
    await using _ = sink;
    await using publishing = publish(sink, { targetUri: sink.url('live', 'cam:p@ss:word@') });
    await publishing.accepted;
    assert.equal(sink.history.length, 3);
  });

  test(`a wrong password, the ${mode} way`, async () => {
    const { sink } = await listen({ login });
    await using _ = sink;
    const error = await publish(sink, { targetUri: sink.url('live', 'cam:wrong@') }).ended;
    assert.ok(error instanceof AuthenticationError && error.credentialsSent, String(error));
    assert.ok(!error.message.includes('wrong@') && sink.history.length === 3);
  });

  test(`no password, the ${mode} way`, async () => {
    const { sink } = await listen({ login });
    await using _ = sink;
    const error = await publish(sink).ended;
    assert.ok(error instanceof AuthenticationError && !error.credentialsSent, String(error));
  });
}

test('a target that never reads loses whole GOPs in bounded memory, and still stops in a second', async () => {
  const { sink } = await listen({ reading: 'never' });
  await using _ = sink;
  const queueMaxBytes = 1024 * 1024;
  await using publishing = publish(sink, { queueMaxBytes });
  await publishing.accepted;
  for (let index = 0; index < 500; index += 1) {
    const unit = videoUnit({
      dtsUs: index * 40_000,
      randomAccess: index % 10 === 0,
      byteLength: 50_000,
    });
    publishing.write(unit);
    assert.ok(publishing.publisher.stats.queueBytes <= queueMaxBytes);
    if (index % 10 === 0) await turn();
  }
  assert.ok(publishing.publisher.stats.droppedGops > 10);
  const startedAt = performance.now();
  await publishing.stop();
  assert.ok(performance.now() - startedAt < 1_000);
  assert.equal(publishing.publisher.stats.queueBytes, 0);
});

test('a slow target gets what can be decoded, from the oldest GOP that is left', async () => {
  const seen: number[] = [];
  const sink = await RtmpSink.listen({
    reading: 4_000_000,
    onMessage: (_, { typeId, payload }) => {
      // Each picture has its number in its bytes.
      if (typeId === MessageType.video && payload[1] === 1) {
        seen.push(new DataView(payload.buffer, payload.byteOffset + 5).getUint32(0));
      }
    },
  });
  await using _ = sink;
  await using publishing = publish(sink, { queueMaxBytes: 2 * 1024 * 1024 });
  await publishing.accepted;
  const last = 399;
  for (let index = 0; index <= last; index += 1) {
    const unit = videoUnit({
      dtsUs: index * 10_000,
      randomAccess: index % 20 === 0,
      byteLength: 50_000,
    });
    new DataView(unit.data.buffer, unit.data.byteOffset).setUint32(0, index);
    publishing.write(unit);
    if (index % 4 === 0) await sleep(2);
  }
  await until(() => seen.at(-1) === last);
  assert.ok(publishing.publisher.stats.droppedGops > 0);
  for (const [at, index] of seen.entries()) {
    const follows = at > 0 && seen[at - 1] === index - 1;
    assert.ok(follows || index % 20 === 0, `picture ${index} after ${seen[at - 1]}`);
  }
});

test('an abort while dialling ends quietly', async () => {
  const { sink } = await listen({ answer: 'never-answer' });
  await using _ = sink;
  const publishing = publish(sink);
  publishing.abort.abort(new Error('changed my mind'));
  assert.equal(await publishing.ended, undefined);
  const second = publish(sink);
  await until(() => (sink.history.at(-1)?.commands.length ?? 0) === 1);
  await second.stop();
});
