/** Real packets over the loopback interface, on a port of their own. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import createMulticastDns from 'multicast-dns';
import { pino } from 'pino';
import {
  DeviceRegistry,
  type DiscoveredDevice,
} from '../../../drivers/discovery/device-registry.ts';
import type { LocalInterface } from '../../../drivers/discovery/interfaces.ts';
import { MdnsBrowser } from '../../../drivers/discovery/mdns-js.ts';
import { until } from '../../support/until.ts';

const LOOPBACK: LocalInterface = { name: 'lo', family: 'IPv4', address: '127.0.0.1', key: 'lo' };
const log = pino({ level: 'silent' });
const WAIT_MS = 5000;

async function told(registry: DeviceRegistry, event: 'found' | 'gone'): Promise<DiscoveredDevice> {
  try {
    const [device] = await once(registry, event, { signal: AbortSignal.timeout(WAIT_MS) });
    return device;
  } catch (cause) {
    throw new Error(`no device was ${event} within ${WAIT_MS} ms`, { cause });
  }
}

type Responder = ReturnType<typeof createMulticastDns> & {
  respond(answer: object): void;
  on(
    event: 'query',
    listener: (query: { questions: { name: string; type: string }[] }) => void,
  ): void;
};

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

const INSTANCE = 'AXIS P1448-LE - ACCC8E000003._axis-video._tcp.local';
const PTR = { name: '_axis-video._tcp.local', type: 'PTR', ttl: 4500, data: INSTANCE };
const DETAILS = [
  { name: INSTANCE, type: 'SRV', ttl: 120, data: { target: 'axis-accc8e000003.local', port: 80 } },
  { name: INSTANCE, type: 'TXT', ttl: 4500, data: ['macaddress=ACCC8E000003'] },
  { name: 'axis-accc8e000003.local', type: 'A', ttl: 120, data: '10.0.0.90' },
  { name: 'axis-accc8e000003.local', type: 'AAAA', ttl: 120, data: 'fe80::aecc:8eff:fe00:3' },
];

async function setUp(
  t: TestContext,
  answer: (question: { name: string; type: string }) => object | undefined,
) {
  const port = await freePort();
  const responder = createMulticastDns({
    port,
    interface: '127.0.0.1',
    bind: '0.0.0.0',
  }) as Responder;
  await once(responder, 'ready');
  responder.on('query', ({ questions }) => {
    for (const question of questions) {
      const reply = answer(question);
      if (reply !== undefined) responder.respond(reply);
    }
  });
  const registry = new DeviceRegistry({ now: Date.now, elapsedMs: () => performance.now() });
  const browser = new MdnsBrowser(
    { intervalMs: 60_000, port, listInterfaces: () => [LOOPBACK] },
    registry,
    log,
  );
  const stop = new AbortController();
  const done = browser.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
    responder.destroy();
  });
  return { registry, browser, responder, port };
}

test('a camera that answers with everything at once', async (t) => {
  const { registry, responder } = await setUp(t, ({ name }) =>
    name === PTR.name ? { answers: [PTR], additionals: DETAILS } : undefined,
  );
  const device = await told(registry, 'found');
  assert.equal(device.id, 'accc8e000003');
  assert.deepEqual(device.via, ['mdns']);
  assert.deepEqual(device.addresses, ['10.0.0.90']);
  assert.equal(device.manufacturer, 'AXIS');
  assert.equal(device.model, 'P1448-LE');
  assert.deepEqual(device.xaddrs, ['http://10.0.0.90:80/onvif/device_service']);
  assert.deepEqual(device.rtspUrls, ['rtsp://10.0.0.90:554/axis-media/media.amp']);

  const gone = told(registry, 'gone');
  responder.respond({ answers: [{ ...PTR, ttl: 0 }] });
  assert.equal((await gone).id, 'accc8e000003');
});

test('a camera that answers each question with one record', async (t) => {
  const records = [PTR, ...DETAILS];
  const { registry } = await setUp(t, ({ name, type }) => {
    const record = records.find((each) => each.name === name && each.type === type);
    return record === undefined ? undefined : { answers: [record] };
  });
  const device = await told(registry, 'found');
  assert.equal(device.id, 'accc8e000003');
});

test('an RTSP service: its path becomes part of the URL', async (t) => {
  const instance = 'Encoder 7._rtsp._tcp.local';
  const { registry } = await setUp(t, ({ name }) =>
    name === '_rtsp._tcp.local'
      ? {
          answers: [
            { name: '_rtsp._tcp.local', type: 'PTR', ttl: 10, data: instance },
            { name: instance, type: 'SRV', ttl: 10, data: { target: 'enc7.local', port: 8554 } },
            { name: instance, type: 'TXT', ttl: 10, data: ['path=stream 1?x=y'] },
            { name: 'enc7.local', type: 'A', ttl: 10, data: '10.0.0.7' },
          ],
        }
      : undefined,
  );
  const device = await told(registry, 'found');
  assert.deepEqual(device.rtspUrls, ['rtsp://10.0.0.7:8554/stream%201?x=y']);
  assert.equal(device.id, 'enc7');
});

test('junk on the port is counted', async (t) => {
  const { browser, port } = await setUp(t, () => undefined);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const send = setInterval(() => {
    socket.send(new Uint8Array(40).fill(0xff), port, '127.0.0.1');
    socket.send('\0', port, '127.0.0.1');
  }, 20);
  t.after(() => clearInterval(send));
  await until(() => browser.stats.junk >= 2);
});

test('where the port is held by somebody alone, it asks from one of its own', async (t) => {
  const holder = createSocket('udp4');
  holder.bind(0, '0.0.0.0');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const registry = new DeviceRegistry({ now: Date.now, elapsedMs: () => performance.now() });
  const { port } = holder.address();
  const browser = new MdnsBrowser(
    { intervalMs: 60_000, port, listInterfaces: () => [LOOPBACK] },
    registry,
    log,
  );
  const stop = new AbortController();
  const done = browser.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
  });
  holder.addMembership('224.0.0.251', '127.0.0.1');
  browser.probeNow();
  const [query] = await once(holder, 'message', { signal: AbortSignal.timeout(9000) });
  assert.ok((query as Buffer).includes('_axis-video'));
});

test('instance names that no DNS packet can hold are not asked for', async (t) => {
  const asked: string[] = [];
  const { registry, responder } = await setUp(t, ({ name }) => {
    asked.push(name);
    return name === PTR.name ? { answers: [PTR], additionals: DETAILS } : undefined;
  });
  const odd = ['é'.repeat(60), 'a..b', '\0'].map((label) => `${label}._rtsp._tcp.local`);
  responder.respond({
    answers: odd.map((data) => ({ name: '_rtsp._tcp.local', type: 'PTR', ttl: 10, data })),
  });
  await told(registry, 'found');
  await until(() => asked.filter((name) => name === PTR.name).length >= 2);
  assert.ok(!asked.some((name) => name.startsWith('é')));
});

/** Found by attack: five packets of 64 KB in a second, each 0.1 s and more to decode, stopped all streams. */
test('what is no answer, or too large for one, is not decoded; a flood leaves time for the rest', async (t) => {
  const { port, browser, registry } = await setUp(t, () => undefined);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const header = (flags: number, answers: number) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16BE(flags, 2);
    bytes.writeUInt16BE(answers, 6);
    return bytes;
  };
  const label = Buffer.from([1, 0x61]);
  const name = Buffer.concat([...Array.from({ length: 120 }, () => label), Buffer.of(0)]);
  const rest = Buffer.of(0, 10, 0, 1, 0, 0, 0, 9, 0, 0);
  const first = Buffer.concat([name, rest]);
  const flood = (records: number, flags = 0x8400) => {
    const again = Buffer.concat([Buffer.of(0xc0, 12), rest]);
    const all = Array.from({ length: records - 1 }, () => again);
    return Buffer.concat([header(flags, records), first, ...all]);
  };
  const say = (bytes: Buffer) =>
    new Promise((resolve) => {
      socket.send(bytes, port, '127.0.0.1', resolve);
    });
  await say(flood(5000));
  await say(flood(2, 0));
  await say(header(0x8400, 0));
  await until(() => browser.stats.packets === 1);
  for (let i = 0; i < 200; i += 1) await say(flood(700));
  const beganMs = performance.now();
  await until(() => browser.stats.packets > 1);
  assert.ok(performance.now() - beganMs < 2000);
  assert.ok(browser.stats.packets < 100, `${browser.stats.packets} decoded`);
  assert.deepEqual(registry.devices, []);
});
