import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { choosePorts, LOOPBACK } from '../../../gateway/demo/choose-ports.ts';
import { freePort } from '../../support/free-port.ts';

test('the wanted one, another where that is taken, none twice', async () => {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  const free = await freePort();
  try {
    const { a, b, c } = await choosePorts({ a: free, b: taken, c: free });
    assert.equal(a, free);
    assert.equal(new Set([a, b, c, taken, 0]).size, 5);
    const again = createServer().listen(b, LOOPBACK);
    await once(again, 'listening');
    again.close();
  } finally {
    server.close();
  }
});
