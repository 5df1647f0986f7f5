import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import {
  pollIntervalMs,
  serializeTunnelAnswer,
  serializeTunnelPost,
  TunnelAnswerParser,
} from '../../../protocols/rtmp/tunnel-answer.ts';
import { TunnelRequestParser } from '../../../protocols/rtmp/tunnel-request.ts';
import { everySplit } from '../../support/every-split.ts';

const text = (words: string) => new TextEncoder().encode(words);

function read(chunks: readonly Uint8Array[], parser = new TunnelAnswerParser()): string[] {
  const seen: string[] = [];
  for (const chunk of chunks) {
    for (const event of parser.push(chunk)) {
      const last = seen.at(-1);
      if (event.at === 'answer') seen.push(`${event.status}`);
      else if (event.at === 'end') seen.push(event.keepsConnection ? 'end' : 'end, close');
      else if (last?.startsWith('"')) seen[seen.length - 1] = `${last}${words(event.bytes)}`;
      else seen.push(`"${words(event.bytes)}`);
    }
    chunk.fill(0xee);
  }
  return seen;
}

function words(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

const CHUNKED = text(
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n',
);

test('answers behind one another, with a length, in chunks, with 100 before it, however cut', () => {
  const answers = concat(
    serializeTunnelAnswer('200 OK', 5, true),
    text('hello'),
    CHUNKED,
    text('HTTP/1.1 100 Continue\r\n\r\n'),
    serializeTunnelAnswer('404 Not Found', 0, false),
    text('HTTP/1.1 204 No Content\r\n\r\n'),
  );
  for (const chunks of everySplit(answers)) {
    assert.deepEqual(read(chunks), [
      ...['200', '"hello', 'end'],
      ...['200', '"hello world', 'end'],
      ...['404', 'end, close'],
      ...['204', 'end'],
    ]);
  }
});

test('without a length the end of the connection ends it', () => {
  const parser = new TunnelAnswerParser();
  assert.deepEqual(read([text('HTTP/1.0 200 OK\r\n\r\nhel'), text('lo')], parser), [
    '200',
    '"hello',
  ]);
  assert.equal(parser.close(), true);
  assert.equal(parser.close(), false);
});

test('a connection that ends in the middle leaves nothing whole', () => {
  const parser = new TunnelAnswerParser();
  read([text('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel')], parser);
  assert.equal(parser.close(), false);
});

for (const [name, bytes] of [
  ['RTMP', Uint8Array.of(3, ...new Uint8Array(9_000))],
  ['no HTTP', text('SSH-2.0-OpenSSH_9.2p1\r\n\r\n')],
  ['a chunk without a size', text('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n')],
  [
    'a size without end',
    concat(text('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), text('0'.repeat(2_000))),
  ],
] as const) {
  test(`${name} is refused`, () => {
    assert.throws(() => read([bytes.slice()]), ParseError);
  });
}

test('what we send as a client is read by us as a server', () => {
  const post = serializeTunnelPost('/send/x/1', '[::1]:80', 3);
  const [event] = new TunnelRequestParser().push(post);
  assert.ok(event?.at === 'request');
  assert.deepEqual(event.request, {
    method: 'POST',
    path: '/send/x/1',
    bodyBytes: 3,
    keepsConnection: true,
  });
});

test('an answer to a poll has the 144 bytes that old librtmp waits for', () => {
  assert.ok(serializeTunnelAnswer('200 OK', 1, true).length + 1 >= 144);
});

test('the poll interval: from 16 ms to half a second', () => {
  assert.deepEqual([0, 1, 3, 0x21, 0xff].map(pollIntervalMs), [16, 16, 48, 528, 528]);
});

test('whatever comes is answers or a ParseError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      try {
        read([CHUNKED.slice(0, 60), ...chunks.map((chunk) => chunk.slice())]);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
    }),
  );
});
