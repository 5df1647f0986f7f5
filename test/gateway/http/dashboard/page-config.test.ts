import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokerAddress, parsePageConfig } from '../../../../gateway/http/dashboard/page-config.ts';

const local = { view: 'local', mqttUrl: '/mqtt', baseTopic: 'sluice', gateway: 'box' };

describe('config.json', () => {
  const refused: [string, unknown, RegExp][] = [
    ['nothing', null, /JSON object/],
    ['another view', { ...local, view: 'tree' }, /local or fleet/],
    ['a script for a broker', { ...local, mqttUrl: 'javascript:alert(1)' }, /mqttUrl/],
    ['a topic with a wildcard', { ...local, baseTopic: 'a/#' }, /baseTopic/],
    ['no gateway', { ...local, gateway: undefined }, /gateway/],
    ['a play URL that is none', { ...local, playUrl: 'javascript:1' }, /playUrl/],
  ];
  for (const [name, value, words] of refused) {
    it(`${name} is refused`, () => assert.throws(() => parsePageConfig(value), words));
  }

  it('the local one, and the one beside a broker', () => {
    assert.equal(parsePageConfig(local).gateway, 'box');
    const fleet = { view: 'fleet', mqttUrl: 'wss://b/mqtt', baseTopic: 'sites/sluice' };
    assert.deepEqual(parsePageConfig(fleet), { ...fleet, gateway: undefined, playUrl: undefined });
  });
});

const addresses: [string, string, string][] = [
  ['/mqtt', 'http://10.0.0.1:8080/#/wall', 'ws://10.0.0.1:8080/mqtt'],
  ['/mqtt', 'https://shop.example/x/', 'wss://shop.example/mqtt'],
  ['wss://b.example/mqtt', 'http://shop.example/', 'wss://b.example/mqtt'],
];
for (const [mqttUrl, page, want] of addresses) {
  it(`${mqttUrl} of ${page}`, () => assert.equal(brokerAddress(mqttUrl, page), want));
}
