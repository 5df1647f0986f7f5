import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { baseUrl, joinControl } from '../../../protocols/rtsp/control-url.ts';

const LIVE = 'rtsp://10.0.0.2:554/live';

describe('joinControl', () => {
  const cases: [string, string, string | undefined, string][] = [
    ['no control', LIVE, undefined, LIVE],
    ['an empty control', LIVE, ' ', LIVE],
    ['a star', LIVE, '*', LIVE],
    ['a star, and a base with a slash', `${LIVE}/`, '*', `${LIVE}/`],
    ['a base without a slash', LIVE, 'trackID=1', `${LIVE}/trackID=1`],
    ['a base with a slash', `${LIVE}/`, 'trackID=1', `${LIVE}/trackID=1`],
    ['a control with a slash', LIVE, '/trackID=1', `${LIVE}/trackID=1`],
    ['both with a slash', `${LIVE}/`, '/trackID=1', `${LIVE}/trackID=1`],
    ['a base without a path', 'rtsp://cam', 'trackID=1', 'rtsp://cam/trackID=1'],
    ['a control of two segments', LIVE, 'a/b', `${LIVE}/a/b`],
    ['a control that repeats the path', LIVE, '/live/trackID=1', `${LIVE}/trackID=1`],
    [
      'a control from the root, below a base that is the root (Verint Nextiva, go2rtc#1236)',
      'rtsp://10.0.0.2/',
      '/media/1/video/1',
      'rtsp://10.0.0.2/media/1/video/1',
    ],
    ['a control that is the path', LIVE, '/live', LIVE],
    ['the path with a query (html5_rtsp_player#37)', LIVE, '/live?track=1', `${LIVE}?track=1`],
    ['the path, below a base with a query', `${LIVE}?a=1`, '/live/track1', `${LIVE}/track1`],
    [
      'a query that ends in a slash (Vivotek, RtspClientSharp#110)',
      'rtsp://10.0.0.2/media2/stream.sdp?profile=Profile381b/',
      'trackID=2',
      'rtsp://10.0.0.2/media2/stream.sdp?profile=Profile381b/trackID=2',
    ],
    ['a control that is a query', LIVE, '?track=1', `${LIVE}?track=1`],
    ['a query', `${LIVE}?channel=1`, 'trackID=1', `${LIVE}?channel=1/trackID=1`],
    ['a query with a slash', `${LIVE}?channel=1/`, 'trackID=1', `${LIVE}?channel=1/trackID=1`],
    ['a control with a colon', LIVE, 'track:1', `${LIVE}/track:1`],
    ['a blank inside', LIVE, 'track 1', `${LIVE}/track%201`],
    ['a base with credentials', 'rtsp://u:p@cam/x', 'a', 'rtsp://cam/x/a'],
    ['absolute', LIVE, 'rtsp://10.0.0.3/other/1', 'rtsp://10.0.0.3/other/1'],
    ['absolute, upper case', LIVE, 'RTSP://10.0.0.3/1', 'rtsp://10.0.0.3/1'],
    ['absolute with credentials', LIVE, 'rtsp://u:p@10.0.0.2/1', 'rtsp://10.0.0.2/1'],
    ['absolute at 0.0.0.0', LIVE, 'rtsp://0.0.0.0/live/1', `${LIVE}/1`],
    ['absolute at 127.0.0.1', LIVE, 'rtsp://127.0.0.1:8554/live/1', `${LIVE}/1`],
    ['absolute at localhost', LIVE, 'rtsp://LOCALHOST/live/1', `${LIVE}/1`],
    ['absolute at [::]', LIVE, 'rtsp://[::]:554/live/1', `${LIVE}/1`],
    ['absolute without a host', LIVE, 'rtsp:///live/1', `${LIVE}/1`],
    [
      'localhost when we asked there',
      'rtsp://127.0.0.1/x',
      'rtsp://localhost:9/1',
      'rtsp://localhost:9/1',
    ],
    ['doubled scheme', LIVE, 'rtsp://rtsp://10.0.0.2/live/1', 'rtsp://10.0.0.2/live/1'],
    ['our host without the scheme', LIVE, '10.0.0.2:554/live/1', `${LIVE}/1`],
    [
      'IPv6 without brackets',
      'rtsp://[fe80::1]:554/x',
      'rtsp://fe80::1:554/x/1',
      'rtsp://[fe80::1]:554/x/1',
    ],
    ['a base without a host', 'rtsp://rtsp://', 'u:p@x', 'rtsp://x'],
    ['a base that is no URL', 'live', 'trackID=1', 'live/trackID=1'],
  ];
  for (const [name, base, control, want] of cases) {
    it(name, () => assert.equal(joinControl(base, control), want));
  }
});

describe('baseUrl', () => {
  const v6 = 'rtsp://[fe80::1]:554/x';
  const cases: [string, string, string | undefined, string | undefined, string][] = [
    ['no headers', LIVE, undefined, undefined, LIVE],
    ['empty headers', LIVE, '', ' ', LIVE],
    ['Content-Base', LIVE, 'rtsp://10.0.0.2/b/', undefined, 'rtsp://10.0.0.2/b/'],
    ['Content-Location', LIVE, undefined, 'rtsp://10.0.0.2/c', 'rtsp://10.0.0.2/c'],
    ['both', LIVE, 'rtsp://10.0.0.2/b/', 'rtsp://10.0.0.2/c', 'rtsp://10.0.0.2/b/'],
    ['a request with credentials', 'rtsp://u:p@cam/x', undefined, undefined, 'rtsp://cam/x'],
    ['a base with credentials', LIVE, 'rtsp://u:p@10.0.0.2/x/', undefined, 'rtsp://10.0.0.2/x/'],
    ['no scheme', LIVE, '10.0.0.2:554/x/', undefined, 'rtsp://10.0.0.2:554/x/'],
    ['no scheme, another address', LIVE, '192.168.1.9/x/', undefined, 'rtsp://192.168.1.9/x/'],
    ['no scheme, by name', 'rtsp://cam:554/x', 'Cam/x/', undefined, 'rtsp://Cam/x/'],
    ['no scheme, at 0.0.0.0', LIVE, '0.0.0.0:8554/x/', undefined, 'rtsp://10.0.0.2:554/x/'],
    [
      'rtsps without the scheme',
      'rtsps://10.0.0.2/x',
      '10.0.0.2/x/',
      undefined,
      'rtsps://10.0.0.2/x/',
    ],
    ['doubled scheme', LIVE, 'rtsp://rtsp://10.0.0.2/x/', undefined, 'rtsp://10.0.0.2/x/'],
    ['no host', LIVE, 'rtsp:///x/', undefined, 'rtsp://10.0.0.2:554/x/'],
    ['localhost', LIVE, 'rtsp://localhost/x/', undefined, 'rtsp://10.0.0.2:554/x/'],
    ['from the root', LIVE, '/x/', undefined, 'rtsp://10.0.0.2:554/x/'],
    ['a bare name', LIVE, 'live.sdp', undefined, LIVE],
    ['another scheme', LIVE, 'http://10.0.0.2/x/', undefined, LIVE],
    ['an unusable Content-Base', LIVE, 'x', 'rtsp://10.0.0.2/c', 'rtsp://10.0.0.2/c'],
    ['IPv6 without brackets', v6, 'rtsp://fe80::1/x/', undefined, 'rtsp://[fe80::1]/x/'],
    [
      'IPv6 and port without brackets',
      v6,
      'rtsp://fe80::1:554/x/',
      undefined,
      'rtsp://[fe80::1]:554/x/',
    ],
    [
      'IPv6 without scheme and brackets',
      v6,
      'fe80::1:554/x/',
      undefined,
      'rtsp://[fe80::1]:554/x/',
    ],
    [
      'eight groups and a port without brackets',
      LIVE,
      'rtsp://1:2:3:4:5:6:7:8:554/x/',
      undefined,
      'rtsp://[1:2:3:4:5:6:7:8]:554/x/',
    ],
    [
      'doubled scheme (go2rtc#208, #830)',
      'rtsp://10.1.8.83:554/stream0',
      'rtsp://rtsp://10.1.8.83:554/stream0/',
      undefined,
      'rtsp://10.1.8.83:554/stream0/',
    ],
    [
      'no scheme and no path (go2rtc#1852, frigate#7717)',
      'rtsp://192.168.253.220:1935/live/cam',
      '192.168.253.220:1935/',
      undefined,
      'rtsp://192.168.253.220:1935/',
    ],
    [
      'an IPv4 address as IPv6, without brackets (D-Link DCS-8302LH, WebRTC#395)',
      'rtsp://192.168.1.63:554/onvif/profile.0',
      'rtsp://::ffff:192.168.1.63/onvif/profile.0/',
      undefined,
      'rtsp://[::ffff:192.168.1.63]/onvif/profile.0/',
    ],
    [
      'a query that ends in a slash (Dahua, gortsplib#121)',
      'rtsp://10.0.0.2/cam/realmonitor?channel=1&subtype=0',
      'rtsp://10.0.0.2/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif/',
      undefined,
      'rtsp://10.0.0.2/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif/',
    ],
    ['a line break', LIVE, 'rtsp://10.0.0.2/x\r\ny', undefined, 'rtsp://10.0.0.2/x%0D%0Ay'],
  ];
  for (const [name, request, contentBase, contentLocation, want] of cases) {
    it(name, () => assert.equal(baseUrl(request, contentBase, contentLocation), want));
  }
});

describe('any text', () => {
  it('gives a URL of one word and without user-info', () => {
    const text = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('rtsp://', 'u:p@', '10.0.0.2', '::1', '[', ']', ':', '/', '?', '*', '\r\n'),
      ),
    );
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const base = baseUrl(LIVE, a.join(''), b.join(''));
        for (const url of [base, joinControl(base, c.join(''))]) {
          assert.match(url, /^rtsps?:\/\/[^/?#@]*([/?#]|$)/);
          assert.doesNotMatch(url, /[\s\p{Cc}]/u);
        }
        joinControl(a.join(''), c.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
