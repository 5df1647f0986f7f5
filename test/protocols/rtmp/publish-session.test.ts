import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { AuthenticationError, ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { type Amf0Value, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { commandMessage } from '../../../protocols/rtmp/command.ts';
import { controlMessage, userControlMessage } from '../../../protocols/rtmp/control.ts';
import {
  PublishSession,
  type PublishSessionOptions,
} from '../../../protocols/rtmp/publish-session.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex, toHex } from '../../support/hex.ts';
import { RtmpDialogue, SERVER_HANDSHAKE } from '../../support/rtmp-dialogue.ts';

const OPTIONS: PublishSessionOptions = {
  app: 'live',
  tcUrl: 'rtmp://master.example/live',
  streamName: 'cam',
  publishType: 'live',
  flashVersion: 'FMLE/3.0',
  swfUrl: undefined,
  pageUrl: undefined,
  credentials: { username: 'user', password: 'secret' },
  authQuery: '',
  offered: [],
  via: [],
};

class Dialogue extends RtmpDialogue<PublishSession> {
  constructor(options: Partial<PublishSessionOptions> = {}) {
    super((write) => new PublishSession({ ...OPTIONS, ...options }, write));
  }

  /** Up to the request to publish, on message stream 7. */
  untilRequest(): this {
    return this.shakeHands()
      .command('_result', 1, {}, { code: 'NetConnection.Connect.Success' })
      .command('_error', 2, null, { level: 'error', description: 'nothing to release' })
      .command('_result', 4, null, 7);
  }

  untilPublishing(): this {
    return this.untilRequest().status('NetStream.Publish.Start', 'status');
  }
}

test('connect carries application, type, agent and URL', () => {
  const dialogue = new Dialogue({ swfUrl: 'http://x/a.swf', pageUrl: 'http://x/' });
  assert.deepEqual(dialogue.shakeHands().heardCommands(), [
    [
      0,
      'connect',
      1,
      {
        app: 'live',
        type: 'nonprivate',
        flashVer: 'FMLE/3.0',
        swfUrl: 'http://x/a.swf',
        tcUrl: 'rtmp://master.example/live',
        pageUrl: 'http://x/',
      },
    ],
  ]);
});

test('what only enhanced RTMP knows is offered, in the words of both versions', () => {
  const dialogue = new Dialogue({ offered: ['hvc1', 'Opus'] });
  const [connect] = dialogue.shakeHands().heardCommands();
  const { fourCcList, videoFourCcInfoMap, audioFourCcInfoMap, capsEx } = connect![3] as Record<
    string,
    object
  >;
  assert.deepEqual(fourCcList, ['hvc1', 'Opus']);
  assert.deepEqual({ ...videoFourCcInfoMap }, { hvc1: 4 });
  assert.deepEqual({ ...audioFourCcInfoMap }, { Opus: 4 });
  assert.equal(capsEx, undefined);
});

test('the way of the stream is told where there is one', () => {
  const sluiceVia = (via: readonly string[]) => {
    const [connect] = new Dialogue({ via }).shakeHands().heardCommands();
    return (connect![3] as Record<string, unknown>)['sluiceVia'];
  };
  assert.equal(sluiceVia([]), undefined);
  assert.equal(sluiceVia(['edge', 'box']), 'edge,box');
});

test('a loop is told from other refusals', () => {
  const dialogue = new Dialogue().shakeHands();
  dialogue.command('_result', 1, {}, { code: 'NetConnection.Connect.Success' });
  dialogue.command('_result', 4, null, 7);
  assert.throws(
    () => dialogue.status('NetStream.Publish.Loop', 'error', 'it has been here before'),
    (error: ProtocolError) => error.code === 'RTMP_LOOP' && /been here/.test(error.message),
  );
});

test('what the server takes is known once connect is answered', () => {
  const dialogue = new Dialogue().shakeHands();
  const accepted = () => dialogue.session.accepted;
  assert.equal(accepted(), undefined);
  dialogue.command(
    '_result',
    1,
    { fourCcList: ['hvc1'] },
    { code: 'NetConnection.Connect.Success' },
  );
  assert.equal(accepted()?.has('hvc1'), true);
  assert.equal(accepted()?.has('av01'), false);
});

for (const publishType of ['live', 'record', 'append'] as const) {
  test(`the whole dialogue, publish type ${publishType}`, () => {
    const dialogue = new Dialogue({ publishType });
    const { session } = dialogue.shakeHands();
    dialogue.heard();
    dialogue.command('_result', 1, {}, { code: 'NetConnection.Connect.Success' });
    assert.deepEqual(dialogue.heardCommands(), [
      [0, 'releaseStream', 2, null, 'cam'],
      [0, 'FCPublish', 3, null, 'cam'],
      [0, 'createStream', 4, null],
    ]);
    dialogue.command('_result', 4, null, 7);
    assert.deepEqual(dialogue.heardCommands(), [[7, 'publish', 5, null, 'cam', publishType]]);
    assert.deepEqual(session.state, { at: 'requesting', messageStreamId: 7 });
    dialogue.status('NetStream.Publish.Start', 'status');
    assert.deepEqual(session.state, { at: 'publishing', messageStreamId: 7 });
    session.close();
    assert.deepEqual(dialogue.heardCommands(), [
      [0, 'FCUnpublish', 6, null, 'cam'],
      [0, 'deleteStream', 7, null, 7],
    ]);
  });
}

test('the server may be cut anywhere', () => {
  const answers = concat(
    ...[
      controlMessage(5, 2_500_000),
      controlMessage(1, 4096),
      commandMessage(0, '_result', 1, {}, { code: 'NetConnection.Connect.Success' }),
      commandMessage(0, '_result', 4, null, 1),
      commandMessage(1, 'onStatus', 0, null, { level: 'status', code: 'NetStream.Publish.Start' }),
    ].map((message) => serializeMessage(message, 3, 4096)),
  );
  for (const chunks of everySplit(answers)) {
    const { session } = new Dialogue();
    session.push(SERVER_HANDSHAKE);
    for (const chunk of chunks) session.push(chunk);
    assert.equal(session.state.at, 'publishing');
  }
});

test('what informs, and errors of releaseStream and FCPublish, end nothing', () => {
  const { session } = new Dialogue()
    .shakeHands()
    .say({ ...commandMessage(0, '', 0), payload: serializeAmf0('onBWDone', null) }) // ffmpeg -listen 1
    .command('_result', 99, null)
    .command('_result', 1, {}, {})
    .command('onFCPublish', 0, null, { code: 'NetStream.Publish.Start' })
    .command('_error', 2, null, { level: 'error', code: 'NetConnection.Call.Failed' })
    .command('_error', 3, null, { level: 'error' })
    .command('_result', 4, null, 1)
    .status('NetStream.Publish.Start', 'status')
    .status('NetStream.Unpublish.Success', 'status');
  assert.equal(session.state.at, 'publishing');
});

const refusals: [string, string, (dialogue: Dialogue) => Dialogue][] = [
  [
    'RTMP_CONNECT_REJECTED',
    'a rejected connect',
    (d) => d.shakeHands().command('_error', 1, null, { code: 'NetConnection.Connect.InvalidApp' }),
  ],
  ['RTMP_CONNECT_REJECTED', 'an error without a word', (d) => d.shakeHands().command('_error', 1)],
  [
    'RTMP_NAME_TAKEN',
    'BadName',
    (d) => d.untilRequest().status('NetStream.Publish.BadName', 'error', 'Already publishing'),
  ],
  [
    'RTMP_NAME_TAKEN',
    'BadName without level',
    (d) => d.untilRequest().status('NetStream.Publish.BadName', ''),
  ],
  ['RTMP_PUBLISH_REFUSED', 'Denied', (d) => d.untilRequest().status('NetStream.Publish.Denied')],
  ['RTMP_PUBLISH_REFUSED', 'any error status', (d) => d.untilRequest().status('NetStream.Failed')],
  ['RTMP_PUBLISH_REFUSED', 'an error to publish', (d) => d.untilRequest().command('_error', 5)],
  [
    'RTMP_PUBLISH_REFUSED',
    'an error while publishing',
    (d) => d.untilPublishing().status('NetStream.Failed'),
  ],
  [
    'RTMP_CREATE_STREAM',
    'a stream id that is no number',
    (d) => d.shakeHands().command('_result', 1).command('_result', 4, null, 'x'),
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

test('the words of the server are passed on without queries and control characters', () => {
  const text = `no\u0000\n such\u007f stream cam?key=hidden ${'x'.repeat(500)}`;
  assert.throws(
    () => new Dialogue().untilRequest().status('NetStream.Publish.Denied', 'error', text),
    ({ message }: Error) =>
      message.startsWith('publish: NetStream.Publish.Denied (no such stream cam?… xxx') &&
      message.length < 300,
  );
});

test('a demand for a login asks for another connection with the next query', () => {
  const reject = (text: string) => (dialogue: Dialogue) =>
    dialogue
      .shakeHands()
      .command('_error', 1, null, { code: 'NetConnection.Connect.Rejected', description: text });
  const first = reject('[ code=403 need auth; authmod=adobe ]')(new Dialogue());
  assert.deepEqual(first.session.state, { at: 'reconnect', authQuery: 'authmod=adobe&user=user' });
  const second = new Dialogue({ authQuery: 'authmod=adobe&user=user', app: 'live?a=b' });
  reject('[ authmod=adobe ] : ?reason=needauth&user=user&salt=s&challenge=c&opaque=o')(second);
  const [connect] = second.heardCommands();
  const { app, tcUrl } = connect![3] as { app: string; tcUrl: string };
  assert.equal(app, 'live?a=b&authmod=adobe&user=user');
  assert.equal(tcUrl, 'rtmp://master.example/live?authmod=adobe&user=user');
  assert.ok(second.session.state.at === 'reconnect');
  assert.match(second.session.state.authQuery, /response=.*&opaque=o$/);
  assert.throws(
    () => reject('need auth; authmod=adobe')(new Dialogue({ credentials: undefined })),
    AuthenticationError,
  );
});

test('a ping is answered with its own time', () => {
  const dialogue = new Dialogue().untilPublishing();
  dialogue.heard();
  dialogue.say(userControlMessage(6, hex`01020304`), userControlMessage(0, hex`00000001`));
  assert.deepEqual(
    dialogue.heard().map(({ typeId, payload }) => `${typeId} ${toHex(payload)}`),
    ['4 000701020304'],
  );
});

test('what is received is acknowledged once per window', () => {
  const dialogue = new Dialogue().untilPublishing();
  dialogue.say(controlMessage(5, 1000));
  dialogue.heard();
  const filler = { typeId: 18, timestampMs: 0, messageStreamId: 0, payload: new Uint8Array(300) };
  const acknowledged: number[] = [];
  for (let count = 0; count < 20; count += 1) {
    dialogue.say(filler);
    for (const { typeId, payload } of dialogue.heard()) {
      assert.equal(typeId, 3);
      acknowledged.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
    }
  }
  // 20 messages of 314 bytes each.
  assert.ok(acknowledged.length >= 5 && acknowledged.length <= 6, String(acknowledged));
  assert.ok(
    acknowledged.every((value, index) => index === 0 || value - acknowledged[index - 1]! >= 1000),
  );
});

test('acknowledgements of the server are read', () => {
  const { session } = new Dialogue().untilPublishing().say(controlMessage(3, 12_345));
  assert.equal(session.peerAcknowledgedBytes, 12_345);
});

test('what it means when the server hangs up depends on when', () => {
  const at = (talk: (dialogue: Dialogue) => Dialogue) =>
    talk(new Dialogue()).session.closedByPeer();
  assert.equal(at((d) => d).code, 'RTMP_CLOSED');
  assert.equal(at((d) => d.shakeHands()).code, 'RTMP_CONNECT_REJECTED');
  assert.equal(at((d) => d.untilRequest()).code, 'RTMP_CLOSED_DURING_PUBLISH');
  const closed = at((d) =>
    d.untilPublishing().status('NetStream.Unpublish.Success', 'status', 'bye'),
  );
  assert.equal(closed.code, 'RTMP_CLOSED');
  assert.match(closed.message, /NetStream\.Unpublish\.Success \(bye\)/);
});

test('a session that never was says no goodbye', () => {
  const dialogue = new Dialogue().shakeHands();
  dialogue.heard();
  dialogue.session.close();
  assert.deepEqual(dialogue.heard(), []);
});

test('arbitrary answers end in a state or in one of our errors', () => {
  const value = fc.oneof(
    fc.constantFrom<Amf0Value>(null, undefined, 1, 4, 5, -1, 1e300, '', true),
    fc.constantFrom<Amf0Value>(
      { code: 'NetStream.Publish.Start' },
      { code: 5 },
      { level: 'error' },
    ),
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
