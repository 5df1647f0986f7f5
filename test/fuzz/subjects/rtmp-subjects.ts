/** RTMP: what a server may send to a client, and a client to our server. */
import { concat } from '../../../codecs/bytes.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { commandMessage, parseCommand, statusOf } from '../../../protocols/rtmp/command.ts';
import { controlMessage, parseUserControl } from '../../../protocols/rtmp/control.ts';
import { HANDSHAKE_BYTES, RTMP_VERSION } from '../../../protocols/rtmp/handshake.ts';
import { MessageType } from '../../../protocols/rtmp/message.ts';
import { PlaySession } from '../../../protocols/rtmp/play-session.ts';
import { PublishSession } from '../../../protocols/rtmp/publish-session.ts';
import { ServerSession } from '../../../protocols/rtmp/server-session.ts';
import { hex } from '../../support/hex.ts';
import { framerOf, parserOf, type Subject } from '../subject.ts';

const RESULT = commandMessage(
  0,
  '_result',
  1,
  { fmsVer: 'FMS/3,0,1,123' },
  { code: 'NetConnection.Connect.Success', level: 'status' },
);
const STREAM_RESULT = commandMessage(0, '_result', 4, null, 1);
const STATUS = commandMessage(1, 'onStatus', 0, null, {
  code: 'NetStream.Publish.Start',
  level: 'status',
  description: 'ok',
});
const ANSWERS = concat(
  serializeMessage(controlMessage(MessageType.windowAcknowledgementSize, 2_500_000), 2, 128),
  serializeMessage(controlMessage(MessageType.setPeerBandwidth, 2_500_000), 2, 128),
  serializeMessage(controlMessage(MessageType.setChunkSize, 4096), 2, 128),
  serializeMessage(RESULT, 3, 4096),
  serializeMessage(STREAM_RESULT, 3, 4096),
  serializeMessage(STATUS, 300, 4096),
);
const PLAY_ANSWERS = concat(
  serializeMessage(controlMessage(MessageType.setChunkSize, 4096), 2, 128),
  serializeMessage(RESULT, 3, 4096),
  serializeMessage(commandMessage(0, '_result', 2, null, 1), 3, 4096),
  serializeMessage(
    commandMessage(1, 'onStatus', 0, null, { code: 'NetStream.Play.Start', level: 'status' }),
    5,
    4096,
  ),
  serializeMessage(
    { typeId: 9, timestampMs: 40, messageStreamId: 1, payload: hex`27 01 000000 00000002 419a` },
    6,
    4096,
  ),
);
const REQUESTS = concat(
  serializeMessage(controlMessage(MessageType.setChunkSize, 4096), 2, 128),
  serializeMessage(
    commandMessage(0, 'connect', 1, {
      app: 'live?token=x',
      flashVer: 'FMLE/3.0',
      tcUrl: 'rtmp://h/live',
      fourCcList: ['hvc1'],
      sluiceVia: 'a,b',
    }),
    3,
    4096,
  ),
  serializeMessage(commandMessage(0, 'createStream', 2, null), 3, 4096),
  serializeMessage(commandMessage(1, 'publish', 3, null, 'cam?x=1', 'live'), 4, 4096),
  serializeMessage(
    { typeId: 9, timestampMs: 40, messageStreamId: 1, payload: hex`27 01 000000 00000002 419a` },
    6,
    4096,
  ),
  serializeMessage(commandMessage(0, 'createStream', 4, null), 3, 4096),
  serializeMessage(commandMessage(2, 'play', 5, null, 'cam', -2000), 4, 4096),
  serializeMessage(commandMessage(2, 'pause', 6, null, true, 0), 4, 4096),
  serializeMessage(commandMessage(0, 'deleteStream', 7, null, 1), 3, 4096),
);
const HANDSHAKE = concat(Uint8Array.of(RTMP_VERSION), new Uint8Array(2 * HANDSHAKE_BYTES));

export const RTMP_SUBJECTS: readonly Subject[] = [
  framerOf(
    'RTMP chunks',
    () => new ChunkReader(),
    ANSWERS,
    hex`03 ffffff 000003 14 00000000 01000000 020003 c3 01000000 610000`,
  ),
  parserOf(
    'RTMP command',
    (payload) => {
      const message = {
        typeId: MessageType.commandAmf0,
        timestampMs: 0,
        messageStreamId: 0,
        payload,
      };
      const command = parseCommand(message);
      return command && statusOf(command);
    },
    RESULT.payload,
    STATUS.payload,
  ),
  parserOf('RTMP user control', parseUserControl, hex`0006 0000abcd`, hex`0003 00000001 00000bb8`),
  {
    name: 'RTMP publish session',
    seeds: [ANSWERS],
    open: () => {
      const session = new PublishSession(
        {
          app: 'live',
          tcUrl: 'rtmp://127.0.0.1/live',
          streamName: 'cam',
          publishType: 'live',
          flashVersion: 'FMLE/3.0',
          swfUrl: undefined,
          pageUrl: undefined,
          credentials: undefined,
          authQuery: '',
          offered: [],
          via: [],
        },
        () => undefined,
      );
      session.open();
      session.push(HANDSHAKE);
      return (bytes) => session.push(bytes.slice());
    },
  },
  {
    name: 'RTMP server session',
    seeds: [REQUESTS],
    open: () => {
      const use = {
        media: () => undefined,
        pause: () => undefined,
        seek: () => undefined,
        close: () => undefined,
      };
      const session = new ServerSession(
        {
          connect: () => undefined,
          publish: () => use,
          play: () => use,
          streamLength: (_name, answer) => answer(0),
        },
        8,
        () => undefined,
        () => 0,
      );
      session.push(HANDSHAKE.slice());
      return (bytes) => session.push(bytes.slice());
    },
  },
  {
    name: 'RTMP play session',
    seeds: [PLAY_ANSWERS],
    open: () => {
      const session = new PlaySession(
        {
          app: 'live',
          tcUrl: 'rtmp://127.0.0.1/live',
          streamName: 'cam',
          flashVersion: 'LNX 9,0,124,2',
          swfUrl: undefined,
          pageUrl: undefined,
          credentials: undefined,
          authQuery: '',
          fourCcList: ['hvc1'],
          onMedia: () => undefined,
        },
        () => undefined,
      );
      session.open();
      session.push(HANDSHAKE);
      return (bytes) => session.push(bytes.slice());
    },
  },
];
