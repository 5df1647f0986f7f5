import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, withLiveParts } from '../../../gateway/config/difference.ts';
import { parseConfig } from '../../../gateway/config/load.ts';

const config = (yaml: string) => parseConfig(yaml, { file: 's.yaml', folder: '/', env: {} });

const cases: readonly (readonly [
  name: string,
  before: string,
  after: string,
  live: string[],
  restartNeeded: string[],
])[] = [
  ['nothing', 'log: {}', '', [], []],
  [
    'streams more, less and other',
    'streams: { a: { source: "rtsp://h/a" }, b: { source: "rtsp://h/b" }, c: { source: "rtsp://h/c" } }',
    'streams: { b: { source: "rtsp://h/x" }, c: { source: "rtsp://h/c" }, constructor: { source: "rtsp://h/d" } }',
    ['streams.a', 'streams.b', 'streams.constructor'],
    [],
  ],
  [
    'targets, and what is for the start only',
    '',
    'proxypublish: { abortOnConnectError: true, targets: [{ targetUri: "rtmp://m/live" }] }',
    ['proxypublish.targets'],
    ['proxypublish.abortOnConnectError'],
  ],
  ['ask instead of auto', '', 'discovery: { adopt: ask }', ['discovery.adopt'], []],
  ['off instead of auto', '', 'discovery: { adopt: "off" }', [], ['discovery.adopt']],
  [
    'ports and lists',
    '',
    'http: { listen: "127.0.0.1:1", limits: { viewers: 1 } }\nacceptors: [{ protocol: rtmp, listen: "127.0.0.1:2" }]',
    [],
    ['acceptors', 'http.listen', 'http.limits.viewers'],
  ],
];

for (const [name, before, after, live, restartNeeded] of cases) {
  test(name, () => {
    const running = config(before);
    const wanted = config(after);
    const found = difference(running, wanted);
    assert.deepEqual([...found.live].sort(), live);
    assert.deepEqual([...found.restartNeeded].sort(), [...restartNeeded].sort());
    const after2 = difference(withLiveParts(running, wanted), wanted);
    assert.deepEqual(
      [after2.live, [...after2.restartNeeded].sort()],
      [[], [...restartNeeded].sort()],
    );
  });
}
