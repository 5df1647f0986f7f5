import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParseError } from '../../../codecs/errors.ts';
import { parsePlayUrl } from '../../../protocols/rtmp/play-url.ts';

const cases: [string, [string, number, string, string, string, string?, string?]][] = [
  ['rtmp://h/live/cam', ['h', 1935, 'live', 'cam', 'rtmp://h/live']],
  ['RTMPS://h:4443/live/cam', ['h', 4443, 'live', 'cam', 'rtmps://h:4443/live']],
  ['rtmps://h/a/b/cam', ['h', 443, 'a/b', 'cam', 'rtmps://h/a/b']],
  ['rtmpe://h/live/cam', ['h', 1935, 'live', 'cam', 'rtmpe://h/live']],
  ['rtmpt://h/live/cam', ['h', 80, 'live', 'cam', 'rtmpt://h/live']],
  ['rtmpte://h/live/cam', ['h', 80, 'live', 'cam', 'rtmpte://h/live']],
  ['rtmpts://h/live/cam', ['h', 443, 'live', 'cam', 'rtmpts://h/live']],
  ['rtmp://[::1]:19350/live/x', ['::1', 19350, 'live', 'x', 'rtmp://[::1]:19350/live']],
  [
    // Reolink, as go2rtc and Frigate document it.
    'rtmp://10.0.0.2/bcs/channel0_main.bcs?channel=0&stream=0&user=admin&password=a/b',
    [
      ...['10.0.0.2', 1935, 'bcs'],
      ...['channel0_main.bcs?channel=0&stream=0&user=admin&password=a/b', 'rtmp://10.0.0.2/bcs'],
    ] as [string, number, string, string, string],
  ],
  ['rtmp://u:p@ss@h/live/cam', ['h', 1935, 'live', 'cam', 'rtmp://h/live', 'u', 'p@ss']],
];
for (const [text, [host, port, app, streamName, tcUrl, username, password = '']] of cases) {
  test(`reads ${text}`, () => {
    const url = parsePlayUrl(text);
    assert.deepEqual(
      [url.host, url.port, url.app, url.streamName, url.tcUrl],
      [host, port, app, streamName, tcUrl],
    );
    const credentials = username === undefined ? undefined : { username, password };
    assert.deepEqual(url.credentials, credentials);
  });
}

for (const text of [
  'rtmp://h',
  'rtmp://h/',
  'rtmp://h/secret',
  'rtmp://h/live/',
  'http://h/a/b',
  'rtmpse://h/a/b',
  '',
]) {
  test(`refuses "${text}" without repeating it`, () => {
    assert.throws(
      () => parsePlayUrl(text),
      (error) => error instanceof ParseError && !error.message.includes('secret'),
    );
  });
}
