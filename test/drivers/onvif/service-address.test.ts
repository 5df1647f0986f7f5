import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceEndpoint } from '../../../drivers/onvif/service-address.ts';

const REACHED = { host: '10.0.0.7', port: 8080, path: '/onvif/device_service', secure: false };
const parts = (text: string) => {
  const { protocol, hostname, port, pathname } = new URL(text);
  return { protocol, hostname, port, path: pathname };
};
const DEVICE = parts('http://192.168.1.108/onvif/device_service');

test('path and port of a service, at the host that answered', () => {
  const at = (port: number, path: string, secure = false) => ({
    host: '10.0.0.7',
    port,
    path,
    secure,
  });
  const cases: [
    string,
    Parameters<typeof serviceEndpoint>[0],
    ReturnType<typeof serviceEndpoint>,
  ][] = [
    [
      'the port of the device service is the one we reached',
      parts('http://192.168.1.108/onvif/ptz'),
      at(8080, '/onvif/ptz'),
    ],
    ['another host, the same port', parts('http://172.16.0.1:80/x'), at(8080, '/x')],
    [
      'a port of its own (Tapo: events at 1025)',
      parts('http://192.168.1.108:1025/event-1025'),
      at(1025, '/event-1025'),
    ],
    ['HTTPS beside HTTP', parts('https://192.168.1.108/onvif/ptz'), at(443, '/onvif/ptz', true)],
    ['HTTPS on a port', parts('https://192.168.1.108:8443/p'), at(8443, '/p', true)],
    [
      'nothing (obs-ptz PR#312)',
      { hostname: null, path: null, port: null },
      at(8080, '/onvif/device_service'),
    ],
    ['a path alone', { hostname: null, path: '/onvif/ptz', port: null }, at(8080, '/onvif/ptz')],
    ['a port that is none', { hostname: 'a', path: '/x', port: '99999' }, at(8080, '/x')],
    [
      'a path that cannot be asked for',
      { hostname: 'a', path: '/a b\r\nX: y', port: null },
      undefined,
    ],
    ['a path without end', { hostname: 'a', path: `/${'x'.repeat(2000)}`, port: null }, undefined],
  ];
  for (const [name, address, expected] of cases) {
    assert.deepEqual(serviceEndpoint(address, DEVICE, REACHED), expected, name);
  }
  assert.deepEqual(
    serviceEndpoint(parts('http://192.168.1.108:81/x'), undefined, REACHED),
    at(8080, '/x'),
    'nobody knows what the device takes for its own port',
  );
});
