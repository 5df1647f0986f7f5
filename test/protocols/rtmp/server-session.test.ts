import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { type Amf0Value, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { commandMessage } from '../../../protocols/rtmp/command.ts';
import type { ConnectRequest } from '../../../protocols/rtmp/connect-request.ts';
import {
  controlMessage,
  UserControlEvent,
  userControlMessage,
} from '../../../protocols/rtmp/control.ts';
import { MessageType, type RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { ServerSession } from '../../../protocols/rtmp/server-session.ts';
import type { ServerStream, StreamUse } from '../../../protocols/rtmp/server-stream.ts';
import type { StreamName } from '../../../protocols/rtmp/stream-request.ts';
import { hex, toHex } from '../../support/hex.ts';
import { CLIENT_HANDSHAKE, RtmpClientDialogue } from '../../support/rtmp-client-dialogue.ts';

/** A server that takes everything, and writes down what it was asked. */
class Server extends RtmpClientDialogue {
  readonly session: ServerSession;
  readonly log: string[] = [];
  request: ConnectRequest | undefined;
  stream: ServerStream | undefined;
  refusal: string | undefined;

  lengths: (lengthMs: number | undefined) => void = () => undefined;

  constructor(maxStreams = 3) {
    super((chunk) => this.session.push(chunk));
    this.session = new ServerSession(
      {
        connect: (request) => {
          this.request = request;
          return this.refusal;
        },
        publish: (stream, { publishType, ...name }) =>
          this.#use(stream, `publish ${words(name)} ${publishType}`),
        play: (stream, { startMs, lengthMs, ...name }) => {
          this.lengths(lengthMs);
          return this.#use(stream, `play ${words(name)} ${startMs ?? 'live'}`);
        },
        streamLength: (name, answer) => answer(name.name === 'flv:a' ? 12.5 : 0),
      },
      maxStreams,
      this.hear,
      () => 0,
    );
  }

  static connected(maxStreams?: number): Server {
    const server = new Server(maxStreams).shakeHands().connect();
    server.heard();
    return server;
  }

  #use(stream: ServerStream, what: string): StreamUse | undefined {
    this.log.push(`${stream.id}: ${what}`);
    this.stream = stream;
    if (what.includes('forbidden')) return undefined;
    const note = (text: string) => this.log.push(`${stream.id}: ${text}`);
    return {
      media: ({ typeId, timestampMs, payload }) =>
        note(`media ${typeId} at ${timestampMs}: ${toHex(payload)}`),
      pause: (isPaused, timeMs) => note(`pause ${isPaused} ${timeMs}`),
      seek: (timeMs) => note(`seek ${timeMs}`),
      close: (why) => note(`close: ${why}`),
    };
  }
}

function words({ name, query }: StreamName): string {
  return [name, ...[...query].map(([key, value]) => `${key}=${value}`)].join(' ');
}

const PICTURE: RtmpMessage = {
  typeId: 9,
  timestampMs: 40,
  messageStreamId: 1,
  payload: hex`17 01 000000 aa`,
};

test('commands before connect are not heard', () => {
  const server = new Server().shakeHands();
  server.command(0, 'createStream', 2, null).command(1, 'publish', 3, null, 'cam', 'live');
  server.say(PICTURE);
  assert.deepEqual(server.heard(), []);
  assert.deepEqual(server.log, []);
});

test('a connect without an application is refused, and the session is over', () => {
  for (const properties of [{ app: null }, { app: 'a'.repeat(5000) }]) {
    const server = new Server().shakeHands().connect(properties);
    assert.deepEqual(server.codes(), ['0 NetConnection.Connect.Rejected']);
    assert.equal(server.session.state.at, 'closed');
  }
});

test('a refused connect says why, and the session is over', () => {
  const server = new Server().shakeHands();
  server.refusal = '[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ';
  server.connect();
  assert.deepEqual(server.commands(), [
    [
      0,
      '_error',
      1,
      { level: 'error', code: 'NetConnection.Connect.Rejected', description: server.refusal },
    ],
  ]);
  server.command(0, 'createStream', 2, null);
  assert.deepEqual(server.heard(), []);
});

test('more streams than allowed are refused; a deleted one makes room, under its number', () => {
  const server = Server.connected(2);
  for (const id of [2, 3, 4]) server.command(0, 'createStream', id, null);
  server.command(0, 'deleteStream', 0, null, 1).command(0, 'createStream', 5, null);
  assert.deepEqual(server.commands(), [
    [0, '_result', 2, 1],
    [0, '_result', 3, 2],
    [
      0,
      '_error',
      4,
      { level: 'error', code: 'NetConnection.Call.Failed', description: 'too many streams' },
    ],
    [0, '_result', 5, 1],
  ]);
});

test('names that are none are refused on the stream, and the connection stays', () => {
  const server = Server.connected();
  server.command(0, 'createStream', 2, null);
  server.command(1, 'publish', 3, null).command(1, 'publish', 3, null, 'a'.repeat(2000));
  server.command(1, 'play', 4, null, '');
  assert.deepEqual(server.codes(), [
    '0 _result',
    '1 NetStream.Publish.BadName',
    '1 NetStream.Publish.BadName',
    '1 NetStream.Play.StreamNotFound',
  ]);
  assert.deepEqual(server.log, []);
});

test('an unknown command with a transaction is answered with an error, one without not at all', () => {
  const server = Server.connected();
  server.command(0, 'x'.repeat(500), 7, null).command(0, 'what', 0, null);
  const description = `no such method: ${'x'.repeat(64)}`;
  assert.deepEqual(server.commands(), [
    [0, '_error', 7, { level: 'error', code: 'NetConnection.Call.Failed', description }],
  ]);
});

test('nothing is heard after close, and every stream is let go once', () => {
  const server = Server.connected();
  server.command(0, 'createStream', 2, null).command(1, 'publish', 0, null, 'cam', 'live');
  server.session.close('it was sent away');
  server.session.close('again');
  server.command(0, 'createStream', 3, null).say(PICTURE);
  assert.deepEqual(server.log, ['1: publish cam live', '1: close: it was sent away']);
});

test('what comes behind the end in the same piece is not heard', () => {
  const server = Server.connected();
  server.raw(
    concat(
      serializeMessage(commandMessage(0, 'close', 0, null), 3, 128),
      serializeMessage(commandMessage(0, 'createStream', 2, null), 3, 128),
    ),
  );
  assert.deepEqual(server.heard(), []);
});

test('the command close ends the session', () => {
  const server = Server.connected();
  server.command(0, 'createStream', 2, null).command(1, 'play', 0, null, 'cam', -2000);
  server.command(0, 'close', 0, null);
  assert.equal(server.session.state.at, 'closed');
  assert.deepEqual(server.log, ['1: play cam live', '1: close: it closed the connection']);
});

test('arbitrary bytes give a value or an error of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const server = Server.connected();
      try {
        server.raw(bytes);
      } catch (error) {
        const isOurs = error instanceof ParseError || error instanceof ProtocolError;
        assert.ok(isOurs || error instanceof UnsupportedError, String(error));
      }
    }),
  );
});

test('the answer to connect: window, bandwidth, chunk size, success', () => {
  const server = new Server().shakeHands().connect();
  const messages = server.heard();
  assert.deepEqual(
    messages.map(({ typeId, payload }) => (typeId === 20 ? '20' : `${typeId} ${toHex(payload)}`)),
    // The chunk size is taken by the reader of the test.
    ['5 002625a0', '6 002625a002', '20'],
  );
  assert.equal(messages[2]?.messageStreamId, 0);
  const answer = serializeAmf0(
    '_result',
    1,
    { fmsVer: 'FMS/3,5,7,7009', capabilities: 31 },
    {
      level: 'status',
      code: 'NetConnection.Connect.Success',
      description: 'Connection succeeded.',
      objectEncoding: 0,
    },
  );
  assert.equal(toHex(messages[2]!.payload), toHex(answer));
});

test('applications come with a query, with an instance, and with slashes', () => {
  const cases: [Record<string, string>, app: string, query: [string, string][]][] = [
    [{ app: 'live' }, 'live', []],
    [{ app: 'live?token=a%20b' }, 'live', [['token', 'a b']]],
    [{ app: '/live/' }, 'live', []],
    [{ app: 'proxypublish/_definst_' }, 'proxypublish/_definst_', []],
    [{ app: 'live', tcUrl: 'rtmp://h/live?token=x' }, 'live', [['token', 'x']]],
    // ffmpeg adds its login with a question mark of its own, and leaves base64 as it is.
    [
      { app: 'live?a=1?authmod=adobe&user=u&response=+/A==' },
      'live',
      [
        ['a', '1'],
        ['authmod', 'adobe'],
        ['user', 'u'],
        ['response', '+/A=='],
      ],
    ],
    [{ app: 'live?token=%zz&token=2' }, 'live', [['token', '%zz']]],
  ];
  for (const [properties, app, query] of cases) {
    const { request } = new Server().shakeHands().connect(properties);
    assert.equal(request?.app, app);
    assert.deepEqual([...(request?.query ?? [])], query);
  }
});

test('encoders are told from players by what real ones say in connect', () => {
  const codecs = { fpad: false, capabilities: 15, audioCodecs: 4071, videoCodecs: 252 };
  const cases: [who: string, properties: Record<string, Amf0Value>, isEncoder: boolean][] = [
    ['ffmpeg 5.1, to', { type: 'nonprivate', flashVer: 'FMLE/3.0 (compatible; Lavf)' }, true],
    ['ffmpeg 5.1, from', { flashVer: 'LNX 9,0,124,2', ...codecs }, false],
    ['GStreamer 1.22 rtmp2sink', { type: 'nonprivate', flashVer: 'LNX 10,0,32,18' }, true],
    ['GStreamer 1.22 rtmp2src', { flashVer: 'LNX 10,0,32,18', ...codecs }, false],
    ['our player', { type: 'nonprivate', flashVer: 'LNX 9,0,124,2', ...codecs }, false],
    ['who says nothing', { flashVer: undefined }, false],
  ];
  for (const [who, properties, isEncoder] of cases) {
    const { request } = new Server().shakeHands().connect(properties);
    assert.equal(request?.isEncoder, isEncoder, who);
  }
});

test('the way of a stream is taken where it is made of ids', () => {
  const via = (sluiceVia: string) => new Server().shakeHands().connect({ sluiceVia }).request?.via;
  assert.deepEqual(via(''), []);
  assert.deepEqual(via('edge-1,master'), ['edge-1', 'master']);
  assert.deepEqual(via('Edge,a b,,ok,../x'), ['ok']);
  assert.deepEqual(via(`${'a'.repeat(49)},b`), ['b']);
  const ids = Array.from({ length: 20 }, (_, index) => `g${index}`);
  assert.deepEqual(via(ids.join()), ids.slice(4));
});

test('enhanced RTMP is answered to those who ask', () => {
  const server = new Server().shakeHands().connect({ fourCcList: ['hvc1', 'av01'] });
  assert.ok(server.request?.fourCcs?.has('hvc1'));
  assert.ok(!server.request?.fourCcs?.has('Opus'));
  const { payload } = server.heard().at(-1)!;
  const text = new TextDecoder('latin1').decode(payload);
  for (const word of ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'hvc1', 'Opus']) {
    assert.ok(text.includes(word), word);
  }
  const any = new Server().shakeHands().connect({ videoFourCcInfoMap: { '*': 1 } });
  assert.ok(any.request?.fourCcs?.has('av01'));
});

test('AMF3: connect says so, commands come as type 17, data as type 15', () => {
  const server = new Server().shakeHands().connect({ objectEncoding: 3 });
  const [, , , info] = server.commands()[0]!;
  assert.equal((info as Record<string, unknown>)['objectEncoding'], 3);
  const amf3 = (messageStreamId: number, ...values: Amf0Value[]) => ({
    typeId: MessageType.commandAmf3,
    timestampMs: 0,
    messageStreamId,
    payload: concat(hex`00`, serializeAmf0(...values)),
  });
  server.say(amf3(0, 'createStream', 2, null), amf3(1, 'publish', 0, null, 'cam', 'live'));
  const metadata = serializeAmf0('@setDataFrame', 'onMetaData');
  // An AMF3 object (0x11) stands behind; it is not looked at.
  const payload = concat(hex`00`, metadata, hex`11 0a 0b 01 01`);
  server.say({ typeId: MessageType.dataAmf3, timestampMs: 0, messageStreamId: 1, payload });
  assert.deepEqual(server.commands(), [[0, '_result', 2, 1]]);
  assert.deepEqual(server.log, [
    '1: publish cam live',
    `1: media 18 at 0: ${toHex(metadata)}110a0b0101`,
  ]);
});

test('publish: types, names with a query, and what Flash Media Live Encoder says around it', () => {
  const server = Server.connected();
  server.command(0, 'releaseStream', 2, null, 'cam').command(0, 'FCPublish', 3, null, 'cam');
  server.command(0, 'createStream', 4, null);
  server.command(1, 'publish', 5, null, 'cam?token=1&x', 'append');
  server.say(PICTURE);
  server.command(0, 'FCUnpublish', 6, null, 'cam').command(0, 'deleteStream', 7, null, 1);
  server.say(PICTURE);
  assert.deepEqual(server.codes(), [
    '0 _result',
    '0 _result',
    '0 NetStream.Publish.Start',
    '0 _result',
    '0 _result',
    '0 NetStream.Unpublish.Success',
  ]);
  assert.deepEqual(server.log, [
    '1: publish cam token=1 x= append',
    '1: media 9 at 40: 1701000000aa',
    '1: close: it ended the stream',
  ]);
  for (const [type, want] of [
    ['record', 'record'],
    ['appendWithGap', 'live'],
    [null, 'live'],
  ] as const) {
    const other = Server.connected().command(0, 'createStream', 2, null);
    other.command(1, 'publish', 0, null, 'cam', type);
    assert.deepEqual(other.log, [`1: publish cam ${want}`]);
  }
});

test('play: where to begin, in the specification’s units and in everybody’s', () => {
  const starts: [start: number | undefined, want: string][] = [
    [undefined, 'live'],
    [-2, 'live'],
    [-1, 'live'],
    [-2000, 'live'],
    [0, '0'],
    [5000, '5000'],
    [Number.NaN, 'live'],
  ];
  for (const [start, want] of starts) {
    const server = Server.connected().command(0, 'createStream', 2, null);
    server.command(1, 'play', 0, null, 'cam', ...(start === undefined ? [] : [start]));
    assert.deepEqual(server.log, [`1: play cam ${want}`]);
  }
});

test('pause, seek, closeStream, and another play in the place of the first', () => {
  const server = Server.connected().command(0, 'createStream', 2, null);
  server.command(1, 'pause', 0, null, true, 500).command(1, 'play', 0, null, 'a', -2000);
  server.command(1, 'pause', 0, null, true, 500).command(1, 'pauseRaw', 0, null, false, 700);
  server.command(1, 'seek', 0, null, 9000).command(1, 'seek', 0, null, Number.NaN);
  server.command(1, 'play', 0, null, 'b').command(1, 'closeStream', 0, null);
  server.command(1, 'closeStream', 0, null);
  assert.deepEqual(server.log, [
    '1: play a live',
    '1: pause true 500',
    '1: pause false 700',
    '1: seek 9000',
    '1: seek 0',
    '1: close: it plays another stream in its place',
    '1: play b live',
    '1: close: it ended the stream',
  ]);
});

test('commands without a transaction, without a null, and without createStream', () => {
  const server = Server.connected();
  const payload = serializeAmf0('publish', 'cam', 'live');
  server.say({ typeId: MessageType.commandAmf0, timestampMs: 0, messageStreamId: 0, payload });
  server.say({ ...PICTURE, messageStreamId: 0 });
  assert.deepEqual(server.log, ['1: publish cam live', '1: media 9 at 40: 1701000000aa']);
  const other = new Server().shakeHands();
  other.say({
    typeId: MessageType.commandAmf0,
    timestampMs: 0,
    messageStreamId: 0,
    payload: serializeAmf0('connect', { app: 'live' }),
  });
  assert.equal(other.session.state.at, 'connected');
});

test('what was refused takes no media', () => {
  const server = Server.connected().command(0, 'createStream', 2, null);
  server.command(1, 'publish', 0, null, 'forbidden', 'live').say(PICTURE);
  assert.deepEqual(server.log, ['1: publish forbidden live']);
});

test('getStreamLength, checkBandwidth, FCSubscribe', () => {
  const server = Server.connected();
  server.command(0, 'getStreamLength', 2, null, 'flv:a').command(0, 'getStreamLength', 3, null);
  server.command(0, 'checkBandwidth', 4, null).command(0, '_checkbw', 5, null);
  server.command(0, 'FCSubscribe', 6, null, 'cam');
  assert.deepEqual(server.commands(), [
    [0, '_result', 2, 12.5],
    [
      0,
      '_error',
      3,
      { level: 'error', code: 'NetConnection.Call.Failed', description: 'of which stream?' },
    ],
    [0, '_result', 4],
    [0, '_result', 5],
    [0, '_result', 6],
    [0, 'onFCSubscribe', 0, { level: 'status', code: 'NetStream.Play.Start', description: 'cam' }],
  ]);
});

test('pings are answered, windows acknowledged as the client wishes', () => {
  const server = Server.connected();
  server.say(userControlMessage(6, hex`0000abcd`));
  assert.deepEqual(
    server.heard().map(({ typeId, payload }) => `${typeId} ${toHex(payload)}`),
    ['4 00070000abcd'],
  );
  server.say(controlMessage(MessageType.windowAcknowledgementSize, 200));
  const padding = { typeId: 18, timestampMs: 0, messageStreamId: 1, payload: new Uint8Array(400) };
  server.heard();
  server.raw(serializeMessage(padding, 3, 128)).raw(hex`c3`);
  const [acknowledgement] = server.heard();
  assert.equal(acknowledgement?.typeId, MessageType.acknowledgement);
});

test('shared media goes out as it is on stream 1, and as a copy on another', () => {
  const server = Server.connected();
  for (const id of [2, 3]) server.command(0, 'createStream', id, null);
  server.command(1, 'play', 0, null, 'a');
  const first = server.stream;
  server.command(2, 'play', 0, null, 'b');
  const second = server.stream;
  server.heard();
  const long = { ...PICTURE, timestampMs: 0x1000000, payload: new Uint8Array(200_000).fill(7) };
  const shared = concat(
    serializeMessage({ ...PICTURE, typeId: 8 }, 4, 65_536),
    serializeMessage(long, 6, 65_536),
    serializeMessage({ ...PICTURE, payload: new Uint8Array(0) }, 6, 65_536),
  );
  const before = shared.slice();
  first?.send(shared);
  assert.deepEqual(
    server.heard().map((message) => message.messageStreamId),
    [1, 1, 1],
  );
  second?.send(shared);
  const heard = server.heard();
  assert.deepEqual(
    heard.map(({ messageStreamId, timestampMs, payload }) => [
      messageStreamId,
      timestampMs,
      payload.length,
    ]),
    [
      [2, 40, 6],
      [2, 0x1000000, 200_000],
      [2, 40, 0],
    ],
  );
  assert.deepEqual(shared, before);
});

test('it makes no difference how the bytes are cut', () => {
  const bytes = concat(
    CLIENT_HANDSHAKE,
    serializeMessage(commandMessage(0, 'connect', 1, { app: 'live' }), 3, 128),
    serializeMessage(commandMessage(0, 'createStream', 2, null), 3, 128),
    serializeMessage(commandMessage(1, 'publish', 3, null, 'cam', 'live'), 3, 128),
    serializeMessage(PICTURE, 6, 128),
  );
  for (const step of [1, 7, 1536, 1537, 3073, bytes.length]) {
    const server = new Server();
    for (let at = 0; at < bytes.length; at += step) server.raw(bytes.subarray(at, at + step));
    assert.deepEqual(server.log, ['1: publish cam live', '1: media 9 at 40: 1701000000aa']);
    assert.deepEqual(server.codes(), ['0 NetConnection.Connect.Success', '0 _result']);
  }
});

test('how much of a recording, and how much of it a player buffers', () => {
  let wanted: number | undefined;
  const server = Server.connected();
  server.lengths = (lengthMs) => {
    wanted = lengthMs;
  };
  server.command(0, 'createStream', 2, null);
  server.command(1, 'play', 3, null, 'flv:a', 1000, 2500, true);
  assert.equal(wanted, 2500);
  assert.equal(server.stream?.bufferMs, 0);
  const buffer = (hexes: Uint8Array) => userControlMessage(UserControlEvent.setBufferLength, hexes);
  server.say(buffer(hex`00000001 00002710`));
  assert.equal(server.stream?.bufferMs, 10_000);
  server.command(1, 'play', 3, null, 'flv:a', 1000, -1);
  assert.equal(wanted, undefined);
});

test('takes no large message of who does not publish', () => {
  const large = { typeId: MessageType.video, timestampMs: 0, messageStreamId: 1 };
  const message = { ...large, payload: new Uint8Array(1024 * 1024 + 1) };
  const player = Server.connected().command(0, 'createStream', 2, null);
  player.command(1, 'play', 3, null, 'cam');
  assert.throws(() => player.say(message), /more than 1048576/);
  const publisher = Server.connected().command(0, 'createStream', 2, null);
  publisher.command(1, 'publish', 3, null, 'cam', 'live').say(message);
  assert.match(publisher.log.at(-1) ?? '', /media 9/);
});

test('ends with a client that asks on and on', () => {
  const player = Server.connected().command(0, 'createStream', 2, null);
  assert.throws(() => {
    for (let n = 0; n < 1_000; n += 1) player.command(1, 'play', 3, null, 'cam');
  }, /on and on/);
  assert.ok(player.log.length < 1_000);
});
