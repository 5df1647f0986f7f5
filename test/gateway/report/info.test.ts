import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { it, mock } from 'node:test';
import { ownAddresses } from '../../../gateway/report/info.ts';

it('addresses are those of before while they cannot be asked', () => {
  const lan = { family: 'IPv4', cidr: null, netmask: '', mac: '', internal: false } as const;
  const interfaces = mock.method(os, 'networkInterfaces', () => ({
    eth1: [{ ...lan, address: '10.0.0.9' }],
    eth0: [
      { ...lan, address: '10.0.0.5' },
      { ...lan, address: 'fe80::1' },
    ],
  }));
  syncBuiltinESMExports();
  try {
    assert.deepEqual(ownAddresses(), ['10.0.0.9', '10.0.0.5']);
    interfaces.mock.mockImplementation(() => {
      throw new Error('uv_interface_addresses: EMFILE');
    });
    assert.deepEqual(ownAddresses(), ['10.0.0.9', '10.0.0.5']);
  } finally {
    interfaces.mock.restore();
    syncBuiltinESMExports();
  }
});
