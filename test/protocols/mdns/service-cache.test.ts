import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type MdnsRecord,
  type MdnsService,
  parseTxt,
  ServiceCache,
} from '../../../protocols/mdns/service-cache.ts';

const TYPES = ['_rtsp._tcp', '_axis-video._tcp'];
const text = (value: string) => new TextEncoder().encode(value);

const PTR: MdnsRecord = {
  type: 'PTR',
  name: '_rtsp._tcp.local',
  ttlS: 4500,
  target: 'Yard Cam._rtsp._tcp.local',
};
const SRV: MdnsRecord = {
  type: 'SRV',
  name: 'Yard Cam._rtsp._tcp.local',
  ttlS: 120,
  target: 'yard.local',
  port: 554,
};
const TXT: MdnsRecord = {
  type: 'TXT',
  name: 'Yard Cam._rtsp._tcp.local',
  ttlS: 4500,
  strings: [text('path=/main')],
};
const A: Extract<MdnsRecord, { address: string }> = {
  type: 'A',
  name: 'yard.local',
  ttlS: 120,
  address: '10.0.0.5',
  flush: false,
};

const SERVICE = {
  key: 'yard cam._rtsp._tcp.local',
  name: 'Yard Cam',
  type: '_rtsp._tcp',
  host: 'yard.local',
  port: 554,
  addresses: ['10.0.0.5'],
  txt: new Map([['path', '/main']]),
};

const cacheWith = (...records: MdnsRecord[]) => {
  const cache = new ServiceCache(TYPES, 0);
  cache.apply(records, 0);
  return cache;
};

test('a service is complete whatever the order of its records, in one packet or in many', () => {
  const orders = [
    [PTR, SRV, TXT, A],
    [A, TXT, SRV, PTR],
    [TXT, SRV, A],
  ];
  for (const order of orders) {
    assert.deepEqual(new ServiceCache(TYPES, 0).apply(order, 0).seen, [SERVICE]);
    const cache = new ServiceCache(TYPES, 0);
    const last = order.map((record) => cache.apply([record], 0)).at(-1);
    const seen: readonly MdnsService[] =
      last?.seen.length === 1 ? last.seen : cache.apply([PTR], 0).seen;
    assert.deepEqual(seen, [SERVICE]);
  }
});

test('what is missing is asked for', () => {
  const cases = [
    {
      have: [PTR],
      want: [
        { name: 'Yard Cam._rtsp._tcp.local', type: 'SRV' },
        { name: 'Yard Cam._rtsp._tcp.local', type: 'TXT' },
      ],
    },
    { have: [PTR, SRV, TXT], want: [{ name: 'yard.local', type: 'A' }] },
    { have: [PTR, SRV, TXT, A], want: [] },
  ];
  for (const { have, want } of cases) assert.deepEqual(cacheWith(...have).missing(), want);
});

test('names are compared without case', () => {
  const cache = cacheWith(PTR);
  const { seen } = cache.apply(
    [{ ...SRV, name: SRV.name.toUpperCase(), target: 'YARD.local.' } as MdnsRecord, A],
    0,
  );
  assert.equal(seen.length, 1);
});

test('goodbye: a PTR or SRV with TTL 0', () => {
  for (const record of [PTR, SRV]) {
    const cache = cacheWith(PTR, SRV, TXT, A);
    assert.deepEqual(cache.apply([{ ...record, ttlS: 0 }], 1).lost, [SERVICE.key]);
    assert.deepEqual(cache.apply([{ ...record, ttlS: 0 }], 2).lost, [], 'only once');
  }
});

test('what is not announced again expires', () => {
  const cache = cacheWith({ ...PTR, ttlS: 10 }, { ...SRV, ttlS: 20 }, TXT, A);
  assert.deepEqual(cache.expire(4_499_999), []);
  assert.deepEqual(cache.expire(4_500_000), [SERVICE.key]);
});

test('a TTL shorter than the query interval is stretched', () => {
  const cache = new ServiceCache(TYPES, 120_000);
  cache.apply([{ ...PTR, ttlS: 10 }], 0);
  assert.deepEqual(cache.expire(119_999), []);
  assert.deepEqual(cache.expire(120_000), [SERVICE.key]);
});

test('a changed address replaces the one that expired', () => {
  const cache = cacheWith(PTR, SRV, TXT, A);
  cache.expire(120_000);
  const { seen } = cache.apply([{ ...A, address: '10.0.0.6' } as MdnsRecord], 120_000);
  assert.deepEqual(seen[0]?.addresses, ['10.0.0.6']);
});

test('other services are not kept', () => {
  const cache = new ServiceCache(TYPES, 0);
  const other = {
    type: 'PTR',
    name: '_ipp._tcp.local',
    ttlS: 9,
    target: 'Printer._ipp._tcp.local',
  } as const;
  assert.deepEqual(cache.apply([other], 0), { seen: [], lost: [] });
  assert.deepEqual(cache.missing(), []);
});

test('TXT: first of a key, keys without case, strings without a key ignored', () => {
  const strings = ['Path=/a', 'path=/b', '=x', 'flag', 'k=a=b', ''].map(text);
  assert.deepEqual(
    [...parseTxt(strings)],
    [
      ['path', '/a'],
      ['flag', ''],
      ['k', 'a=b'],
    ],
  );
});

test('a flood of instances and hosts does not grow it without end', () => {
  const cache = new ServiceCache(TYPES, 0);
  for (let i = 0; i < 5000; i += 1) {
    cache.apply(
      [
        { ...PTR, target: `c${i}._rtsp._tcp.local` },
        { ...A, name: `h${i}.local` },
      ],
      0,
    );
  }
  assert.equal(cache.expire(Number.MAX_SAFE_INTEGER).length, 2048);
});

/** Found by attack: one record of 50 bytes made two thousand services be looked up among a thousand devices. */
test('one address of a host with thousands of services tells of few of them', () => {
  const cache = new ServiceCache(TYPES, 0);
  for (let i = 0; i < 2000; i += 1) {
    cache.apply([{ ...SRV, name: `Cam ${i}._rtsp._tcp.local` }], 0);
  }
  assert.equal(cache.apply([A], 0).seen.length, 64);
});

test('what somebody makes up is forgotten within 75 minutes, whatever its TTL', () => {
  const cache = new ServiceCache(TYPES, 0);
  cache.apply([{ ...SRV, ttlS: 2 ** 31 - 1 }, A], 0);
  assert.deepEqual(cache.expire(4500_000), ['yard cam._rtsp._tcp.local']);
});

test('any records leave it in order', () => {
  const record = fc.record({
    type: fc.constantFrom('PTR', 'SRV', 'TXT', 'A', 'AAAA'),
    name: fc.constantFrom('a._rtsp._tcp.local', '_rtsp._tcp.local', 'h.local', '__proto__', ''),
    ttlS: fc.constantFrom(0, 1, 4500, -1, 2 ** 31),
    target: fc.constantFrom('a._rtsp._tcp.local', 'h.local', '._rtsp._tcp.local', ''),
    port: fc.nat(65_535),
    strings: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 3 }),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fe80::1'),
    flush: fc.boolean(),
  }) as fc.Arbitrary<MdnsRecord>;
  fc.assert(
    fc.property(fc.array(record), (records) => {
      const cache = new ServiceCache(TYPES, 0);
      for (const each of records) {
        for (const service of cache.apply([each], 0).seen) assert.ok(service.addresses.length > 0);
      }
      cache.missing();
      cache.expire(1e12);
      assert.deepEqual(cache.missing(), []);
    }),
  );
});

test('a host that has moved: cache-flush drops the address of before, at once', () => {
  const cache = cacheWith(PTR, SRV, TXT, { ...A, flush: true });
  const moved = { ...A, address: '10.0.0.6', flush: true };
  assert.deepEqual(cache.apply([moved], 5000).seen[0]?.addresses, ['10.0.0.6']);
});

test('several addresses of one announcement stay, in one packet or within a second, and those of the other kind', () => {
  const cache = cacheWith(PTR, SRV, TXT);
  const at = (address: string) => ({ ...A, address, flush: true });
  const six: MdnsRecord = { ...at('fd00::5'), type: 'AAAA' };
  cache.apply([six], 0);
  cache.apply([at('10.0.0.5'), at('10.0.0.6')], 5000);
  const { seen } = cache.apply([at('10.0.0.7')], 5500);
  assert.deepEqual(seen[0]?.addresses, ['10.0.0.7', '10.0.0.5', '10.0.0.6', 'fd00::5']);
});

test('a host that moves without cache-flush: the new address first', () => {
  const cache = cacheWith(PTR, SRV, TXT, A);
  const { seen } = cache.apply([{ ...A, address: '10.0.0.6' }], 5000);
  assert.deepEqual(seen[0]?.addresses, ['10.0.0.6', '10.0.0.5']);
});
