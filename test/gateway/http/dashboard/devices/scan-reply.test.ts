import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readScanReply } from '../../../../../gateway/http/dashboard/devices/scan-reply.ts';

it('a scan that takes longer than a command says how far it is; what says nothing is no scan', () => {
  const reply = (scan: unknown) => readScanReply({ devices: [], scan });
  assert.deepEqual(reply({ asked: 3, addresses: 254, found: 0, isDone: false }), {
    asked: 3,
    addresses: 254,
    isDone: false,
  });
  assert.equal(reply({ asked: 6, addresses: 6, isDone: true })?.isDone, true);
  for (const scan of [undefined, null, 7, {}, { asked: '3', addresses: 4 }]) {
    assert.equal(reply(scan), undefined);
  }
  assert.equal(readScanReply(undefined), undefined);
});
