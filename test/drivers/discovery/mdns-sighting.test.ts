import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sightingOf } from '../../../drivers/discovery/mdns-sighting.ts';
import { parseMpegtsUrl } from '../../../drivers/encoder/mpegts-url.ts';
import type { MdnsService } from '../../../protocols/mdns/service-cache.ts';

function service(type: string, txt: Record<string, string> = {}, addresses = ['10.0.0.9']) {
  const found: MdnsService = {
    key: `encoder.${type}.local`,
    name: 'Encoder',
    type,
    host: 'encoder.local',
    port: 5000,
    addresses,
    txt: new Map(Object.entries(txt)),
  };
  return sightingOf(found, 'eth0');
}

const SENDERS: readonly [string, ReturnType<typeof service>, string[] | undefined][] = [
  ['a group in TXT', service('_mpegts._udp', { group: '239.1.1.1' }), ['udp://@239.1.1.1:5000']],
  ['an IPv6 group', service('_mpegts._udp', { group: 'ff15::1' }), ['udp://@[ff15::1]:5000']],
  ['no group: to us', service('_mpegts._udp'), ['udp://10.0.0.9@:5000']],
  ['a group that is none', service('_mpegts._udp', { group: '10.0.0.1' }), undefined],
  ['a group out of range', service('_mpegts._udp', { group: '239.999.1.1' }), undefined],
  ['TCP', service('_mpegts._tcp'), ['tcp://10.0.0.9:5000']],
  ['TCP over IPv6', service('_mpegts._tcp', {}, ['fd00::9']), ['tcp://[fd00::9]:5000']],
  [
    'VLC by HTTP',
    service('_vlc-http._tcp', { path: '/live.ts' }),
    ['http://10.0.0.9:5000/live.ts'],
  ],
  ['RTSP', service('_rtsp._tcp'), undefined],
  ['no address', service('_mpegts._udp', {}, []), undefined],
];
for (const [name, { sourceUrls }, want] of SENDERS) {
  test(`a sender of MPEG-TS: ${name}`, () => {
    assert.deepEqual(sourceUrls, want);
    for (const url of sourceUrls ?? []) if (!url.startsWith('http')) parseMpegtsUrl(url);
  });
}

test('a host that resolves to the group, as ka9q-radio has it: the group is no address of the device', () => {
  const { sourceUrls, addresses } = service('_mpegts._udp', {}, ['239.2.2.2']);
  assert.deepEqual(sourceUrls, ['udp://@239.2.2.2:5000']);
  assert.deepEqual(addresses, []);
});

test('the path of an RTSP or ONVIF service: whole URLs, missing slashes, none', () => {
  const rtsp = (path?: string) =>
    service('_rtsp._tcp', path === undefined ? {} : { path }).rtspUrls;
  const onvif = (path?: string) =>
    service('_onvif._tcp', path === undefined ? {} : { path }).xaddrs;
  assert.deepEqual(rtsp(), ['rtsp://10.0.0.9:5000']);
  assert.deepEqual(rtsp('live?x=1'), ['rtsp://10.0.0.9:5000/live?x=1']);
  // People write path=rtsp://%h:8554/ into Avahi's service files.
  assert.deepEqual(rtsp('rtsp://camera:8554/main'), ['rtsp://10.0.0.9:5000/main']);
  assert.deepEqual(onvif(), ['http://10.0.0.9:5000/onvif/device_service']);
  assert.deepEqual(onvif('/'), ['http://10.0.0.9:5000/onvif/device_service']);
  assert.deepEqual(onvif('/onvif/service'), ['http://10.0.0.9:5000/onvif/service']);
});
