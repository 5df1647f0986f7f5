/**
 * Cameras and masters that are none: each costs its own session, is named in plain words and tried
 * again; beside them one stream goes on, bit for bit.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { assertSameUnits } from '../support/compare-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import {
  endlessBody,
  endlessHeader,
  HostilePeer,
  hangUp,
  hugeMessages,
  noise,
  noiseAfterHandshake,
  webServer,
} from '../support/hostile-peer.ts';
import { KeepingMaster } from '../support/keeping-master.ts';
import { until } from '../support/until.ts';

type Case = readonly [name: string, behave: (socket: Socket) => void, code: RegExp, words: RegExp];

const CAMERAS: readonly Case[] = [
  ['web-server', webServer, /^protocol$/, /answers as a web server \(HTTP 400\), not RTSP/],
  ['noise', noise, /^protocol$/, /cannot be understood/],
  ['hang-up', hangUp, /^ended$/, /closed the connection/],
  ['endless-header', endlessHeader, /^protocol$/, /header block longer than/],
  ['endless-body', endlessBody, /^protocol$/, /Content-Length/],
];
const MASTERS: readonly Case[] = [
  ['web-server', webServer, /^protocol$/, /not an RTMP server/],
  ['noise', noise, /^protocol$/, /cannot be understood/],
  ['hang-up', hangUp, /^ended$/, /closed the connection/],
  ['noise-inside', noiseAfterHandshake, /^protocol$/, /cannot be understood/],
  ['huge-messages', hugeMessages, /^protocol$/, /message of 16777215 bytes/],
];
/** The floods of these peers together are several times as much. */
const MAX_RSS_MB = 160;

async function listenAll(cases: readonly Case[]) {
  const listening = cases.map(async ([name, behave, code, words]) => {
    return { name, code, words, peer: await HostilePeer.listen(behave) };
  });
  return await Promise.all(listening);
}

test('hostile cameras and masters cost their own sessions only', async () => {
  await using camera = await startGstCamera({ width: 320, height: 240, bitrate: 512 });
  await using master = await KeepingMaster.listen();
  const cameras = await listenAll(CAMERAS);
  const masters = await listenAll(MASTERS);
  const sources = cameras.map(
    ({ name, peer }) => `  ${name}: { source: "rtsp://127.0.0.1:${peer.port}/cam" }`,
  );
  const targets = masters.map(
    ({ name, peer }) => `    - { targetUri: "rtmp://127.0.0.1:${peer.port}/${name}" }`,
  );
  try {
    await using gateway = await GatewayProcess.start(`
streams:
  good: { source: "${camera.url}" }
${sources.join('\n')}
proxypublish:
  targets:
    - { targetUri: "${master.sink.url('good')}" }
${targets.join('\n')}
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
`);
    for (const { name, peer, ...want } of cameras) {
      const { state, code, reason } = await gateway.until(
        `the cause of camera ${name}`,
        async () => {
          const stream = await gateway.stream(name);
          const isTold = peer.connections >= 2 && (stream?.status.attempts ?? 0) > 0;
          return isTold ? stream?.status : undefined;
        },
      );
      assert.equal(state, 'unreachable', `${name}: ${reason}`);
      assert.match(code, want.code, `${name}: ${reason}`);
      assert.match(reason, want.words);
      assert.ok(reason.startsWith(`The camera ${name} at 127.0.0.1`), reason);
    }
    for (const { name, peer, ...want } of masters) {
      const { state, code, reason } = await gateway.until(
        `the cause of master ${name}`,
        async () => {
          const publish = await gateway.publish('good', `-${name}`);
          const isTold = peer.connections >= 2 && (publish?.status.attempts ?? 0) > 0;
          return isTold ? publish?.status : undefined;
        },
      );
      assert.equal(state, 'waiting', `${name}: ${reason}`);
      assert.match(code, want.code, `${name}: ${reason}`);
      assert.match(reason, want.words);
      assert.ok(reason.startsWith(`The master rtmp://127.0.0.1:${peer.port}/`), reason);
    }
    const count = master.pictures;
    await until(() => master.pictures > count + 25);
    // More come while the dump is read.
    const seen = master.units.slice();
    assertSameUnits(await camera.dump(), seen, { fewest: 100 });
    assert.equal(master.sink.history.length, 1, 'sessions at the good master');
    assert.equal((await gateway.publish('good', '-good'))?.status.droppedUnits, 0);
    const rssMb = await gateway.rssMb();
    assert.ok(rssMb < MAX_RSS_MB, `${rssMb} MB`);
    const { code } = await gateway.stop();
    assert.equal(code, 0);
  } finally {
    await Promise.all([...cameras, ...masters].map(({ peer }) => peer[Symbol.asyncDispose]()));
  }
});
