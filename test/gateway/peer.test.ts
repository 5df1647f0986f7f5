import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerOf } from '../../gateway/peer.ts';

const peers = [
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::1', '::1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['fe80::1234:5678%eth0', 'fe80:0:0:0'],
  [undefined, 'unknown'],
] as const;

test('an IPv6 peer is its /64', () => {
  for (const [address, wanted] of peers) assert.equal(peerOf(address), wanted, address);
});
