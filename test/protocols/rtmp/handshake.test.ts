import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { ClientHandshake, HANDSHAKE_BYTES } from '../../../protocols/rtmp/handshake.ts';

const S1 = Uint8Array.from({ length: HANDSHAKE_BYTES }, (_, index) => (index * 31 + 5) & 0xff);
const S2 = new Uint8Array(HANDSHAKE_BYTES).fill(0xee);
const BEHIND = Uint8Array.of(1, 2, 3);

function answer(version: number): Uint8Array {
  return concat(Uint8Array.of(version), S1, S2, BEHIND);
}

test('hello is version 3, a zero time, four zero bytes and 1528 random ones', () => {
  const hello = new ClientHandshake().hello();
  assert.equal(hello.length, 1537);
  assert.deepEqual([...hello.subarray(0, 9)], [3, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.notDeepEqual(new ClientHandshake().hello(), hello);
});

for (const version of [0, 3, 6, 31]) {
  test(`a server of version ${version} gets S1 back, though S2 echoes nothing`, () => {
    const step = new ClientHandshake().push(answer(version));
    assert.deepEqual(step.reply, S1);
    assert.deepEqual(step.rest, BEHIND);
  });
}

test('the reply comes once, as soon as S1 is whole, however the bytes are cut', () => {
  const bytes = answer(3);
  for (let cut = 1; cut < bytes.length; cut += 97) {
    const handshake = new ClientHandshake();
    const steps = [handshake.push(bytes.slice(0, cut)), handshake.push(bytes.slice(cut))];
    assert.deepEqual(
      steps.map((step) => step.reply).filter((reply) => reply !== undefined),
      [S1],
      `cut at ${cut}`,
    );
    assert.equal(steps[0]?.reply !== undefined, cut >= 1 + HANDSHAKE_BYTES);
    assert.equal(steps[0]?.rest !== undefined, cut >= 1 + 2 * HANDSHAKE_BYTES);
  }
});

test('what speaks HTTP is told from RTMP by its first byte', () => {
  const answerOfWebServer = new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n');
  assert.throws(() => new ClientHandshake().push(answerOfWebServer), ParseError);
});
