import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { parseScanNetwork } from '../../../drivers/discovery/scan-network.ts';

const NETWORKS: readonly [string, string, number, string | undefined, string | undefined][] = [
  ['10.0.0.0/24', '10.0.0.0/24', 254, '10.0.0.1', '10.0.0.254'],
  ['10.0.0.77/24', '10.0.0.0/24', 254, '10.0.0.1', '10.0.0.254'],
  ['192.168.16.0/20', '192.168.16.0/20', 4094, '192.168.16.1', '192.168.31.254'],
  ['172.31.255.255', '172.31.255.255/32', 1, '172.31.255.255', '172.31.255.255'],
  [' 169.254.7.9/31 ', '169.254.7.8/31', 2, '169.254.7.8', '169.254.7.9'],
  ['10.1.2.4/30', '10.1.2.4/30', 2, '10.1.2.5', '10.1.2.6'],
];
for (const [text, name, count, first, last] of NETWORKS) {
  test(`a network to scan: ${text}`, () => {
    const network = parseScanNetwork(text);
    assert.equal(network.name, name);
    assert.equal(network.addresses.length, count);
    assert.equal(network.addresses[0], first);
    assert.equal(network.addresses.at(-1), last);
  });
}

const REFUSED: readonly [string, RegExp][] = [
  ['', /such as 10\.0\.0\.0\/24/],
  ['10.0.0.0/33', /such as/],
  ['10.0.0/24', /such as/],
  ['10.0.0.256/24', /such as/],
  ['fd00::/120', /such as/],
  ['10.0.0.0/19', /\/20 or smaller/],
  ['0.0.0.0/0', /\/20 or smaller/],
  ['8.8.8.0/24', /private/],
  ['172.32.0.0/24', /private/],
  ['127.0.0.1', /private/],
  ['224.0.0.251', /private/],
  ['192.0.2.0/24', /private/],
];
for (const [text, why] of REFUSED) {
  test(`not to be scanned: "${text}"`, () => {
    assert.throws(
      () => parseScanNetwork(text),
      (error) => error instanceof ParseError && why.test(error.message),
    );
  });
}

test('whatever is asked for: few addresses, all of them private', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(40), (address, prefix) => {
      try {
        const { addresses } = parseScanNetwork(`${address}/${prefix}`);
        assert.ok(addresses.length >= 1 && addresses.length <= 4094);
        for (const each of addresses)
          assert.match(each, /^(10|172\.(1[6-9]|2\d|3[01])|192\.168|169\.254)\./);
      } catch (error) {
        assert.ok(error instanceof ParseError);
      }
    }),
  );
});
