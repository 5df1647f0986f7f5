import assert from 'node:assert/strict';
import type { NetworkInterfaceInfoIPv4 } from 'node:os';
import { test } from 'node:test';
import { isOnOwnNetwork } from '../../../drivers/discovery/interfaces.ts';

function v4(address: string, cidr: string | null): NetworkInterfaceInfoIPv4 {
  return { family: 'IPv4', address, cidr, netmask: '', mac: '', internal: false };
}

const OWN = { eth0: [v4('192.168.4.7', '192.168.4.7/22')], wg0: [v4('10.8.0.2', null)] };

for (const [address, want] of [
  ['192.168.7.254', true],
  ['192.168.8.1', false],
  ['169.254.26.226', false],
  ['192.0.0.64', false],
  ['10.8.0.2', true],
  ['10.8.0.3', false],
  ['fe80::1', true],
  ['cam.local', true],
  ['', true],
] as const) {
  // python-onvif#7, tiscamera#38: cameras with a fixed address of another network.
  test(`${address || 'no address'} ${want ? 'can' : 'cannot'} be reached without a router`, () => {
    assert.equal(isOnOwnNetwork(address, OWN), want);
  });
}
