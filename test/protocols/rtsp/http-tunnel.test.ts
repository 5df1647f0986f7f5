import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import {
  encodeTunnelled,
  serializeTunnelGet,
  serializeTunnelPost,
  TunnelAnswer,
} from '../../../protocols/rtsp/http-tunnel.ts';
import { everySplit } from '../../support/every-split.ts';

const REQUEST = {
  path: '/live?channel=1',
  authority: '10.0.0.20:8080',
  cookie: 'c00k1e',
  authorization: undefined,
};

test('writes the requests of Apple’s dispatch 28', () => {
  assert.equal(
    serializeTunnelGet(REQUEST),
    [
      'GET /live?channel=1 HTTP/1.0',
      'Host: 10.0.0.20:8080',
      'User-Agent: Sluice',
      'x-sessioncookie: c00k1e',
      'Pragma: no-cache',
      'Cache-Control: no-cache',
      'Accept: application/x-rtsp-tunnelled',
      '\r\n',
    ].join('\r\n'),
  );
  const post = serializeTunnelPost({ ...REQUEST, authorization: 'Basic eA==' });
  assert.match(post, /^POST \/live\?channel=1 HTTP\/1\.0\r\n/);
  assert.match(post, /\r\nContent-Length: 32767\r\n/);
  assert.match(post, /\r\nAuthorization: Basic eA==\r\n/);
});

test('encodes what lies in the middle of a buffer', () => {
  const bytes = new TextEncoder().encode('xxOPTIONS *xx').subarray(2, 11);
  assert.equal(Buffer.from(encodeTunnelled(bytes), 'base64').toString(), 'OPTIONS *');
});

const HEAD = 'HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n';
const RTSP = 'RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n';

test('cuts the head off, however it comes', () => {
  const bytes = new TextEncoder().encode(HEAD + RTSP);
  for (const chunks of everySplit(bytes)) {
    const answer = new TunnelAnswer();
    const rest: Uint8Array[] = [];
    let status: number | undefined;
    for (const chunk of chunks) {
      if (status !== undefined) {
        rest.push(chunk);
        continue;
      }
      const whole = answer.push(chunk);
      if (whole === undefined) continue;
      status = whole.head.status;
      rest.push(whole.rest);
    }
    assert.equal(status, 200);
    assert.equal(new TextDecoder().decode(concat(...rest)), RTSP);
  }
});

test('a refusal, with its challenge', () => {
  const text = 'HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic realm="x"\n\n';
  const whole = new TunnelAnswer().push(new TextEncoder().encode(text));
  assert.equal(whole?.head.status, 401);
  assert.equal(whole?.head.headers.get('www-authenticate'), 'Basic realm="x"');
});

test('what is no web server is refused at once, and a head without end as well', () => {
  for (const text of [RTSP, 'SSH-2.0-x\r\n', `HTTP/1.0 200 OK\r\nX: ${'x'.repeat(20_000)}`]) {
    assert.throws(() => new TunnelAnswer().push(new TextEncoder().encode(text)), ParseError);
  }
});

test('arbitrary bytes give a head, a wait or a ParseError', () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.constantFrom('HTTP/1.1 200', '\r\n', ': ').map((text) => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const answer = new TunnelAnswer();
      try {
        for (const each of chunks) if (answer.push(each) !== undefined) return;
      } catch (error) {
        assert.ok(error instanceof ParseError);
      }
    }),
  );
});
