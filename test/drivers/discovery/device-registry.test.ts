import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DeviceRegistry,
  type DiscoveredDevice,
  MAX_DEVICES,
} from '../../../drivers/discovery/device-registry.ts';
import type { Sighting } from '../../../drivers/discovery/sighting.ts';

function setUp() {
  const clock = { nowMs: 1_000_000 };
  const counted = { doubts: 0 };
  const registry = new DeviceRegistry({
    now: () => clock.nowMs,
    elapsedMs: () => clock.nowMs,
    onDoubt: () => {
      counted.doubts += 1;
    },
  });
  const events: string[] = [];
  registry.on('found', (device) => events.push(`found ${device.id}`));
  registry.on('changed', (device) => events.push(`changed ${device.id}`));
  registry.on('gone', (device, by) =>
    events.push(`gone ${device.id}${by === undefined ? '' : ` into ${by.id}`}`),
  );
  return { clock, registry, events, counted };
}

const EPR = 'urn:uuid:8b3f1c2a-90d1-4c7e-9b60-3cef8c000002';
const ONVIF: Sighting = {
  via: 'ws-discovery',
  key: '8b3f1c2a-90d1-4c7e-9b60-3cef8c000002',
  addresses: ['10.0.0.20'],
  endpointReference: EPR,
  model: 'IPC-HFW4431R-Z',
  xaddrs: ['http://10.0.0.20/onvif/device_service'],
};
const RTSP: Sighting = {
  via: 'mdns',
  key: 'yard._rtsp._tcp.local',
  addresses: ['10.0.0.20'],
  hostname: 'yard.local',
  rtspUrls: ['rtsp://10.0.0.20:554/'],
};

const only = (registry: DeviceRegistry): DiscoveredDevice => {
  assert.equal(registry.devices.length, 1);
  return registry.devices[0]!;
};

test('what two methods tell about one device becomes one entry, in either order', () => {
  for (const [first, second] of [
    [ONVIF, RTSP],
    [RTSP, ONVIF],
  ] as const) {
    const { registry, events } = setUp();
    registry.see(first);
    registry.see(second);
    const device = only(registry);
    assert.deepEqual(device.via, ['mdns', 'ws-discovery']);
    assert.deepEqual(device.xaddrs, ONVIF.xaddrs);
    assert.deepEqual(device.rtspUrls, RTSP.rtspUrls);
    assert.deepEqual(events, [`found ${device.id}`, `changed ${device.id}`]);
  }
});

test('seen again with nothing new: only the time moves', () => {
  const { clock, registry, events } = setUp();
  registry.see(ONVIF);
  clock.nowMs += 60_000;
  registry.see(ONVIF);
  assert.equal(events.length, 1);
  assert.equal(only(registry).lastSeenAt, new Date(clock.nowMs).toISOString());
});

/** MiBeeNvr PR#41; mavlink-camera-manager#636; HA PR#91474; ambianic-edge#198; onenvr#6. */
test('an address change updates the entry; the old address is forgotten in time', () => {
  const { clock, registry, events } = setUp();
  registry.see(ONVIF);
  const { id } = only(registry);
  registry.see({ ...ONVIF, addresses: ['10.0.0.33'] });
  assert.deepEqual(only(registry).addresses, ['10.0.0.33', '10.0.0.20']);
  assert.deepEqual(events, [`found ${id}`, `changed ${id}`]);
  clock.nowMs += 3 * 60_000;
  registry.see({ ...ONVIF, addresses: ['10.0.0.33'] });
  assert.deepEqual(only(registry).addresses, ['10.0.0.33']);
});

test('another device at a known address is another entry', () => {
  const { registry } = setUp();
  registry.see(ONVIF);
  registry.see({ ...ONVIF, key: 'other', endpointReference: 'urn:uuid:other-device' });
  assert.equal(registry.devices.length, 2);
});

test('devices recognised by hardware address, serial or host name, not by address', () => {
  const cases: { name: string; a: Partial<Sighting>; b: Partial<Sighting> }[] = [
    { name: 'MAC', a: { mac: 'accc8e000001' }, b: { mac: 'ac:cc:8e:00:00:01' } },
    {
      name: 'serial',
      a: { serial: 'DS-2CD2042WD-I20160101AAWR1' },
      b: { serial: 'DS-2CD2042WD-I20160101AAWR1' },
    },
    { name: 'MAC as serial', a: { serial: 'ACCC8E000001' }, b: { mac: 'accc8e000001' } },
    {
      name: 'MAC in a time-based EPR',
      a: { endpointReference: 'urn:uuid:0d5a1c00-5dcc-11b5-8105-4cbd8f000001' },
      b: { mac: '4cbd8f000001' },
    },
    { name: 'host name', a: { hostname: 'AXIS-1.local' }, b: { hostname: 'axis-1.local' } },
    {
      name: 'EPR in another spelling',
      a: { endpointReference: EPR },
      b: { endpointReference: EPR.slice(4).toUpperCase() },
    },
  ];
  for (const { name, a, b } of cases) {
    const { registry } = setUp();
    registry.see({ via: 'ws-discovery', key: 'a', addresses: ['10.0.0.1'], ...a });
    registry.see({ via: 'mdns', key: 'b', addresses: ['10.0.0.2'], ...b });
    assert.equal(registry.devices.length, 1, name);
  }
});

test('cloned endpoint references are told apart by hardware address or serial', () => {
  for (const [a, b] of [
    [{ mac: '4cbd8f000001' }, { mac: '4cbd8f000002' }],
    [{ serial: 'AAAA1' }, { serial: 'AAAA2' }],
  ]) {
    const { registry } = setUp();
    registry.see({ ...ONVIF, addresses: ['10.0.0.1'], ...a });
    registry.see({ ...ONVIF, addresses: ['10.0.0.2'], ...b });
    assert.equal(registry.devices.length, 2);
  }
});

test('serial numbers that mean nothing do not join devices', () => {
  for (const serial of [
    '',
    '1',
    'None',
    'N/A',
    'unknown',
    '00000000',
    '123456',
    '1234567890',
    'SerialNumber',
  ]) {
    const { registry } = setUp();
    registry.see({ via: 'mdns', key: 'a', addresses: ['10.0.0.1'], serial });
    registry.see({ via: 'mdns', key: 'b', addresses: ['10.0.0.2'], serial });
    assert.equal(registry.devices.length, 2, serial);
  }
});

test('a login that shows two entries to be one device joins them', () => {
  const { registry, events } = setUp();
  registry.see({ ...ONVIF, addresses: ['10.0.0.1'] });
  registry.see({ ...RTSP, addresses: ['10.0.0.2'], serial: '2L0123456ABCDE' });
  const [first, second] = registry.devices;
  registry.learn(first!.id, { serial: '2L0123456ABCDE', manufacturer: 'Dahua' });
  const device = only(registry);
  assert.equal(device.id, first!.id);
  assert.equal(device.manufacturer, 'Dahua');
  assert.deepEqual(device.addresses, ['10.0.0.1', '10.0.0.2']);
  assert.ok(events.includes(`gone ${second!.id} into ${first!.id}`));
});

test('a goodbye marks it gone, not forgotten; it may come back', () => {
  const { registry, events } = setUp();
  registry.see(ONVIF);
  const { id } = only(registry);
  registry.lose('ws-discovery', ONVIF.key);
  assert.equal(only(registry).gone, true);
  registry.lose('ws-discovery', ONVIF.key);
  registry.see(ONVIF);
  assert.equal(only(registry).gone, false);
  assert.deepEqual(events, [`found ${id}`, `gone ${id}`, `found ${id}`]);
});

test('a goodbye by one method leaves it to the other', () => {
  const { registry, events } = setUp();
  registry.see(ONVIF);
  registry.see(RTSP);
  registry.lose('mdns', RTSP.key);
  assert.deepEqual(only(registry).via, ['ws-discovery']);
  assert.ok(!events.some((event) => event.startsWith('gone')));
});

test('the list is bounded: those gone make room first, then those silent longest', () => {
  const { clock, registry } = setUp();
  const sighting = (i: number): Sighting => ({
    via: 'ws-discovery',
    key: `k${i}`,
    addresses: [`10.1.${i >> 8}.${i & 255}`],
    endpointReference: `epr-${i}`,
  });
  for (let i = 0; i < MAX_DEVICES; i += 1) {
    clock.nowMs += 1;
    registry.see(sighting(i));
  }
  registry.lose('ws-discovery', 'k500');
  registry.see(sighting(MAX_DEVICES));
  assert.equal(registry.devices.length, MAX_DEVICES);
  assert.equal(
    registry.devices.find((device) => device.endpointReference === 'epr-500'),
    undefined,
  );
  clock.nowMs += 250;
  registry.see(sighting(MAX_DEVICES + 1));
  assert.equal(
    registry.devices.find((device) => device.endpointReference === 'epr-0'),
    undefined,
  );
});

/** Found by attack: who talks most would else throw out every camera that answers once a minute. */
test('a flood of devices that somebody makes up takes the place of no real one', () => {
  const { clock, registry } = setUp();
  const camera = (i: number): Sighting => ({
    via: 'ws-discovery',
    key: `camera-${i}`,
    addresses: [`10.0.0.${i}`],
    endpointReference: `camera-${i}`,
  });
  for (let i = 1; i < 20; i += 1) registry.see(camera(i));
  const [adopted] = registry.devices;
  registry.learn(adopted?.id ?? '', { serial: 'DS-2CD2043' });
  clock.nowMs += 60_000;
  for (let i = 2; i < 20; i += 1) registry.see(camera(i));
  let told = 0;
  registry.on('found', () => {
    told += 1;
  });
  const addresses = [undefined, '10.0.0.66'] as const;
  for (const from of addresses) {
    for (let i = 0; i < 3 * MAX_DEVICES; i += 1) {
      clock.nowMs += 1;
      const address = from ?? `10.1.${i >> 8}.${i & 255}`;
      const name = `made-up-${address}-${i}`;
      registry.see({ ...camera(i), key: name, endpointReference: name, addresses: [address] });
    }
  }
  assert.equal(registry.devices.length, MAX_DEVICES);
  const left = new Set(registry.devices.map((device) => device.endpointReference));
  for (let i = 1; i < 20; i += 1) assert.ok(left.has(`camera-${i}`), `camera-${i}`);
  // One that says it is many makes room for himself.
  const at = (address: string) => registry.devices.filter((each) => each.addresses[0] === address);
  assert.ok(at('10.0.0.66').length <= 96);
  // Four a second, beside those that there was room for.
  assert.ok(told < MAX_DEVICES + 30, `${told} told`);
});

test('whatever is announced: ids are safe, unique and everything is bounded', () => {
  const odd = fc.option(
    fc.oneof(
      fc.string(),
      fc.constantFrom('urn:uuid:', '\x1b[31m', 'é'.repeat(300), 'a', '..', 'accc8e000001'),
    ),
    { nil: undefined },
  );
  const sighting = fc.record({
    via: fc.constantFrom('ws-discovery', 'mdns'),
    key: fc.string(),
    addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 12 }),
    endpointReference: odd,
    serial: odd,
    mac: odd,
    hostname: odd,
    manufacturer: odd,
    model: odd,
    name: odd,
    xaddrs: fc.array(fc.string(), { maxLength: 30 }),
    rtspUrls: fc.array(fc.string(), { maxLength: 30 }),
  }) as fc.Arbitrary<Sighting>;
  fc.assert(
    fc.property(fc.array(sighting, { maxLength: 30 }), (sightings) => {
      const { registry } = setUp();
      for (const each of sightings) registry.see(each);
      const ids = registry.devices.map((device) => device.id);
      assert.equal(new Set(ids).size, ids.length);
      for (const device of registry.devices) {
        assert.match(device.id, /^[a-z0-9-]{1,48}$/);
        assert.ok(device.addresses.length <= 8 && device.xaddrs.length <= 16);
        assert.doesNotMatch(`${device.model}${device.name}${device.serial}`, /\p{Cc}/u);
      }
    }),
  );
});

test('somebody else at the address: whoever is not heard there any more does not keep it', () => {
  const { clock, registry, counted } = setUp();
  const other = { ...ONVIF, key: 'other', endpointReference: 'urn:uuid:other-device' };
  registry.see(ONVIF);
  const { id } = only(registry);
  clock.nowMs += 30_000;
  registry.see(other);
  assert.deepEqual(registry.get(id)?.addresses, ['10.0.0.20']);
  assert.equal(counted.doubts, 1);
  clock.nowMs += 5000;
  registry.see(other);
  assert.deepEqual(registry.get(id)?.addresses, []);
  assert.equal(registry.at('10.0.0.20')?.endpointReference, 'other-device');
  registry.see({ ...ONVIF, addresses: ['10.0.0.44'] });
  assert.deepEqual(registry.get(id)?.addresses, ['10.0.0.44']);
});

test('two cameras that swap their addresses', () => {
  const { clock, registry } = setUp();
  const other = { ...ONVIF, key: 'other', endpointReference: 'urn:uuid:other-device' };
  const [a, b] = ['10.0.0.20', '10.0.0.21'] as const;
  const round = (first: string, second: string) => {
    registry.see({ ...ONVIF, addresses: [first] });
    registry.see({ ...other, addresses: [second] });
    clock.nowMs += 1500;
  };
  round(a, b);
  for (let i = 0; i < 5; i += 1) round(b, a);
  assert.deepEqual(
    registry.devices.map(({ addresses }) => addresses),
    [[b], [a]],
  );
});

test('the channels of a rack share an address for ever, and nobody doubts it for long', () => {
  const { clock, registry, counted } = setUp();
  const channel = (i: number) => ({ ...ONVIF, key: `c${i}`, endpointReference: `urn:uuid:c${i}` });
  for (let round = 0; round < 20; round += 1) {
    for (let i = 0; i < 4; i += 1) registry.see(channel(i));
    registry.see({ via: 'host', key: '10.0.0.20', addresses: ['10.0.0.20'], answered: true });
    clock.nowMs += 60_000;
  }
  assert.equal(registry.devices.length, 4);
  assert.ok(registry.devices.every(({ addresses }) => addresses[0] === '10.0.0.20'));
  assert.ok(counted.doubts <= 6, `${counted.doubts}`);
});

test('an address that a gone device had is taken at once', () => {
  const { registry } = setUp();
  registry.see(ONVIF);
  const { id } = only(registry);
  registry.lose('ws-discovery', ONVIF.key);
  registry.see({ ...ONVIF, key: 'other', endpointReference: 'urn:uuid:other-device' });
  assert.deepEqual(registry.get(id)?.addresses, []);
});

test('one that is gone is met again at its address by what says nothing of itself', () => {
  const { registry } = setUp();
  registry.see(ONVIF);
  registry.lose('ws-discovery', ONVIF.key);
  registry.see(RTSP);
  const device = only(registry);
  assert.equal(device.gone, false);
  assert.deepEqual(device.xaddrs, ONVIF.xaddrs);
});

test('silent for long: gone, its URLs kept; what mDNS tells has a lifetime of its own', () => {
  const { clock, registry, events } = setUp();
  registry.see(ONVIF);
  registry.see({ ...RTSP, addresses: ['10.0.0.50'] });
  const [camera, encoder] = registry.devices.map(({ id }) => id);
  clock.nowMs += 200_000;
  registry.loseSilent(240_000);
  assert.equal(events.length, 2);
  clock.nowMs += 50_000;
  registry.loseSilent(240_000);
  assert.deepEqual(events.slice(2), [`gone ${camera}`]);
  assert.equal(registry.get(encoder ?? '')?.gone, false);
  assert.deepEqual(registry.get(camera ?? '')?.xaddrs, ONVIF.xaddrs);
});

test('a service that moves, or is switched off: its old URLs are forgotten', () => {
  const { registry } = setUp();
  registry.see(ONVIF);
  registry.see(RTSP);
  registry.see({ ...RTSP, rtspUrls: ['rtsp://10.0.0.20:8554/new'] });
  assert.deepEqual(only(registry).rtspUrls, ['rtsp://10.0.0.20:8554/new']);
  registry.lose('mdns', RTSP.key);
  assert.deepEqual(only(registry).rtspUrls, []);
  assert.deepEqual(only(registry).xaddrs, ONVIF.xaddrs);
});

/** Devices that differ in everything; what is seen of one has its address, or something of its identity in common. */
test('one device per physical device, in whatever order they are seen', () => {
  const METHODS = ['ws-discovery', 'mdns', 'host', 'scan'] as const;
  const FIELDS = ['serial', 'mac', 'endpointReference', 'hostname'] as const;
  const aspect = fc.record({
    device: fc.nat(3),
    via: fc.constantFrom(...METHODS),
    key: fc.nat(2),
    fields: fc.subarray([...FIELDS]),
    nic: fc.nat(1),
  });
  const sightingOf = ({
    device,
    via,
    key,
    fields,
    nic,
  }: typeof aspect extends fc.Arbitrary<infer T> ? T : never): Sighting => {
    const identity = {
      serial: `SERIAL-${'ABCD'[device]}77`,
      mac: `4cbd8f00000${device}`,
      endpointReference: `urn:uuid:epr-${device}`,
      hostname: `camera-${device}.local`,
    };
    const told = Object.fromEntries(fields.map((field) => [field, identity[field]]));
    return { via, key: `${device}-${key}`, addresses: [`10.0.${nic}.${device}`], ...told };
  };
  /** All of a device are connected: one sighting tells everything, from both of its addresses. */
  const whole = (device: number, nic: number) =>
    sightingOf({ device, nic, via: 'ws-discovery', key: 9, fields: [...FIELDS] });
  fc.assert(
    fc.property(
      fc.array(aspect, { maxLength: 12 }).chain((aspects) => {
        const seen = aspects.map(sightingOf);
        const devices = new Set(aspects.map(({ device }) => device));
        const all = [
          ...seen,
          ...[...devices].flatMap((device) => [whole(device, 0), whole(device, 1)]),
        ];
        return fc.tuple(fc.constant(devices), fc.shuffledSubarray(all, { minLength: all.length }));
      }),
      ([devices, sightings]) => {
        const { registry } = setUp();
        for (const each of sightings) registry.see(each);
        const found = registry.devices.map(({ mac }) => mac).sort();
        assert.deepEqual(
          found,
          [...devices].sort().map((device) => `4cbd8f00000${device}`),
        );
        for (const device of registry.devices) {
          const number = device.mac?.at(-1);
          assert.equal(device.serial, `SERIAL-${'ABCD'[Number(number)]}77`);
          assert.deepEqual([...device.addresses].sort(), [`10.0.0.${number}`, `10.0.1.${number}`]);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('two cameras of one name on two links are two', () => {
  const { registry } = setUp();
  const camera = (link: string, address: string): Sighting => ({
    ...{ via: 'mdns', key: `${link} ipcam._rtsp._tcp.local`, addresses: [address] },
    ...{ hostname: 'ipcam.local', link },
  });
  registry.see(camera('eth0', '10.0.0.5'));
  registry.see(camera('eth1', '10.1.0.5'));
  registry.see(camera('eth0', '10.0.0.6'));
  assert.deepEqual(
    registry.devices.map(({ id, addresses }) => [id, addresses[0]]),
    [
      ['ipcam', '10.0.0.6'],
      ['ipcam-2', '10.1.0.5'],
    ],
  );
});
