/** RTMP through HTTP: what clients ask and servers answer. */
import { concat } from '../../../codecs/bytes.ts';
import {
  serializeTunnelAnswer,
  serializeTunnelPost,
  TunnelAnswerParser,
} from '../../../protocols/rtmp/tunnel-answer.ts';
import { parseTunnelPath, TunnelRequestParser } from '../../../protocols/rtmp/tunnel-request.ts';
import { framerOf, type Subject, textParserOf } from '../subject.ts';

const encoder = new TextEncoder();
const NAME = '0123456789abcdef0123456789abcdef';

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
];
