import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { findingOf } from '../../gateway/finding.ts';

const DEVICE: DiscoveredDevice = {
  id: 'camera',
  via: ['ws-discovery'],
  addresses: ['127.0.0.1'],
  answered: false,
  xaddrs: [],
  rtspUrls: [],
  sourceUrls: [],
  lastSeenAt: '2026-11-25T08:00:00.000Z',
  gone: false,
};
const of = (more: Partial<DiscoveredDevice>) => findingOf({ ...DEVICE, ...more });

test('what to set as a source', () => {
  const at = (xaddr: string) => of({ xaddrs: [xaddr], rtspUrls: ['rtsp://127.0.0.1/main'] }).source;
  // The host in an XAddr may be wrong.
  assert.equal(at('http://10.0.0.20/onvif/device_service'), 'onvif://127.0.0.1');
  assert.equal(at('http://10.0.0.20:8899/onvif/device_service'), 'onvif://127.0.0.1:8899');
  assert.equal(at('https://10.0.0.20/onvif/other?x=1'), 'onvifs://127.0.0.1/onvif/other?x=1');
  assert.equal(of({ rtspUrls: ['rtsp://127.0.0.1/main'] }).source, 'rtsp://127.0.0.1/main');
  assert.equal(of({ sourceUrls: ['udp://@239.1.1.1:5000'] }).source, 'udp://@239.1.1.1:5000');
});

test('nothing to do: no words', () => {
  assert.deepEqual(of({ rtspUrls: ['rtsp://127.0.0.1/main'] }), {
    ...{ code: 'ok', reason: '', source: 'rtsp://127.0.0.1/main' },
  });
});

test('RTSP without a path: says that more is needed', () => {
  const { code, reason } = of({ rtspUrls: ['rtsp://127.0.0.1:554/'] });
  assert.equal(code, 'ok');
  assert.match(reason, /path .* \/stream1/);
});

test('seen, and says nothing: no-source', () => {
  const { code, reason, source } = of({});
  assert.equal(code, 'no-source');
  assert.match(reason, /Is ONVIF switched on/);
  assert.equal(source, undefined);
});

/** python-onvif#7, tiscamera#38. */
test('on another subnet: other-network, with the address and what to do; answered by a router: ok', () => {
  const far = { addresses: ['240.0.0.64'], xaddrs: ['http://240.0.0.64/onvif/device_service'] };
  const { code, reason, source } = of(far);
  assert.equal(code, 'other-network');
  assert.match(reason, /^240\.0\.0\.64 is on none/);
  assert.equal(source, 'onvif://240.0.0.64');
  assert.equal(of({ ...far, answered: true }).code, 'ok');
});
