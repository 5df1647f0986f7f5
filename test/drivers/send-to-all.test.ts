import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { canBeSentTo, sendToAll } from '../../drivers/send-to-all.ts';
import { readUntil, socketPair } from '../support/socket-pair.ts';

function numbered(byteLength: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: byteLength }, (_, index) => index % 251));
}

test('one that is closed, or is not there, does not disturb the others, and is left to Node', async (t) => {
  const [first, closed, last] = [await socketPair(t), await socketPair(t), await socketPair(t)];
  closed.near.destroy();
  const bytes = numbered(5000);
  const rests: number[] = [];
  const write = (index: number, rest: Buffer) => {
    rests.push(index);
    [first, closed, undefined, last][index]?.near.write(rest);
  };
  closed.near.on('error', () => undefined);
  sendToAll([first.near, closed.near, undefined, last.near], bytes, write);
  assert.deepEqual(await readUntil(first.far, bytes.length), bytes);
  assert.deepEqual(await readUntil(last.far, bytes.length), bytes);
  for (const index of [1, 2]) assert.ok(rests.includes(index));
});

test('a peer that has reset the connection is found out by Node', async (t) => {
  const { near, far } = await socketPair(t);
  far.resetAndDestroy();
  const failed = once(near, 'error');
  const bytes = numbered(100);
  sendToAll([near], bytes, (_index, rest) => near.write(rest));
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.match(error.code ?? '', /ECONNRESET|EPIPE/);
});

test('what a slow peer does not take at once arrives by and by, in order', async (t) => {
  const { near, far } = await socketPair(t);
  const bytes = numbered(700_000);
  let sent = 0;
  while (near.writableLength === 0) {
    sendToAll([near], bytes, (_index, rest) => near.write(rest));
    sent += 1;
    assert.ok(sent < 100, 'the kernel takes everything');
  }
  assert.ok(near.writableLength <= bytes.length);
  const received = await readUntil(far, sent * bytes.length);
  assert.deepEqual(received, Buffer.concat(new Array<Buffer>(sent).fill(bytes)));
});

test('more than there was room for at first', async (t) => {
  const pairs = await Promise.all(Array.from({ length: 70 }, () => socketPair(t)));
  const bytes = numbered(1000);
  sendToAll(
    pairs.map(({ near }) => near),
    bytes,
    (index, rest) => pairs[index]?.near.write(rest),
  );
  for (const { far } of pairs) assert.deepEqual(await readUntil(far, bytes.length), bytes);
});

test('never past TLS', async (t) => {
  const { near } = await socketPair(t);
  assert.equal(canBeSentTo(new TLSSocket(near)), false);
});
