import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../codecs/errors.ts';
import { explain, SilenceError, streamStateOf } from '../../gateway/causes.ts';
import { CAUSE_CODES, type CauseCode } from '../../gateway/report/status.ts';

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
    [
      'too many refused logins',
      new AuthenticationError('refused 3 times; not trying again before noon', true, 4000),
      'auth',
      'unauthorized',
      /refused the login: refused 3 times; not trying again before noon\. Check/,
    ],
    [
      'a login that ONVIF takes and RTSP does not',
      new ProtocolError('RTSP_ONVIF_LOGIN_REFUSED', '401', 401),
      'busy',
      'unreachable',
      /takes the login by ONVIF and refuses it by RTSP: it is out of sessions, or has other users/,
    ],
    [
      'a user without rights',
      new ProtocolError(
        'ONVIF_NOT_AUTHORIZED',
        'the user "v" may not call X: give it the operator role',
      ),
      'not-authorized',
      'unauthorized',
      /takes the login, but the user "v" may not call X: give it the operator role\.$/,
    ],
    [
      'another device at the address',
      new ProtocolError(
        'ONVIF_OTHER_DEVICE',
        'another device answers at 10.0.0.9: serial 1, expected 2',
      ),
      'other-device',
      'unreachable',
      /is not there any more: another device answers at 10\.0\.0\.9.*Waiting for it to be found/,
    ],
    [
      'no address known',
      new ProtocolError('ONVIF_NO_ADDRESS', 'none'),
      'no-address',
      'unreachable',
      /no address of it is known\. Is it switched on/,
    ],
    [
      'a source that moves, and is nowhere',
      new ProtocolError('NO_ADDRESS', 'none'),
      'no-address',
      'unreachable',
      /Looking for it\.$/,
    ],
    [
      'an ONVIF fault',
      new ProtocolError('ONVIF_FAULT', 'GetProfiles: Optional Action Not Implemented', 500),
      'protocol',
      'unreachable',
      /answers ONVIF with an error: GetProfiles: .*Implemented\. If it stays, restart it/,
    ],
    [
      'no ONVIF service at that path',
      new ProtocolError('ONVIF_HTTP', 'HTTP status 404', 404),
      'protocol',
      'unreachable',
      /answers ONVIF with an error: HTTP status 404/,
    ],
    [
      'only profiles that cannot be carried',
      new UnsupportedError('the camera has no h264 profile, only jpeg. Set the encoder'),
      'codec',
      'unsupported',
      /only jpeg\. Set the encoder\.$/,
    ],
    [
      'a certificate that is not valid yet, as after a start without a clock',
      systemError('CERT_NOT_YET_VALID'),
      'clock',
      'unreachable',
      /clock of this box \(NTP\) first/,
    ],
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

test('a held login is not tried before the hold is over', () => {
  const held = new AuthenticationError('refused 3 times', true, 4000);
  assert.equal(explain(held, 'The camera', 'camera').notBeforeMs, 4000);
  assert.equal(explain(new AuthenticationError('401', true), 'X', 'camera').notBeforeMs, undefined);
});

/** Codes that no error leads to, and who tells them. */
const TOLD_BY: Readonly<Partial<Record<CauseCode, string>>> = {
  ok: 'gateway/stream-source.ts',
  starting: 'gateway/stream-source.ts',
  'no-source': 'gateway/proxypublish/publish-link.ts',
  'other-network': 'gateway/adoption/adopted-life.ts',
  undecided: 'gateway/adoption/adoption.ts',
  ignored: 'gateway/adoption/adoption.ts',
};

test('every code of the closed list is told by somebody, and none that is not in it', () => {
  const explained = new Set(
    cases.map(([, error]) => explain(error, 'The camera', 'camera').code as string),
  );
  for (const code of CAUSE_CODES) {
    const file = TOLD_BY[code];
    const isTold = file !== undefined && readFileSync(file, 'utf8').includes(`'${code}'`);
    assert.ok(isTold || explained.has(code), `nothing tells ${code}`);
  }
  for (const code of explained) assert.ok(CAUSE_CODES.includes(code as CauseCode), code);
});

test('README.md has every code with the state it shows as, and no other', () => {
  const readme = readFileSync('gateway/README.md', 'utf8');
  const [, table = ''] = /## Causes\n([\s\S]*?)(?=\n## )/.exec(readme) ?? [];
  const rows = [...table.matchAll(/^\| `([a-z-]+)` \| ([a-z]+) \| .{10,} \| .{4,} \|$/gm)];
  assert.deepEqual(
    rows.map(([, code, state]) => `${code} ${state}`),
    CAUSE_CODES.map((code) => `${code} ${streamStateOf(code)}`),
  );
});

test('what a device said does not steer the terminal', () => {
  const error = new ProtocolError(
    'RTSP_STATUS',
    'DESCRIBE was answered with 500 \x1b[31mNo\x07',
    500,
  );
  assert.doesNotMatch(explain(error, 'The camera', 'camera').reason, /\p{Cc}/u);
});
