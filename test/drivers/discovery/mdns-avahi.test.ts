/** The child process and its protocol, with a stand-in for the npm package `mdns`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { DeviceRegistry } from '../../../drivers/discovery/device-registry.ts';
import { Discovery } from '../../../drivers/discovery/discovery.ts';
import { AvahiBrowser, SETUP_MDNS_HINT } from '../../../drivers/discovery/mdns-avahi.ts';

const STAND_IN = `
  const { EventEmitter } = require('node:events');
  exports.rst = { DNSServiceResolve: () => 'resolve', getaddrinfo: () => process.abort() };
  exports.makeServiceType = (name, protocol) => name + '.' + protocol;
  exports.createBrowser = (type, { resolverSequence }) => {
    if (resolverSequence.join() !== 'resolve') process.abort();
    const browser = new EventEmitter();
    browser.start = () => { if (type === 'rtsp.tcp') script(browser); };
    return browser;
  };
`;
const SERVICE = `{ name: 'Yard Cam', host: 'localhost.', port: 554, txtRecord: { Path: '/main' } }`;

function standIn(t: TestContext, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mdns-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'mdns.cjs');
  writeFileSync(path, `${STAND_IN}\nfunction script(browser) { ${script} }`);
  return path;
}

function start(t: TestContext, script: string) {
  const registry = new DeviceRegistry({ now: Date.now, elapsedMs: () => performance.now() });
  const browser = new AvahiBrowser(
    { packagePath: standIn(t, script), intervalMs: 60_000, listInterfaces: () => [] },
    registry,
    pino({ level: 'silent' }),
  );
  const stop = new AbortController();
  const done = browser.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
  });
  return { registry, browser, done, stop };
}

const within = () => ({ signal: AbortSignal.timeout(8000) });

test('services come and go', async (t) => {
  const { registry } = start(
    t,
    `browser.emit('serviceUp', ${SERVICE}); setTimeout(() => browser.emit('serviceDown', { name: 'Yard Cam' }), 500);`,
  );
  const [device] = await once(registry, 'found', within());
  assert.deepEqual(device.rtspUrls, ['rtsp://127.0.0.1:554/main']);
  assert.deepEqual(device.via, ['mdns']);
  assert.equal((await once(registry, 'gone', within()))[0].id, device.id);
});

test('whatever ends the child is a reason, never an exception; its services are lost where nobody else knows them', async (t) => {
  const cases = [
    {
      script: `browser.emit('error', new Error('dns service error: unknown'));`,
      reason: /dns service error/,
    },
    { script: `throw new Error('boom');`, reason: /boom/ },
    { script: `setImmediate(() => { throw new Error('later'); });`, reason: /later/ },
    { script: 'process.abort();', reason: /exited/ },
  ];
  for (const { script, reason } of cases) assert.match(await start(t, script).done, reason);
  const { registry, browser, done } = start(
    t,
    `browser.emit('serviceUp', ${SERVICE}); setTimeout(() => process.abort(), 500);`,
  );
  await once(registry, 'found', within());
  await done;
  assert.equal(registry.devices[0]?.gone, false);
  browser.forget((key) => key !== ' yard cam._rtsp._tcp.local');
  assert.equal(registry.devices[0]?.gone, true);
});

test('odd lines and odd services are passed over', async (t) => {
  const { registry } = start(
    t,
    `process.stdout.write('not json\\n[]\\nnull\\n{"up":1}\\n' + '{"up":"' + 'x'.repeat(20000) + '"}\\n');
     browser.emit('serviceUp', { name: 'no port', host: 'localhost.' });
     browser.emit('serviceUp', { name: 'odd port', host: 'localhost.', port: 99999 });
     browser.emit('serviceUp', ${SERVICE});`,
  );
  const [device] = await once(registry, 'found', within());
  assert.equal(device.name, 'Yard Cam');
});

test('ends at once when told', async (t) => {
  const { done, stop } = start(t, '');
  stop.abort();
  await done;
});

test('asked for but not installed: one line that says what to do, and our own browser serves', async () => {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const options = { onvif: false, mdns: true, intervalMs: 60_000, interfaces: [] };
  const network = { findMdnsPackage: () => undefined, listInterfaces: () => [] };
  for (const mdnsBackend of ['js', 'auto', 'avahi'] as const) {
    const discovery = new Discovery({ ...options, mdnsBackend }, { log, now: Date.now }, network);
    await discovery.run(AbortSignal.timeout(20));
  }
  assert.deepEqual(
    lines.map((line) => line.msg),
    [SETUP_MDNS_HINT],
  );
});

test('the Avahi backend ends: our own browser takes over, said once', async (t) => {
  const lines: { msg: string; reason: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const path = standIn(t, `browser.emit('error', new Error('daemon not running'));`);
  const discovery = new Discovery(
    { onvif: false, mdns: true, mdnsBackend: 'auto', intervalMs: 60_000, interfaces: [] },
    { log, now: Date.now },
    { findMdnsPackage: () => path, listInterfaces: () => [] },
  );
  await discovery.run(AbortSignal.timeout(1500));
  assert.deepEqual(
    lines.map((line) => line.reason),
    ['daemon not running'],
  );
});
