/** Whether ONVIF or RTSP answers at an address, and whatever else may. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { isOnvifReply, speaksOnvif, speaksRtsp } from '../../../drivers/discovery/ask-host.ts';
import { VirtualOnvif } from '../../support/virtual-onvif.ts';

const never = new AbortController().signal;

async function listen(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const onvifAt = (port: number) => ({
  ...{ host: '127.0.0.1', port, path: '/onvif/device_service', secure: false },
});

test('an ONVIF camera answers without a login', async (t) => {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1/x' });
  t.after(() => camera.close());
  assert.equal(await speaksOnvif(onvifAt(camera.port), never), true);
  assert.deepEqual(camera.requests, ['GetSystemDateAndTime']);
  assert.equal(camera.refusals, 0);
});

const ANSWERS: readonly [string, string, boolean][] = [
  ['the time', '<s:Envelope><s:Body><GetSystemDateAndTimeResponse/></s:Body></s:Envelope>', true],
  [
    'a fault of one who wants a login',
    '<s:Envelope><s:Body><s:Fault/></s:Body></s:Envelope>',
    true,
  ],
  ['a web page', '<html><body><h1>404</h1></body></html>', false],
  ['another service', '<Envelope><Body><Pong/></Body></Envelope>', false],
  ['no XML', 'OK', false],
  ['an entity bomb', '<!DOCTYPE a [<!ENTITY b "c">]><Envelope/>', false],
  ['nothing', '', false],
];
for (const [name, text, want] of ANSWERS) {
  test(`an ONVIF reply, or none: ${name}`, () => assert.equal(isOnvifReply(text), want));
}

test('RTSP: a status line is enough, whatever the status, in whatever pieces', async (t) => {
  const port = await listen(t, (socket) => {
    socket.once('data', (request) => {
      assert.match(
        String(request),
        /^OPTIONS rtsp:\/\/127\.0\.0\.1:\d+\/ RTSP\/1\.0\r\nCSeq: 1\r\n/,
      );
      for (const byte of 'RTSP/1.0 401 Unauthorized\r\n\r\n') socket.write(byte);
    });
  });
  assert.equal(await speaksRtsp('127.0.0.1', port, never), true);
});

test('no RTSP: a web server, a closed port, one who hangs up, one who says nothing', async (t) => {
  const web = await listen(t, (socket) => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n'));
  const hangsUp = await listen(t, (socket) => socket.destroy());
  const closed = await listen(t, () => undefined);
  assert.equal(await speaksRtsp('127.0.0.1', web, never), false);
  assert.equal(await speaksRtsp('127.0.0.1', hangsUp, never), false);
  assert.equal(await speaksRtsp('127.0.0.1', 1, never), false);
  const beganMs = performance.now();
  assert.equal(await speaksRtsp('127.0.0.1', closed, never), false);
  assert.ok(performance.now() - beganMs < 6000);
});

test('given up at once when told', async (t) => {
  const port = await listen(t, () => undefined);
  const stop = new AbortController();
  const asking = [
    speaksRtsp('127.0.0.1', port, stop.signal),
    speaksOnvif(onvifAt(port), stop.signal),
  ];
  setTimeout(() => stop.abort(new Error('told')), 50);
  await Promise.all(asking.map((each) => assert.rejects(each, /told/)));
});
