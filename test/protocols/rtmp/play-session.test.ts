import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { AuthenticationError, ParseError, ProtocolError } from '../../../codecs/errors.ts';
import type { Amf0Value } from '../../../codecs/flv/amf0.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { commandMessage } from '../../../protocols/rtmp/command.ts';
import { controlMessage, userControlMessage } from '../../../protocols/rtmp/control.ts';
import type { RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { PlaySession, type PlaySessionOptions } from '../../../protocols/rtmp/play-session.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex, toHex } from '../../support/hex.ts';
import { RtmpDialogue, SERVER_HANDSHAKE } from '../../support/rtmp-dialogue.ts';

class Dialogue extends RtmpDialogue<PlaySession> {
  readonly media: string[];

  constructor(options: Partial<PlaySessionOptions> = {}) {
    const media: string[] = [];
    super((write) => {
      const all: PlaySessionOptions = {
        app: 'live',
        tcUrl: 'rtmp://server.example/live',
        flashVersion: 'LNX 9,0,124,2',
        swfUrl: undefined,
        pageUrl: undefined,
        credentials: undefined,
        authQuery: '',
        streamName: 'cam?token=1',
        fourCcList: ['hvc1', 'Opus'],
        onMedia: ({ typeId, timestampMs, payload }) => {
          media.push(`${typeId} at ${timestampMs}: ${toHex(payload)}`);
        },
        ...options,
      };
      return new PlaySession(all, write);
    });
    this.media = media;
  }

  /** Up to the request to play, on message stream 7. */
  untilRequest(): this {
    return this.shakeHands()
      .command('_result', 1, {}, { code: 'NetConnection.Connect.Success' })
      .command('_error', 3, null, { level: 'error', description: 'no FCSubscribe here' })
      .command('_result', 2, null, 7);
  }

  untilPlaying(): this {
    return this.untilRequest()
      .status('NetStream.Play.Reset', 'status')
      .status('NetStream.Play.Start', 'status');
  }
}

const PICTURE: RtmpMessage = {
  typeId: 9,
  timestampMs: 40,
  messageStreamId: 7,
  payload: hex`17 01 000000 aa`,
};

test('connect offers every codec of FLV 10.1, and those of enhanced RTMP by name', () => {
  const dialogue = new Dialogue().shakeHands();
  assert.deepEqual(dialogue.heardCommands(), [
    [
      0,
      'connect',
      1,
      {
        app: 'live',
        type: 'nonprivate',
        flashVer: 'LNX 9,0,124,2',
        tcUrl: 'rtmp://server.example/live',
        fpad: false,
        capabilities: 15,
        audioCodecs: 4095,
        videoCodecs: 255,
        videoFunction: 1,
        fourCcList: ['hvc1', 'Opus'],
      },
    ],
  ]);
});

test('the whole dialogue', () => {
  const dialogue = new Dialogue().shakeHands();
  const { session } = dialogue;
  dialogue.heard();
  dialogue.command('_result', 1, {}, { code: 'NetConnection.Connect.Success' });
  const [window, ...commands] = dialogue.heard();
  assert.equal(`${window?.typeId} ${toHex(window!.payload)}`, '5 002625a0');
  assert.equal(commands.length, 2);
  dialogue.command('_result', 2, null, 7);
  const [play, buffer] = dialogue.heard();
  assert.equal(play?.messageStreamId, 7);
  assert.deepEqual(play?.payload, commandMessage(7, 'play', 4, null, 'cam?token=1', -1000).payload);
  assert.equal(`${buffer?.typeId} ${toHex(buffer!.payload)}`, '4 000300000007000003e8');
  assert.deepEqual(session.state, { at: 'requesting', messageStreamId: 7 });
  dialogue.status('NetStream.Play.Reset', 'status');
  assert.equal(session.state.at, 'requesting');
  dialogue.status('NetStream.Play.Start', 'status');
  assert.deepEqual(session.state, { at: 'playing', messageStreamId: 7 });
  session.close();
  assert.deepEqual(dialogue.heardCommands(), [[0, 'deleteStream', 0, null, 7]]);
});

test('createStream comes before FCSubscribe', () => {
  const dialogue = new Dialogue().shakeHands();
  dialogue.heard();
  dialogue.command('_result', 1, {}, {});
  assert.deepEqual(dialogue.heardCommands(), [
    [0, 'createStream', 2, null],
    [0, 'FCSubscribe', 3, null, 'cam?token=1'],
  ]);
});

test('media is handed on, whatever the server says first', () => {
  const started = new Dialogue().untilPlaying().say(PICTURE);
  const silent = new Dialogue().untilRequest().say(PICTURE);
  for (const { session, media } of [started, silent]) {
    assert.deepEqual(media, ['9 at 40: 1701000000aa']);
    assert.equal(session.state.at, 'playing');
  }
  const early = new Dialogue().shakeHands().say(PICTURE);
  assert.deepEqual(early.media, []);
});

test('the server may be cut anywhere', () => {
  const said = concat(
    ...[
      controlMessage(5, 2_500_000),
      controlMessage(1, 4096),
      commandMessage(0, '_result', 1, {}, { code: 'NetConnection.Connect.Success' }),
      commandMessage(0, '_result', 2, null, 1),
      commandMessage(1, 'onStatus', 0, null, { level: 'status', code: 'NetStream.Play.Start' }),
      PICTURE,
    ].map((message) => serializeMessage(message, 3, 4096)),
  );
  for (const chunks of everySplit(said)) {
    const { session, media } = new Dialogue();
    session.push(SERVER_HANDSHAKE);
    for (const chunk of chunks) session.push(chunk);
    assert.deepEqual(media, ['9 at 40: 1701000000aa']);
  }
});

test('what informs ends nothing', () => {
  const { session } = new Dialogue()
    .untilPlaying()
    .command('onBWDone', 0, null, 8192)
    .command('onFCSubscribe', 0, null, { level: 'status', code: 'NetStream.Play.Start' })
    .status('NetStream.Play.PublishNotify', 'status')
    .status('NetStream.Play.InsufficientBW', 'warning')
    .say(userControlMessage(0, hex`00000001`), userControlMessage(2, hex`00000001`));
  assert.equal(session.state.at, 'playing');
});

for (const code of ['UnpublishNotify', 'Stop', 'Complete']) {
  test(`NetStream.Play.${code} ends the stream`, () => {
    const dialogue = new Dialogue()
      .untilPlaying()
      .status(`NetStream.Play.${code}`, 'status', 'bye');
    const { state } = dialogue.session;
    assert.ok(state.at === 'ended', state.at);
    assert.equal(state.words, `NetStream.Play.${code} (bye)`);
    assert.deepEqual(dialogue.say(PICTURE).media, []);
    dialogue.heard();
    dialogue.session.close();
    assert.deepEqual(dialogue.heardCommands(), [[0, 'deleteStream', 0, null, 7]]);
  });
}

test('StreamEOF ends what plays; a player who waits for the publisher goes on waiting', () => {
  const eof = userControlMessage(1, hex`00000007`);
  assert.equal(new Dialogue().untilPlaying().say(eof).session.state.at, 'ended');
  assert.equal(new Dialogue().untilRequest().say(eof).session.state.at, 'requesting');
  const unpublished = new Dialogue().untilRequest();
  unpublished.status('NetStream.Play.UnpublishNotify', 'status');
  assert.equal(unpublished.session.state.at, 'requesting');
});

const refusals: [string, string, (dialogue: Dialogue) => Dialogue][] = [
  [
    'RTMP_CONNECT_REJECTED',
    'a rejected connect',
    (d) => d.shakeHands().command('_error', 1, null, { code: 'NetConnection.Connect.Rejected' }),
  ],
  [
    'RTMP_STREAM_NOT_FOUND',
    'Play.StreamNotFound',
    (d) => d.untilRequest().status('NetStream.Play.StreamNotFound', 'error', 'No such stream'),
  ],
  [
    'RTMP_STREAM_NOT_FOUND',
    'Play.StreamNotFound without level',
    (d) => d.untilRequest().status('NetStream.Play.StreamNotFound', ''),
  ],
  [
    'RTMP_STREAM_NOT_FOUND',
    'onFCSubscribe with StreamNotFound',
    (d) =>
      d.untilRequest().command('onFCSubscribe', 0, null, {
        level: 'error',
        code: 'NetStream.Play.StreamNotFound',
      }),
  ],
  ['RTMP_PLAY_REFUSED', 'Play.Failed', (d) => d.untilRequest().status('NetStream.Play.Failed')],
  [
    'RTMP_PLAY_REFUSED',
    'Failed without level',
    (d) => d.untilRequest().status('NetStream.Failed', ''),
  ],
  ['RTMP_PLAY_REFUSED', 'an error to play', (d) => d.untilRequest().command('_error', 4)],
  [
    'RTMP_PLAY_REFUSED',
    'an error to createStream',
    (d) => d.shakeHands().command('_result', 1).command('_error', 2),
  ],
  [
    'RTMP_PLAY_REFUSED',
    'any error status while playing',
    (d) => d.untilPlaying().status('NetStream.X'),
  ],
  [
    'RTMP_CREATE_STREAM',
    'a stream id that is no number',
    (d) => d.shakeHands().command('_result', 1).command('_result', 2, null, 'x'),
  ],
];

for (const [code, name, talk] of refusals) {
  test(`${name} is ${code}`, () => {
    assert.throws(
      () => talk(new Dialogue()),
      (error) => error instanceof ProtocolError && error.code === code,
    );
  });
}

test('a stream that is not there has the status 404', () => {
  assert.throws(
    () =>
      new Dialogue()
        .untilRequest()
        .status('NetStream.Play.StreamNotFound', 'error', 'cam?token=1 is not there'),
    { status: 404, message: 'play: NetStream.Play.StreamNotFound (cam?… is not there)' },
  );
});

test('a demand for a login asks for another connection with the next query', () => {
  const demand = (options: Partial<PlaySessionOptions>) =>
    new Dialogue(options)
      .shakeHands()
      .command('_error', 1, null, { description: '[ code=403 need auth; authmod=adobe ]' });
  const { session } = demand({ credentials: { username: 'user', password: 'secret' } });
  assert.deepEqual(session.state, { at: 'reconnect', authQuery: 'authmod=adobe&user=user' });
  assert.throws(() => demand({}), AuthenticationError);
});

test('what it means when the server hangs up depends on when', () => {
  const at = (talk: (dialogue: Dialogue) => Dialogue) =>
    talk(new Dialogue()).session.closedByPeer();
  assert.equal(at((d) => d).code, 'RTMP_CLOSED');
  assert.equal(at((d) => d.shakeHands()).code, 'RTMP_CONNECT_REJECTED');
  assert.equal(at((d) => d.untilRequest()).code, 'RTMP_CLOSED_DURING_PLAY');
  const closed = at((d) => d.untilPlaying());
  assert.equal(closed.code, 'RTMP_CLOSED');
  assert.match(closed.message, /the last thing heard was NetStream\.Play\.Start/);
});

test('a session that never was says no goodbye', () => {
  const dialogue = new Dialogue().shakeHands();
  dialogue.heard();
  dialogue.session.close();
  assert.deepEqual(dialogue.heard(), []);
});

test('arbitrary answers end in a state or in one of our errors', () => {
  const value = fc.oneof(
    fc.constantFrom<Amf0Value>(null, undefined, 1, 2, 4, -1, 1e300, '', true),
    fc.constantFrom<Amf0Value>({ code: 'NetStream.Play.Start' }, { code: 5 }, { level: 'error' }),
  );
  const name = fc.constantFrom('_result', '_error', 'onStatus', 'close', '');
  const said = fc.oneof(
    fc
      .tuple(name, fc.nat(6), fc.array(value, { maxLength: 3 }))
      .map(([word, id, values]) =>
        serializeMessage(commandMessage(0, word, id, ...values), 3, 128),
      ),
    fc
      .tuple(fc.nat(22), fc.uint8Array({ maxLength: 30 }))
      .map(([typeId, payload]) =>
        serializeMessage({ typeId, timestampMs: 0, messageStreamId: 0, payload }, 3, 128),
      ),
    fc.uint8Array({ maxLength: 30 }),
  );
  fc.assert(
    fc.property(fc.array(said, { maxLength: 8 }), (chunks) => {
      const { session } = new Dialogue();
      session.push(SERVER_HANDSHAKE);
      try {
        for (const chunk of chunks) session.push(chunk);
      } catch (error) {
        const isOurs = error instanceof ParseError || error instanceof ProtocolError;
        assert.ok(isOurs, String(error));
      }
    }),
  );
});
