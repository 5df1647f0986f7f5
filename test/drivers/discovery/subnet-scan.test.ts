/** Hosts of the loopback network; what stands for the network is a list of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Sighting } from '../../../drivers/discovery/sighting.ts';
import { type ScanProgress, scanSubnet } from '../../../drivers/discovery/subnet-scan.ts';
import { VirtualOnvif } from '../../support/virtual-onvif.ts';

const never = new AbortController().signal;

async function listenRtsp(t: TestContext, address: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n'));
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function recorded() {
  const seen: Sighting[] = [];
  const probed: string[] = [];
  const progress: ScanProgress[] = [];
  const context = {
    probe: (address: string) => probed.push(address),
    sink: { see: (sighting: Sighting) => seen.push(sighting), lose: () => undefined },
    onProgress: (each: ScanProgress) => progress.push(each),
  };
  return { seen, probed, progress, context };
}

test('an ONVIF camera, one with RTSP only, a web server, and nobody', async (t) => {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.9/x', address: '127.0.0.9' });
  t.after(() => camera.close());
  const rtsp = await listenRtsp(t, '127.0.0.8');
  const { seen, probed, progress, context } = recorded();
  const addresses = ['127.0.0.7', '127.0.0.8', '127.0.0.9', '127.0.0.1'];
  const ports = { onvif: [camera.port], rtsp };
  const result = await scanSubnet({ name: 'test', addresses }, { ...context, ports }, never);
  assert.deepEqual(
    seen.sort((a, b) => a.key.localeCompare(b.key)),
    [
      {
        ...{ via: 'scan', key: '127.0.0.8', addresses: ['127.0.0.8'], answered: true },
        rtspUrls: [`rtsp://127.0.0.8:${rtsp}/`],
      },
      {
        ...{ via: 'scan', key: '127.0.0.9', addresses: ['127.0.0.9'], answered: true },
        xaddrs: [`http://127.0.0.9:${camera.port}/onvif/device_service`],
      },
    ],
  );
  // 127.0.0.1 is one of our own.
  assert.deepEqual(probed, ['127.0.0.7', '127.0.0.8', '127.0.0.9']);
  assert.deepEqual(result, { network: 'test', addresses: 3, asked: 3, found: 2 });
  assert.equal(progress.length, 4);
});

test('50 addresses a second and no more; ended at once when told', async () => {
  const { probed, context } = recorded();
  const addresses = Array.from({ length: 200 }, (_, i) => `127.0.1.${i}`);
  const stop = new AbortController();
  const beganMs = performance.now();
  setTimeout(() => stop.abort(new Error('told')), 500);
  const scan = scanSubnet(
    { name: 'test', addresses },
    { ...context, ports: { onvif: [1], rtsp: 1 } },
    stop.signal,
  );
  await assert.rejects(scan, { name: 'AbortError' });
  const tookMs = performance.now() - beganMs;
  assert.ok(tookMs < 1500, `${tookMs}`);
  assert.ok(probed.length <= Math.ceil(tookMs / 20) + 1, `${probed.length} in ${tookMs} ms`);
});
