import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseTargetUri,
  splitStreamName,
  targetName,
} from '../../../gateway/proxypublish/target-url.ts';

const cases = [
  {
    uri: 'rtmp://master.example/live',
    want: {
      scheme: 'rtmp',
      host: 'master.example',
      port: 1935,
      app: 'live',
      tcUrl: 'rtmp://master.example/live',
    },
  },
  {
    uri: 'RTMPS://master.example/live/instance?token=a/b',
    want: {
      scheme: 'rtmps',
      host: 'master.example',
      port: 443,
      app: 'live/instance?token=a/b',
      tcUrl: 'rtmps://master.example/live/instance?token=a/b',
    },
  },
  {
    uri: 'rtmp://[2001:db8::1]:19350/live/',
    want: {
      scheme: 'rtmp',
      host: '2001:db8::1',
      port: 19_350,
      app: 'live',
      tcUrl: 'rtmp://[2001:db8::1]:19350/live',
    },
  },
  {
    uri: 'rtmp://master.example',
    want: {
      scheme: 'rtmp',
      host: 'master.example',
      port: 1935,
      app: '',
      tcUrl: 'rtmp://master.example/',
    },
  },
  ...(['rtmpe', 'rtmpt', 'rtmpte', 'rtmpts'] as const).map((scheme) => ({
    uri: `${scheme}://master.example/live`,
    want: {
      scheme,
      host: 'master.example',
      port: { rtmpe: 1935, rtmpt: 80, rtmpte: 80, rtmpts: 443 }[scheme],
      app: 'live',
      tcUrl: `${scheme}://master.example/live`,
    },
  })),
] as const;

for (const { uri, want } of cases) {
  test(`reads ${uri}`, () => {
    assert.deepEqual(parseTargetUri(uri), { ...want, credentials: undefined });
  });
}

const logins = [
  ['cam:secret', 'cam', 'secret'],
  ['cam:p%40ss%3Aword', 'cam', 'p@ss:word'],
  ['cam:p@ss:w#rd?[!^,', 'cam', 'p@ss:w#rd?[!^,'],
  ['cam:a@b:c#d/e?f', 'cam', 'a@b:c#d/e?f'],
  ['cam:100%', 'cam', '100%'],
  ['cam', 'cam', ''],
] as const;

for (const [userInfo, username, password] of logins) {
  test(`user and password of ${userInfo}@`, () => {
    const target = parseTargetUri(`rtmp://${userInfo}@master.example:1936/live`);
    assert.deepEqual(target.credentials, { username, password });
    assert.equal(target.host, 'master.example');
    assert.equal(target.tcUrl, 'rtmp://master.example:1936/live');
  });
}

for (const uri of [
  'http://x/live',
  'rtmp:/x',
  'rtmp://',
  'rtmp://:1935/live',
  'rtmp://x:0/live',
  'rtmp://x:65536/live',
  'rtmp://a b:c/live',
  '',
]) {
  test(`refuses "${uri}" without repeating it`, () => {
    assert.throws(() => parseTargetUri(uri), /^Error: a (target|port)/);
  });
}

test('the stream name is cut off where a URL has it', () => {
  assert.deepEqual(splitStreamName('rtmp://u:p@host/live/cam'), {
    targetUri: 'rtmp://u:p@host/live',
    targetStreamName: 'cam',
  });
  assert.deepEqual(splitStreamName('rtmp://host/live/inst/cam?key=a/b'), {
    targetUri: 'rtmp://host/live/inst',
    targetStreamName: 'cam?key=a/b',
  });
  assert.deepEqual(splitStreamName('rtmp://u:a/b?c@host/live/cam?key=a/b'), {
    targetUri: 'rtmp://u:a/b?c@host/live',
    targetStreamName: 'cam?key=a/b',
  });
  for (const url of [
    'rtmp://host',
    'rtmp://u:a/b@host/live',
    'rtmp://host/live',
    'rtmp://host/live/',
  ]) {
    assert.throws(() => splitStreamName(url), /application\/stream-name/);
  }
});

test('the name of a target holds no token', () => {
  assert.equal(
    targetName('rtmp://user:pass@master.example/live/x?token=abc'),
    'master-example-live-x',
  );
  assert.equal(targetName('rtmp://10.0.0.1'), '10-0-0-1');
});
