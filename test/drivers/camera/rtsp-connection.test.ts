import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { connectRtsp } from '../../../drivers/camera/rtsp-connection.ts';
import { parseSourceUrl } from '../../../protocols/source-url.ts';

/** More than the system keeps for two sockets, by far. */
const MESSAGES = 16_000;
const MESSAGE = Buffer.alloc(4096, 'x');

test('what a camera does not read does not pile up', async (context) => {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connected = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const connection = await connectRtsp(
    { source: parseSourceUrl(`rtsp://127.0.0.1:${port}/`), tls: undefined },
    { read: () => undefined, ended: () => undefined },
    new AbortController().signal,
  );
  const [camera] = (await connected) as [Socket];
  context.after(() => {
    camera.destroy();
    server.close();
  });
  for (let n = 0; n < MESSAGES; n += 1) connection.write(MESSAGE);
  let received = 0;
  camera.on('data', (bytes: Buffer) => {
    received += bytes.length;
    if (!bytes.includes('end')) return;
    connection.close();
  });
  camera.resume();
  // Left out as long as much else waits.
  const last = setInterval(() => connection.write(Buffer.from('end')), 5);
  await once(camera, 'close');
  clearInterval(last);
  assert.ok(received < (MESSAGES * MESSAGE.length) / 2, `${received} bytes came`);
});
