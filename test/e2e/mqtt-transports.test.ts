/** Each way to a real Mosquitto: TLS by authority and by fingerprint, with a certificate of our own, WebSocket; and each refusal. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { GATEWAY_ID, makeReporting, streamStatus } from '../support/reporting.ts';

const LOGIN = { username: 'gw', password: 'right-Pa55' };
const B = (base: string) => `${base}/${GATEWAY_ID}`;

describe('ways to Mosquitto', () => {
  let broker: Mosquitto;
  let watcher: MqttWatcher;
  let server: TestCertificate;
  let folder: string;
  const ports = { tls: 0, mutual: 0, ws: 0, wss: 0 };
  const file = (name: string) => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-mqtt-tls-'));
    const [own, stranger] = await Promise.all([
      makeCertificate('DNS:gateway'),
      makeCertificate('DNS:gateway'),
    ]);
    server = await makeCertificate('DNS:localhost');
    const files = {
      'ca.pem': server.ca,
      'own.pem': own.cert,
      'own.key': own.key,
      'stranger.pem': stranger.cert,
      'stranger.key': stranger.key,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
    for (const way of ['tls', 'mutual', 'ws', 'wss'] as const) ports[way] = await freePort();
    broker = await Mosquitto.start({
      logins: [LOGIN],
      files: { 'server.pem': server.cert, 'server.key': server.key, 'clients.pem': own.ca },
      lines: (at) => {
        const tls = [`certfile ${at}/server.pem`, `keyfile ${at}/server.key`];
        return [
          ...[`listener ${ports.tls} 127.0.0.1`, ...tls],
          ...[`listener ${ports.mutual} 127.0.0.1`, ...tls, `cafile ${at}/clients.pem`],
          ...['require_certificate true', 'use_identity_as_username true'],
          ...[`listener ${ports.ws} 127.0.0.1`, 'protocol websockets'],
          ...[`listener ${ports.wss} 127.0.0.1`, 'protocol websockets', ...tls],
        ];
      },
    });
    watcher = await MqttWatcher.open(broker.url, 5, LOGIN);
  });

  after(async () => {
    await watcher.close();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const good: readonly (readonly [string, () => Record<string, unknown>])[] = [
    ['tls', () => ({ url: `mqtts://localhost:${ports.tls}`, caFile: file('ca.pem'), ...LOGIN })],
    [
      'pinned',
      () => ({
        url: `mqtts://127.0.0.1:${ports.tls}`,
        fingerprint: server.fingerprint,
        ...LOGIN,
      }),
    ],
    [
      'mutual',
      () => ({
        url: `mqtts://localhost:${ports.mutual}`,
        caFile: file('ca.pem'),
        certFile: file('own.pem'),
        keyFile: file('own.key'),
      }),
    ],
    ['ws', () => ({ url: `ws://127.0.0.1:${ports.ws}/mqtt`, ...LOGIN })],
    ['wss', () => ({ url: `wss://localhost:${ports.wss}`, caFile: file('ca.pem'), ...LOGIN })],
    [
      'url-login',
      () => ({ url: broker.url.replace('//', `//${LOGIN.username}:${LOGIN.password}@`) }),
    ],
  ];
  for (const [way, config] of good) {
    it(`${way}: state arrives, a command is answered, stopped at the end`, async () => {
      const base = `way-${way}`;
      const { board, reporter } = makeReporting({ ...config(), baseTopic: base });
      for (let n = 0; n < 50; n += 1) board.setStreamStatus(`s-${n}`, streamStatus());
      await reporter.start();
      await watcher.untilState(`${B(base)}/stream/s-49/status`);
      await watcher.until('the subscription', () =>
        broker.output.includes(`${B(base)}/cmd/#`) ? true : undefined,
      );
      await watcher.publish(`${B(base)}/cmd/stream/restart`, '{"name":"s-1","id":1}');
      await watcher.untilState(`${B(base)}/res/stream/restart`);
      await reporter.stop();
      await watcher.untilState(`${B(base)}/state`, 'stopped');
    });
  }

  const bad: readonly (readonly [string, string, RegExp, () => Record<string, unknown>])[] = [
    [
      'an authority that is not known',
      'tls',
      /certificate or TLS is not accepted.*caFile or fingerprint/,
      () => ({ url: `mqtts://localhost:${ports.tls}`, ...LOGIN }),
    ],
    [
      'another fingerprint',
      'tls',
      /the certificate has the SHA-256 fingerprint/,
      () => ({ url: `wss://localhost:${ports.wss}`, fingerprint: 'ab'.repeat(32), ...LOGIN }),
    ],
    [
      'a certificate of another name',
      'tls',
      /certificate or TLS is not accepted/,
      () => ({ url: `mqtts://127.0.0.1:${ports.tls}`, caFile: file('ca.pem'), ...LOGIN }),
    ],
    [
      'no certificate of our own',
      'tls',
      /wants a certificate of this gateway.*mqtt\.certFile/,
      () => ({ url: `mqtts://localhost:${ports.mutual}`, caFile: file('ca.pem') }),
    ],
    [
      'a certificate of our own that the broker does not know',
      'tls',
      /wants a certificate of this gateway.*mqtt\.certFile/,
      () => ({
        ...{ url: `mqtts://localhost:${ports.mutual}`, caFile: file('ca.pem') },
        ...{ certFile: file('stranger.pem'), keyFile: file('stranger.key') },
      }),
    ],
    [
      'a wrong password over WebSocket',
      'auth',
      /refused the login. Check mqtt.username and mqtt.password/,
      () => ({ url: `ws://127.0.0.1:${ports.ws}`, username: 'gw', password: 'wrong-Pa55' }),
    ],
  ];
  for (const [what, code, reason, config] of bad) {
    it(`${what}: a plain reason, and nothing told`, async () => {
      const base = `bad-${what.replaceAll(' ', '-')}`;
      const { reporter, lines } = makeReporting({ ...config(), baseTopic: base });
      await reporter.start();
      const line = await watcher.until('a warning', () => lines.find(({ level }) => level === 40));
      assert.equal(line['code'], code);
      assert.match(String(line['msg']), reason);
      assert.doesNotMatch(JSON.stringify(lines), /Pa55/);
      await reporter.stop();
      assert.ok(!watcher.heard.some(({ topic }) => topic.startsWith(base)));
    });
  }
});
