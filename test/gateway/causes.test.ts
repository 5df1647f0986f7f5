import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../codecs/errors.ts';
import { explain, SilenceError, streamStateOf } from '../../gateway/causes.ts';

const systemError = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

const cases: readonly [name: string, error: unknown, code: string, state: string, words: RegExp][] =
  [
    [
      'nothing listens',
      systemError('ECONNREFUSED'),
      'refused',
      'unreachable',
      /nothing listens there/,
    ],
    ['a name that is not in the DNS', systemError('ENOTFOUND'), 'dns', 'unreachable', /DNS server/],
    ['no route', systemError('EHOSTUNREACH'), 'network', 'unreachable', /switched on/],
    [
      'an inner error of Happy Eyeballs',
      new AggregateError([systemError('ECONNREFUSED')]),
      'refused',
      'unreachable',
      /listens/,
    ],
    [
      'a wrapped error',
      new Error('dial', { cause: systemError('ETIMEDOUT') }),
      'timeout',
      'unreachable',
      /firewall/,
    ],
    [
      'a codec that the master hung up on',
      new ProtocolError('RTMP_OTHER_WAY', 'it ended the session; trying without audio'),
      'codec',
      'unsupported',
      /trying without audio\.$/,
    ],
    [
      'a tunnel through HTTP that is forgotten',
      new ProtocolError('RTMPT_STATUS', 'it has forgotten our session (404)', 404),
      'protocol',
      'unreachable',
      /forgotten our session \(404\)\. Trying again\.$/,
    ],
    [
      'a server without RTMPE',
      new ProtocolError('RTMPE_REFUSED', 'it does not speak RTMPE'),
      'protocol',
      'unreachable',
      /does not speak RTMPE\. Write rtmp:\/\/ or rtmps:\/\//,
    ],
    [
      'a stream that has been there',
      new ProtocolError('RTMP_LOOP', 'publish: the stream has been here before: here → box'),
      'loop',
      'unreachable',
      /has had this stream before, and takes it no second time: .*here → box\. Leave it out/,
    ],
    [
      'tracks that have changed',
      new ProtocolError('RTMP_TRACKS_CHANGED', 'the camera now sends H.265'),
      'starting',
      'connecting',
      /given the stream anew: the camera now sends H\.265\.$/,
    ],
    [
      'no answer in time',
      new DOMException('x', 'TimeoutError'),
      'timeout',
      'unreachable',
      /in time/,
    ],
    [
      'a self-signed certificate',
      systemError('DEPTH_ZERO_SELF_SIGNED_CERT'),
      'tls',
      'unreachable',
      /caFile/,
    ],
    [
      'a stream that nobody publishes now',
      new ProtocolError('RTMP_STREAM_NOT_FOUND', 'play: NetStream.Play.StreamNotFound', 404),
      'not-found',
      'unreachable',
      /Is it published, and is its name in the source URL right\?$/,
    ],
    [
      'a player who is refused',
      new ProtocolError('RTMP_PLAY_REFUSED', 'play: NetStream.Play.Failed'),
      'rejected',
      'unreachable',
      /refused the stream: .* in the source URL\.$/,
    ],
    [
      'nothing where we listen',
      new ProtocolError('NOTHING_COMES', 'nothing has come to UDP port 5000'),
      'no-data',
      'stalled',
      /: nothing has come to UDP port 5000\.$/,
    ],
    [
      'a port that is taken',
      new ProtocolError('PORT_TAKEN', 'UDP port 5000 is taken'),
      'busy',
      'unreachable',
      /: UDP port 5000 is taken\.$/,
    ],
    [
      'a network interface that has gone',
      Object.assign(new Error('no eth7'), { code: 'EADDRNOTAVAIL' }),
      'network',
      'unreachable',
      /no such network interface or address now/,
    ],
    [
      'a web page instead of a stream',
      new ProtocolError('HTTP_NO_STREAM', 'it sends a web page, not FLV'),
      'protocol',
      'unreachable',
      /: it sends a web page, not FLV\. Trying again\.$/,
    ],
    [
      'a wrong password',
      new AuthenticationError('401', true),
      'auth',
      'unauthorized',
      /refused the login/,
    ],
    [
      'no password configured',
      new AuthenticationError('401', false),
      'no-credentials',
      'unauthorized',
      /none is configured/,
    ],
    [
      'a codec we cannot carry',
      new UnsupportedError('only JPEG is offered'),
      'codec',
      'unsupported',
      /JPEG/,
    ],
    [
      'no such path',
      new ProtocolError('RTSP_STATUS', 'DESCRIBE: 404', 404),
      'not-found',
      'unreachable',
      /path of the source/,
    ],
    [
      'no session free',
      new ProtocolError('RTSP_STATUS', 'SETUP: 453', 453),
      'busy',
      'unreachable',
      /no session free/,
    ],
    [
      'refused after it had played',
      new ProtocolError('RTSP_OUT_OF_SESSIONS', 'DESCRIBE: 401', 401),
      'busy',
      'unreachable',
      /probably out of sessions/,
    ],
    [
      'a web server',
      new ProtocolError('RTSP_WEB_SERVER', 'answers as a web server (HTTP 400), not RTSP'),
      'protocol',
      'unreachable',
      /^The camera .*answers as a web server \(HTTP 400\), not RTSP\.$/,
    ],
    [
      'the name is taken',
      new ProtocolError('RTMP_NAME_TAKEN', 'BadName'),
      'name-taken',
      'unreachable',
      /already being published/,
    ],
    [
      'publish refused',
      new ProtocolError('RTMP_PUBLISH_REFUSED', 'no'),
      'rejected',
      'unreachable',
      /refused the stream/,
    ],
    ['broken bytes', new ParseError('bad chunk', 7), 'protocol', 'unreachable', /at byte 7/],
    [
      'silence',
      new SilenceError('no-data', 'no picture for 5 s'),
      'no-data',
      'stalled',
      /no picture/,
    ],
    [
      'no keyframe',
      new SilenceError('no-keyframe', 'no keyframe for 10 s'),
      'no-keyframe',
      'stalled',
      /no keyframe/,
    ],
    ['a clean end', undefined, 'ended', 'unreachable', /ended the stream/],
  ];

test('a message that asks something is followed by no full stop', () => {
  const asking = new ProtocolError('RTMP_CLOSED', 'it hung up; is this an RTMP port?');
  assert.match(explain(asking, 'The master', 'master').reason, /port\? Trying again\.$/);
  const stating = new ParseError('bad chunk');
  assert.match(explain(stating, 'The master', 'master').reason, /bad chunk\. Trying again\.$/);
});

for (const [name, error, code, state, words] of cases) {
  test(`cause: ${name}`, () => {
    const cause = explain(error, 'The camera 10.0.0.20:554', 'camera');
    assert.equal(cause.code, code);
    assert.equal(streamStateOf(cause.code), state);
    assert.match(cause.reason, words);
  });
}

test('what a device said does not steer the terminal', () => {
  const error = new ProtocolError(
    'RTSP_STATUS',
    'DESCRIBE was answered with 500 \x1b[31mNo\x07',
    500,
  );
  assert.doesNotMatch(explain(error, 'The camera', 'camera').reason, /\p{Cc}/u);
});
