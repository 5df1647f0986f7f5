import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { UdpPacer } from '../../../gateway/acceptors/udp-pacer.ts';

/** Packets that tell their channel and number, in one block. */
function block(from: number, count: number, channel = 0): Uint8Array {
  return Uint8Array.from(
    Array.from({ length: count }, (_, n) => [0x24, channel, 0, 1, from + n]).flat(),
  );
}

function setUp() {
  mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { ms: 0 };
  const sent: string[] = [];
  const pacer = new UdpPacer(
    (channel, packet) => sent.push(`${channel} ${packet.join()}`),
    () => clock.ms,
  );
  const pass = (ms: number) => {
    clock.ms += ms;
    mock.timers.tick(ms);
  };
  return { sent, pacer, pass };
}

test.afterEach(() => mock.timers.reset());

test('what is small goes at once, packet by packet', () => {
  const { sent, pacer } = setUp();
  pacer.push(block(1, 2, 1));
  pacer.push(block(3, 1));
  assert.deepEqual(sent, ['1 1', '1 2', '0 3']);
  assert.equal(pacer.queuedBytes, 0);
});

test('a GOP goes a few packets at a time, in order, across its blocks', () => {
  const { sent, pacer, pass } = setUp();
  for (const from of [0, 30, 60]) pacer.push(block(from, 30));
  assert.equal(sent.length, 40);
  assert.equal(pacer.queuedBytes, 2 * 150, 'a block counts until its last packet has left');
  pass(3);
  assert.equal(sent.length, 40);
  pass(1);
  assert.equal(sent.length, 80);
  pacer.push(block(90, 1));
  assert.equal(sent.length, 80, 'who comes last waits for the others');
  pass(4);
  assert.deepEqual(
    sent,
    Array.from({ length: 91 }, (_, n) => `0 ${n}`),
  );
  assert.equal(pacer.queuedBytes, 0);
});

test('nothing is sent once it is stopped', () => {
  const { sent, pacer, pass } = setUp();
  pacer.push(block(0, 50));
  pacer.stop();
  pass(100);
  assert.equal(sent.length, 40);
  assert.equal(pacer.queuedBytes, 0);
});
