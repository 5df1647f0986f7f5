import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParseError } from '../../../codecs/errors.ts';
import {
  parseHead,
  type RtspHead,
  serializeRequest,
  serializeResponse,
} from '../../../protocols/rtsp/message.ts';

function response(text: string): Extract<RtspHead, { kind: 'response' }> {
  const head = parseHead(text);
  assert.ok(head.kind === 'response');
  return head;
}

const statusLines = [
  ['RTSP/1.0 200 OK', 200, 'OK'],
  ['RTSP/1.0 404 Stream Not Found', 404, 'Stream Not Found'],
  ['RTSP/1.0 200', 200, ''],
  ['RTSP/1.0  401   Unauthorized ', 401, 'Unauthorized'],
  ['rtsp/1.0 454 Session not found', 454, 'Session not found'],
  ['RTSP/2.0 200 OK', 200, 'OK'],
] as const;

for (const [line, status, reason] of statusLines) {
  test(`reads the status line ${JSON.stringify(line)}`, () => {
    const head = response(`${line}\r\nCSeq: 1\r\n`);
    assert.equal(head.status, status);
    assert.equal(head.reason, reason);
    assert.equal(head.headers.get('cseq'), '1');
  });
}

test('reads a request', () => {
  const head = parseHead('OPTIONS rtsp://10.0.0.1/s RTSP/1.0\r\nCSeq: 3\r\n');
  assert.ok(head.kind === 'request');
  assert.equal(head.method, 'OPTIONS');
  assert.equal(head.url, 'rtsp://10.0.0.1/s');
});

test('headers in any case, with any spacing, lines that end in LF alone', () => {
  const { headers } = response(
    'RTSP/1.0 200 OK\nCSEQ:1\nSession :  abc ; timeout=60  \nX-Empty:\n',
  );
  assert.equal(headers.get('CSeq'), '1');
  assert.equal(headers.get('session'), 'abc ; timeout=60');
  assert.equal(headers.get('x-empty'), '');
  assert.equal(headers.get('missing'), undefined);
});

test('folded headers are one', () => {
  const { headers } = response(
    'RTSP/1.0 200 OK\r\nPublic: OPTIONS,\r\n DESCRIBE,\r\n\tPLAY\r\nCSeq: 1',
  );
  assert.equal(headers.get('public'), 'OPTIONS, DESCRIBE, PLAY');
  assert.equal(headers.get('cseq'), '1');
});

test('a header that comes twice', () => {
  const { headers } = response(
    'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest a\r\nWWW-Authenticate: Basic b\r\n',
  );
  assert.deepEqual(headers.getAll('www-authenticate'), ['Digest a', 'Basic b']);
  assert.equal(headers.get('www-authenticate'), 'Digest a');
  assert.deepEqual(headers.getAll('missing'), []);
});

test('lines that are no headers are skipped', () => {
  const { headers } = response('RTSP/1.0 200 OK\r\nnonsense\r\n: empty name\r\n\r\nCSeq: 7\r\n');
  assert.equal(headers.get('cseq'), '7');
});

test('a header name from Object.prototype is like any other', () => {
  const { headers } = response('RTSP/1.0 200 OK\r\n__proto__: x\r\nconstructor: y\r\n');
  assert.equal(headers.get('constructor'), 'y');
  assert.equal(headers.get('toString'), undefined);
});

for (const line of ['', 'HTTP/1.1 200 OK', 'RTSP/1.0 abc', 'GET_PARAMETER', 'hello world']) {
  test(`refuses ${JSON.stringify(line)}`, () => {
    assert.throws(() => parseHead(`${line}\r\nCSeq: 1\r\n`), ParseError);
  });
}

test('writes requests and answers', () => {
  assert.equal(
    serializeRequest('PLAY', 'rtsp://h/s', [['CSeq', '4']]),
    'PLAY rtsp://h/s RTSP/1.0\r\nCSeq: 4\r\n\r\n',
  );
  assert.equal(serializeResponse(200, 'OK', [['CSeq', '4']]), 'RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n');
});

test('a value cannot begin another line', () => {
  const text = serializeRequest('PLAY', 'u', [['Session', 'a\r\nTEARDOWN: b']]);
  assert.equal(text, 'PLAY u RTSP/1.0\r\nSession: a TEARDOWN: b\r\n\r\n');
});
