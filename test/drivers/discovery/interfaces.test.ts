import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo, NetworkInterfaceInfoIPv4 } from 'node:os';
import { test } from 'node:test';
import {
  isHeardOn,
  isOnOwnNetwork,
  listInterfaces,
} from '../../../drivers/discovery/interfaces.ts';

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

function v6(address: string, scopeid: number): NetworkInterfaceInfo {
  return {
    family: 'IPv6',
    address,
    cidr: `${address}/64`,
    netmask: '',
    mac: 'm',
    internal: false,
    scopeid,
  };
}

test('spoken on: one address in each IPv4 network of an interface, and the link-local one', () => {
  const all = {
    lo: [{ ...v4('127.0.0.1', '127.0.0.1/8'), internal: true }],
    eth0: [
      v4('10.0.0.1', '10.0.0.1/24'),
      v4('10.0.0.2', '10.0.0.2/24'),
      v4('192.168.0.5', '192.168.0.5/24'),
      v6('fd00::1', 0),
      v6('fe80::1', 2),
    ],
    // Without IPv4; without any address.
    eth1: [v6('fe80::2', 3)],
    eth2: [],
  };
  const told = (names: string[]) =>
    listInterfaces(names, all).map(({ name, address }) => `${name} ${address}`);
  assert.deepEqual(told([]), ['eth0 10.0.0.1', 'eth0 192.168.0.5', 'eth0 fe80::1', 'eth1 fe80::2']);
  assert.deepEqual(told(['lo', 'eth2']), ['lo 127.0.0.1']);
});

test('an interface that was taken away and came back with its address is another one', () => {
  const key = (index: number) =>
    listInterfaces([], { eth0: [v4('10.0.0.1', '10.0.0.1/24'), v6('fe80::1', index)] })[0]?.key;
  assert.equal(key(2), key(2));
  assert.notEqual(key(2), key(3));
});

test('more addresses than are spoken on', () => {
  const all = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [
      `veth${i}`,
      [v4(`10.1.${i % 256}.1`, `10.1.${i % 256}.1/24`)],
    ]),
  );
  assert.equal(listInterfaces([], all).length, 64);
});

for (const [names, address, want] of [
  [[], '10.8.0.2', true],
  [['eth0'], '192.168.4.8', true],
  [['eth0'], '10.8.0.2', false],
  [['eth0', 'wg0'], '10.8.0.2', true],
  // Of no network of ours: a camera with a fixed address is heard, and told of.
  [['eth0'], '192.0.0.64', true],
  [['eth0'], 'fe80::1%eth0', true],
  [['eth0'], 'fe80::1%wg0', false],
] as const) {
  test(`${address} is ${want ? '' : 'not '}heard where ${names.join(' and ') || 'all'} is spoken on`, () => {
    assert.equal(isHeardOn(names, address, OWN), want);
  });
}
