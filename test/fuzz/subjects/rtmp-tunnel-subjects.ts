/** RTMP through HTTP: what clients ask and servers answer. */
import { concat } from '../../../codecs/bytes.ts';
import { TunnelConnection } from '../../../gateway/acceptors/tunnel-connection.ts';
import { TunnelSession } from '../../../gateway/acceptors/tunnel-session.ts';
import {
  serializeTunnelAnswer,
  serializeTunnelPost,
  TunnelAnswerParser,
} from '../../../protocols/rtmp/tunnel-answer.ts';
import { parseTunnelPath, TunnelRequestParser } from '../../../protocols/rtmp/tunnel-request.ts';
import { framerOf, type Subject, textParserOf } from '../subject.ts';

const encoder = new TextEncoder();
const NAME = '0123456789abcdef0123456789abcdef';

const REQUESTS = concat(
  serializeTunnelPost('/open/1', 'host:80', 1),
  Uint8Array.of(0),
  ...[0, 1, 2].flatMap((number) => [
    serializeTunnelPost(`/send/${NAME}/${number}`, 'host:80', 5),
    encoder.encode('hello'),
    serializeTunnelPost(`/idle/${NAME}/${number}`, 'host:80', 1),
    Uint8Array.of(0),
  ]),
  serializeTunnelPost(`/close/${NAME}/3`, 'host:80', 1),
  Uint8Array.of(0),
);

/** One connection after another; whatever the session is called, it is there. */
function openConnections(): (bytes: Uint8Array) => void {
  const open = () =>
    new TunnelSession(NAME, '10.0.0.1', 0, (session) => ({
      push: (chunk) => void chunk.fill(0xee),
      closed: () => undefined,
      end: () => session.end(),
    }));
  let session = open();
  const sessions = {
    open: () => session,
    get: () => session,
    remove: () => {
      session.close();
      session = open();
    },
    now: () => 0,
  };
  const pipe = {
    writableLength: 0,
    write: () => true,
    cork: () => undefined,
    uncork: () => undefined,
    end: () => undefined,
    destroy: () => undefined,
  };
  return (bytes) => {
    const connection = new TunnelConnection(pipe, '10.0.0.1', sessions);
    connection.push(bytes.slice());
    connection.closed();
  };
}

export const RTMP_TUNNEL_SUBJECTS: readonly Subject[] = [
  framerOf(
    'RTMPT requests',
    () => new TunnelRequestParser(),
    concat(
      serializeTunnelPost('/open/1', 'host:80', 1),
      Uint8Array.of(0),
      serializeTunnelPost(`/send/${NAME}/0`, 'host:80', 5),
      encoder.encode('hello'),
    ),
    encoder.encode('POST /open/1 HTTP/1.0\nConnection: keep-alive\nContent-length: 1\n\n0'),
  ),
  framerOf(
    'RTMPT answers',
    () => new TunnelAnswerParser(),
    concat(serializeTunnelAnswer('200 OK', 5, true), encoder.encode('\u0001abcd')),
    encoder.encode(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n',
    ),
  ),
  textParserOf(
    'RTMPT paths',
    parseTunnelPath,
    '/open/1',
    `/send/${NAME}/12`,
    `http://host:80/close/${NAME}/3?x=1`,
  ),
  { name: 'RTMPT connections', seeds: [REQUESTS], open: openConnections, inputsPerParser: 20 },
];
