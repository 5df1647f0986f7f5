import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../../../codecs/errors.ts';
import {
  atHost,
  describeEndpoint,
  endpointsOf,
  parseOnvifUrl,
} from '../../../drivers/onvif/onvif-endpoint.ts';

test('onvif:// URLs', () => {
  const cases = [
    { url: 'onvif://10.0.0.5', want: 'http://10.0.0.5:80/onvif/device_service' },
    { url: 'onvif://cam.local:8080/', want: 'http://cam.local:8080/onvif/device_service' },
    { url: 'onvif://10.0.0.5:2020/onvif/service', want: 'http://10.0.0.5:2020/onvif/service' },
    { url: 'onvifs://[fe80::1]', want: 'https://[fe80::1]:443/onvif/device_service' },
  ];
  for (const { url, want } of cases) assert.equal(describeEndpoint(parseOnvifUrl(url)), want);
  assert.deepEqual(parseOnvifUrl('onvif://admin:a@b:c#d/e?f@10.0.0.5:2020/x').credentials, {
    username: 'admin',
    password: 'a@b:c#d/e?f',
  });
  for (const url of ['onvif://', 'http://10.0.0.5', 'nonsense', '']) {
    assert.throws(() => parseOnvifUrl(url), ProtocolError, url);
  }
});

test('where to try a discovered device', () => {
  const cases = [
    {
      name: 'the XAddr of the address it answered from',
      device: {
        addresses: ['10.0.0.5'],
        xaddrs: ['http://[fe80::1]/onvif/device_service', 'http://10.0.0.5:8080/onvif/ds'],
      },
      want: ['http://10.0.0.5:8080/onvif/ds'],
    },
    {
      name: 'a stale host in the XAddr: only its port and path count',
      device: {
        addresses: ['10.0.0.5'],
        xaddrs: ['http://192.168.1.108:8000/onvif/device_service'],
      },
      want: ['http://10.0.0.5:8000/onvif/device_service'],
    },
    {
      name: 'several addresses, latest first',
      device: {
        addresses: ['10.0.0.6', '10.0.0.5'],
        xaddrs: ['http://10.0.0.5/a', 'https://10.0.0.5/a'],
      },
      want: [
        'http://10.0.0.6:80/a',
        'https://10.0.0.6:443/a',
        'http://10.0.0.5:80/a',
        'https://10.0.0.5:443/a',
      ],
    },
    {
      name: 'no XAddr: not an ONVIF device',
      device: { addresses: ['10.0.0.5'], xaddrs: [] },
      want: [],
    },
  ];
  for (const { name, device, want } of cases) {
    assert.deepEqual(endpointsOf(device).map(describeEndpoint), want, name);
  }
});

/** agsh#170, #41, PR#219; frigate#18352; zeep-async PR#167. */
test('URLs are moved to the host that answered, all else byte for byte', () => {
  const cases: [string, string | undefined][] = [
    [
      'rtsp://192.168.1.108:554/cam/realmonitor?channel=1&subtype=0&unicast=true',
      'rtsp://10.0.0.5:554/cam/realmonitor?channel=1&subtype=0&unicast=true',
    ],
    [
      'rtsp://0.0.0.0/Streaming/Channels/101?transportmode=unicast',
      'rtsp://10.0.0.5/Streaming/Channels/101?transportmode=unicast',
    ],
    ['RTSP://[fe80::1]:8554/a%20b', 'rtsp://10.0.0.5:8554/a%20b'],
    ['rtsp://admin:p@ss@192.168.1.10/main', 'rtsp://10.0.0.5/main'],
    ['rtsp://admin:pw@192.168.1.10/main', 'rtsp://10.0.0.5/main'],
    ['rtsp://cam', 'rtsp://10.0.0.5'],
    ['rtsps://cam:322/x', 'rtsps://10.0.0.5:322/x'],
    [' rtsp://cam/a b\n', 'rtsp://10.0.0.5/a%20b'],
    ['rtsp:///main', 'rtsp://10.0.0.5/main'],
    ['ftp://cam/x', undefined],
    ['', undefined],
  ];
  for (const [url, want] of cases) assert.equal(atHost(url, '10.0.0.5'), want, url);
  assert.equal(atHost('rtsp://cam:554/x', 'fe80::1%eth0'), 'rtsp://[fe80::1]:554/x');
});
