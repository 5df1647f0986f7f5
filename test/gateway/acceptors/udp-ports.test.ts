import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { type UdpPair, UdpPorts } from '../../../gateway/acceptors/udp-ports.ts';
import { until } from '../../support/until.ts';

const IGNORING = {
  rtpMayWait: false,
  rtp: () => undefined,
  rtcp: () => undefined,
  failed: () => undefined,
};

async function open(ports: UdpPorts, peer = '127.0.0.1'): Promise<UdpPair> {
  return (await ports.open(peer, IGNORING)) ?? assert.fail('no ports');
}

test('pairs are even, within the range, and never the same', async () => {
  const ports = new UdpPorts(0.999);
  const pairs = [];
  for (let n = 0; n < 4; n += 1) pairs.push(await open(ports));
  for (const { port } of pairs) assert.ok(port % 2 === 0 && port >= 30_000 && port < 32_000);
  assert.equal(new Set(pairs.map(({ port }) => port)).size, 4);
  assert.ok(
    pairs.some(({ port }) => port < 30_100),
    'the range begins again at its end',
  );
  for (const pair of pairs) pair.close();
});

test('ports that others hold are passed over', async () => {
  const first = await open(new UdpPorts(0.5));
  const second = await open(new UdpPorts(0.5));
  assert.notEqual(first.port, second.port);
  first.close();
  second.close();
});

test('what comes from another address than the peer’s is not taken', async () => {
  const taken: number[] = [];
  const pair = await new UdpPorts(0.3).open('127.0.0.2', {
    ...IGNORING,
    rtp: (bytes, start) => taken.push(bytes[start] ?? 0),
  });
  assert.ok(pair !== undefined);
  const send = async (address: string, byte: number) => {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    await new Promise((resolve) =>
      socket.send(Uint8Array.of(byte), pair.port, '127.0.0.1', resolve),
    );
    socket.close();
  };
  await send('127.0.0.3', 3);
  await send('127.0.0.2', 2);
  await until(() => taken.length > 0);
  assert.deepEqual(taken, [2]);
  pair.close();
});
