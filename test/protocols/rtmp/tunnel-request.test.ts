import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import {
  isHttp,
  parseTunnelPath,
  type TunnelRequest,
  TunnelRequestParser,
} from '../../../protocols/rtmp/tunnel-request.ts';
import { everySplit } from '../../support/every-split.ts';

const text = (words: string) => new TextEncoder().encode(words);

/** rtmpdump 2.4 (Debian), seen on loopback on 2026-11-25. */
const LIBRTMP_IDLE = text(
  'POST /idle/0a1b/7 HTTP/1.1\r\nHost: 127.0.0.1:1935\r\nAccept: */*\r\nUser-Agent: Shockwave Flash\r\nConnection: Keep-Alive\r\nCache-Control: no-cache\r\nContent-type: application/x-fcs\r\nContent-length: 1\r\n\r\n\0',
);
const SEND = text('POST /send/0a1b/8 HTTP/1.0\nContent-Length: 5\nconnection: KEEP-ALIVE\n\nhello');

interface Seen {
  readonly request: TunnelRequest;
  body: Uint8Array;
  isWhole: boolean;
}

function read(chunks: readonly Uint8Array[]): Seen[] {
  const parser = new TunnelRequestParser();
  const seen: Seen[] = [];
  for (const chunk of chunks) {
    for (const event of parser.push(chunk)) {
      const last = seen.at(-1);
      if (event.at === 'request') {
        seen.push({ request: event.request, body: new Uint8Array(0), isWhole: false });
      } else if (event.at === 'body') {
        assert.ok(last !== undefined && !last.isWhole && event.bytes.length > 0);
        last.body = concat(last.body, event.bytes);
      } else {
        assert.ok(last !== undefined && !last.isWhole);
        last.isWhole = true;
      }
    }
    chunk.fill(0xee);
  }
  return seen;
}

test('pipelined requests, however the bytes are cut', () => {
  for (const chunks of everySplit(concat(LIBRTMP_IDLE, SEND, LIBRTMP_IDLE))) {
    const seen = read(chunks);
    assert.deepEqual(
      seen.map(({ request: { path }, body, isWhole }) => [
        path,
        new TextDecoder().decode(body),
        isWhole,
      ]),
      [
        ['/idle/0a1b/7', '\0', true],
        ['/send/0a1b/8', 'hello', true],
        ['/idle/0a1b/7', '\0', true],
      ],
    );
  }
});

for (const [name, head, want] of [
  ['HTTP/1.1', 'POST / HTTP/1.1\r\nContent-Length: 0', true],
  [
    'HTTP/1.1 that is told to close',
    'POST / HTTP/1.1\r\nConnection: Close\r\nContent-Length: 0',
    false,
  ],
  ['HTTP/1.0', 'POST / HTTP/1.0\r\nContent-Length: 0', false],
  [
    'HTTP/1.0 that asks to stay',
    'POST / HTTP/1.0\r\nCONNECTION: Keep-Alive\r\nContent-Length: 0',
    true,
  ],
] as const) {
  test(`${name}: the connection ${want ? 'stays' : 'goes'}`, () => {
    assert.equal(read([text(`${head}\r\n\r\n`)])[0]?.request.keepsConnection, want);
  });
}

test('a body of no length, or of one that cannot be read, has none', () => {
  for (const headers of [
    '',
    'Content-Length: x',
    'Content-Length: -1',
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
  ]) {
    const [seen] = read([text(`POST /open/1 HTTP/1.1\r\n${headers}\r\n\r\n`)]);
    assert.equal(seen?.request.bodyBytes, undefined, headers);
  }
});

for (const [name, bytes] of [
  ['no HTTP', text('PUBLISH now\r\n\r\n')],
  ['a head without end', text(`POST /open/1 HTTP/1.1\r\nX: ${'x'.repeat(9_000)}`)],
  ['a head of too many bytes', text(`POST /open/1 HTTP/1.1\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`)],
] as const) {
  test(`${name} is refused`, () => {
    assert.throws(() => read([bytes.slice()]), ParseError);
  });
}

for (const [path, want] of [
  ['/open/1', { name: 'open' }],
  ['/fcs/ident2', { name: 'ident' }],
  ['/idle/abc/0', { name: 'idle', session: 'abc', sequence: 0 }],
  ['/send/abc/12', { name: 'send', session: 'abc', sequence: 12 }],
  ['/close/abc', { name: 'close', session: 'abc', sequence: undefined }],
  ['http://host:80/send/abc/12?x=1', { name: 'send', session: 'abc', sequence: 12 }],
  ['/send', { name: 'send', session: '', sequence: undefined }],
  ['/', undefined],
  ['/live/cam.flv', undefined],
  ['/send/a/b/c/d', undefined],
  ['/send/abc/9999999999999999', undefined],
] as const) {
  test(`the path ${path}`, () => {
    assert.deepEqual(parseTunnelPath(path), want);
  });
}

test('HTTP is told from RTMP by its first byte', () => {
  for (const method of ['POST', 'GET', 'HEAD', 'OPTIONS', 'CONNECT']) {
    assert.ok(isHttp(method.charCodeAt(0)), method);
  }
  for (const version of [3, 6, 8, 0x16]) assert.ok(!isHttp(version));
  assert.ok(!isHttp(undefined));
});

test('whatever comes is requests or a ParseError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      try {
        read([LIBRTMP_IDLE.slice(), ...chunks.map((chunk) => chunk.slice())]);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
    }),
  );
});
