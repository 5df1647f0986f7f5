/** The verb `discover`, with discovery on the loopback interface. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Discovery } from '../../drivers/discovery/discovery.ts';
import { discoverNow } from '../../gateway/discover-now.ts';

const log = pino({ level: 'silent' });
const stop = new AbortController();

function makeDiscovery(): Discovery {
  return new Discovery(
    { onvif: false, mdns: false, mdnsBackend: 'js', intervalMs: 60_000, interfaces: [] },
    { log, now: Date.now },
  );
}

test('switched off: says so', async () => {
  await assert.rejects(
    discoverNow(undefined, { timeoutMs: 1 }, () => [], stop.signal),
    {
      code: 'disabled',
    },
  );
});

test('without a scan: what is known after so long', async () => {
  const reply = await discoverNow(makeDiscovery(), { timeoutMs: 10 }, () => [], stop.signal);
  assert.deepEqual(reply, { devices: [] });
});

test('with a scan: how far it came; one at a time; ended with the gateway', async () => {
  const discovery = makeDiscovery();
  const ended = new AbortController();
  // Nobody is in this network; packets to it go nowhere.
  const scan = '169.254.255.0/28';
  const first = discoverNow(
    discovery,
    { timeoutMs: 1, scan: '169.254.255.7' },
    () => [],
    stop.signal,
  );
  await assert.rejects(
    discoverNow(discovery, { timeoutMs: 1, scan }, () => [], stop.signal),
    {
      code: 'busy',
    },
  );
  assert.deepEqual(await first, {
    devices: [],
    scan: { network: '169.254.255.7/32', asked: 1, addresses: 1, found: 0, isDone: true },
  });
  setTimeout(() => ended.abort(), 50);
  await assert.rejects(discoverNow(discovery, { timeoutMs: 1, scan }, () => [], ended.signal));
});
