import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { type Amf0Value, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import {
  FLV_TAG_HEADER_BYTES,
  FlvTagType,
  flvFileHeader,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../../codecs/flv/tag.ts';
import { makeLiveFlvAcceptor } from '../../../gateway/acceptors/live-flv-acceptor.ts';
import { hex, toHex } from '../../support/hex.ts';
import { PushBench } from '../../support/push-bench.ts';
import { AUDIO_TRACK, HEVC_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { until } from '../../support/until.ts';

function tag(type: number, timestampMs: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FLV_TAG_HEADER_BYTES + body.length + 4);
  writeFlvTagHeader(bytes, 0, type, body.length, timestampMs);
  bytes.set(body, FLV_TAG_HEADER_BYTES);
  writeFlvPreviousTagSize(bytes, FLV_TAG_HEADER_BYTES + body.length, body.length);
  return bytes;
}

const HEADER = flvFileHeader(true, true);
const headerOf = (track: typeof VIDEO_TRACK | typeof AUDIO_TRACK | typeof HEVC_TRACK) =>
  sequenceHeader(track, 'enhanced') ?? new Uint8Array(0);
const AVC_CONFIG = tag(FlvTagType.video, 0, headerOf(VIDEO_TRACK));
const AAC_CONFIG = tag(FlvTagType.audio, 0, headerOf(AUDIO_TRACK));
const KEY_PICTURE = tag(FlvTagType.video, 0, hex`17 01 000000 00000003 658801`);
const SOUND = tag(FlvTagType.audio, 10, hex`af01 21004f`);
const PICTURE = tag(FlvTagType.video, 40, hex`27 01 000028 00000003 419a01`);
const MEDIA = concat(AVC_CONFIG, AAC_CONFIG, KEY_PICTURE, SOUND, PICTURE);

function metadata(entries: Record<string, Amf0Value>): Uint8Array {
  const media = { videocodecid: 7, audiocodecid: 10 };
  const body = serializeAmf0('onMetaData', { ...media, ...entries });
  return tag(FlvTagType.scriptData, 0, body);
}

async function open(context: TestContext, yaml = '') {
  const bench = new PushBench();
  context.after(() => bench[Symbol.asyncDispose]());
  const keys = `protocol: liveflv, listen: "127.0.0.1:0", ${yaml}`;
  const acceptor = await bench.start(makeLiveFlvAcceptor, keys);
  const client = () => {
    const socket = connect(acceptor.port ?? 0, '127.0.0.1');
    socket.on('error', () => undefined);
    return socket;
  };
  return { bench, acceptor, client };
}

async function isClosed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

describe('a LiveFLV client', () => {
  it('gives its stream a name in onMetaData; what it sends comes out', async (context) => {
    const { bench, client } = await open(context, 'localStreamName: other');
    const sink = bench.follow('yard-1');
    client().write(concat(HEADER, metadata({ streamName: 'Yard_1' }), MEDIA));
    await sink.has(2, 1);
    assert.deepEqual(
      sink.video.map(({ data }) => toHex(data)),
      ['00000003658801', '00000003419a01'],
    );
    assert.deepEqual(
      sink.video.map(({ ptsUs, dtsUs }) => [ptsUs, dtsUs]),
      [
        [0, 0],
        [80_000, 40_000],
      ],
    );
    assert.deepEqual(
      sink.audio.map(({ data }) => toHex(data)),
      ['21004f'],
    );
  });

  it('may cut what it sends anywhere', async (context) => {
    const { bench, client } = await open(context, 'localStreamName: yard');
    const sink = bench.follow('yard');
    const socket = client();
    socket.setNoDelay(true);
    for (const byte of concat(HEADER, MEDIA)) {
      if (!socket.write(Buffer.of(byte))) await once(socket, 'drain');
    }
    await sink.has(2, 1);
  });

  it('without a name is called as the acceptor says', async (context) => {
    const { bench, client } = await open(context, 'localStreamName: yard');
    const sink = bench.follow('yard');
    client().write(concat(HEADER, metadata({}), MEDIA));
    await sink.has(2, 1);
  });

  it('without any name is called by its address and port', async (context) => {
    const { bench, client } = await open(context);
    const socket = client();
    await once(socket, 'connect');
    const port = socket.localPort;
    socket.end(concat(HEADER, MEDIA));
    await until(() => bench.names.length > 0);
    assert.deepEqual(bench.names, [`127-0-0-1-${port}`]);
  });

  it('may say its name after its first headers', async (context) => {
    const { bench, client } = await open(context);
    const sink = bench.follow('late');
    client().write(
      concat(HEADER, AVC_CONFIG, AAC_CONFIG, metadata({ streamName: 'late' }), KEY_PICTURE, SOUND),
    );
    await sink.has(1, 1);
  });

  it('may send H.265 in enhanced tags', async (context) => {
    const { bench, client } = await open(context, 'localStreamName: yard');
    const sink = bench.follow('yard');
    const config = tag(FlvTagType.video, 0, headerOf(HEVC_TRACK));
    const picture = tag(FlvTagType.video, 0, hex`91 68766331 000000 00000003 260188`);
    client().write(concat(HEADER, metadata({ audiocodecid: 0 }), config, picture));
    await sink.has(1, 0);
    assert.equal(sink.video[0]?.track.codec, 'h265');
  });

  it('that goes takes its stream offline, and may come back', async (context) => {
    const { bench, client } = await open(context, 'localStreamName: yard');
    const sink = bench.follow('yard');
    const first = client();
    first.write(concat(HEADER, MEDIA));
    await sink.has(2, 1);
    first.end();
    await until(() => sink.stops === 1);
    client().write(concat(HEADER, MEDIA));
    await sink.has(4, 2);
  });

  it('is sent away when the gateway stops', async (context) => {
    const { bench, client, acceptor } = await open(context, 'localStreamName: yard');
    const sink = bench.follow('yard');
    const socket = client();
    socket.write(concat(HEADER, MEDIA));
    await sink.has(2, 1);
    await acceptor.stop();
    await isClosed(socket);
    assert.equal(sink.stops, 1);
  });
});

describe('LiveFLV and names that are taken', () => {
  it('reject: the newcomer is sent away', async (context) => {
    const { bench, client } = await open(context, 'localStreamName: yard');
    const sink = bench.follow('yard');
    const first = client();
    first.write(concat(HEADER, MEDIA));
    await sink.has(2, 1);
    const second = client();
    second.write(concat(HEADER, MEDIA));
    await isClosed(second);
    assert.deepEqual(bench.said, [
      'The LiveFLV client at 127.0.0.1 was sent away: yard is being published by 127.0.0.1',
    ]);
    first.write(PICTURE);
    await sink.has(3, 1);
  });

  it('replace: the older one is', async (context) => {
    const { bench, client } = await open(
      context,
      'localStreamName: yard, duplicatePublisher: replace',
    );
    const sink = bench.follow('yard');
    const first = client();
    first.write(concat(HEADER, MEDIA));
    await sink.has(2, 1);
    client().write(concat(HEADER, MEDIA));
    await isClosed(first);
    await sink.has(4, 2);
  });
});

describe('LiveFLV with a login', () => {
  const TOKEN = 'localStreamName: yard, publish: { token: abc }';
  const PASSWORD = 'localStreamName: yard, publish: { username: cam, password: secret }';
  const good: readonly [string, string, Record<string, Amf0Value>][] = [
    ['a token', TOKEN, { token: 'abc' }],
    ['user name and password', PASSWORD, { username: 'cam', password: 'secret' }],
  ];
  for (const [name, yaml, entries] of good) {
    it(`takes ${name} in onMetaData`, async (context) => {
      const { bench, client } = await open(context, yaml);
      const sink = bench.follow('yard');
      client().write(concat(HEADER, metadata(entries), MEDIA));
      await sink.has(2, 1);
    });
  }

  const wrong = 'its login in onMetaData is wrong or missing';
  const none = 'it sends media before a login in onMetaData';
  const bad: readonly [string, string, Uint8Array, string][] = [
    ['another token', TOKEN, metadata({ token: 'abd' }), wrong],
    ['a token that is no text', TOKEN, metadata({ token: 5 }), wrong],
    ['a user name only', PASSWORD, metadata({ username: 'cam' }), wrong],
    ['a token where a password is wanted', PASSWORD, metadata({ token: 'secret' }), wrong],
    ['no login', TOKEN, metadata({}), wrong],
    ['no onMetaData', TOKEN, MEDIA, none],
    [
      'no login in too many bytes',
      `${TOKEN}, limits: { bytesBeforeLogin: 4096 }`,
      tag(18, 0, new Uint8Array(5_000)),
      'no login came in 4096 bytes',
    ],
  ];
  for (const [name, yaml, bytes, words] of bad) {
    it(`sends away ${name}`, async (context) => {
      const { bench, client } = await open(context, yaml);
      const socket = client();
      socket.write(concat(HEADER, bytes));
      await isClosed(socket);
      assert.deepEqual(bench.said, [`The LiveFLV client at 127.0.0.1 was sent away: ${words}`]);
      assert.equal(bench.hub.get('yard')?.isOnline ?? false, false);
    });
  }

  it('an address that guesses is not listened to any more', async (context) => {
    const { bench, client } = await open(context, TOKEN);
    for (let guess = 0; guess < 10; guess += 1) {
      const socket = client();
      socket.write(concat(HEADER, metadata({ token: `${guess}` })));
      await isClosed(socket);
    }
    const socket = client();
    socket.write(concat(HEADER, metadata({ token: 'abc' }), MEDIA));
    await isClosed(socket);
    assert.equal(bench.hub.get('yard')?.isOnline ?? false, false);
  });
});

describe('LiveFLV and strangers', () => {
  it('what is no FLV costs the connection, once told', async (context) => {
    const { bench, client } = await open(context);
    for (let count = 0; count < 3; count += 1) {
      const socket = client();
      socket.write('GET / HTTP/1.1\r\n\r\n');
      await isClosed(socket);
    }
    assert.equal(bench.said.length, 1);
    assert.match(bench.said[0] ?? '', /: a FLV stream begins with "FLV"/);
  });

  it('who sends nothing has to go', async (context) => {
    const { bench, client } = await open(context, 'limits: { handshakeMs: 500 }');
    await isClosed(client());
    assert.match(bench.said[0] ?? '', /: it sent no stream to publish within 0.5 s$/);
  });

  it('who publishes may take as long as it likes between tags', async (context) => {
    const { bench, client } = await open(
      context,
      'localStreamName: yard, limits: { handshakeMs: 500 }',
    );
    const sink = bench.follow('yard');
    const socket = client();
    socket.write(concat(HEADER, MEDIA));
    await sink.has(2, 1);
    await new Promise((resolve) => setTimeout(resolve, 600));
    socket.write(PICTURE);
    await sink.has(3, 1);
  });

  it('only the listed addresses', async (context) => {
    const { bench, client } = await open(context, 'publish: { addresses: [10.0.0.0/8, "::1"] }');
    await isClosed(client());
    assert.match(bench.said[0] ?? '', /: publish.addresses does not list it$/);
  });
});
