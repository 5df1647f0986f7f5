import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMac, parseScopes } from '../../../protocols/ws-discovery/scopes.ts';

const at = (path: string) => `onvif://www.onvif.org/${path}`;

test('scopes as cameras send them', () => {
  const cases = [
    {
      name: 'percent-encoded',
      scopes: [at('name/HIKVISION%20DS-2CD2042WD-I')],
      want: { name: 'HIKVISION DS-2CD2042WD-I' },
    },
    { name: 'UTF-8', scopes: [at('name/%D0%94%D0%B2%D0%B5%D1%80%D1%8C')], want: { name: 'Дверь' } },
    { name: 'a bare percent sign', scopes: [at('name/50%25%20off%')], want: { name: '50% off%' } },
    { name: 'Latin-1', scopes: [at('name/Entr%E9e%20A')], want: { name: 'Entr%E9e A' } },
    {
      name: 'upper-case category and MAC',
      scopes: [at('MAC/AC-CC-8E-00-00-01')],
      want: { mac: 'accc8e000001' },
    },
    {
      name: 'upper-case host',
      scopes: ['ONVIF://www.ONVIF.org/hardware/X1'],
      want: { hardware: 'X1' },
    },
    { name: 'slash in the value', scopes: [at('hardware/A/B')], want: { hardware: 'A/B' } },
    {
      name: 'the first of a category',
      scopes: [at('name/one'), at('name/two')],
      want: { name: 'one' },
    },
    { name: 'empty value', scopes: [at('name/'), at('name'), at('/x')], want: {} },
    { name: 'control characters', scopes: [at('name/a%1B%5B31mb%00')], want: { name: 'a [31mb' } },
    { name: 'other authorities', scopes: ['http://example/name/x', 'ldap:///ou=x'], want: {} },
    { name: 'serial', scopes: [at('serial/0123456789')], want: { serial: '0123456789' } },
  ];
  const nothing = {
    name: undefined,
    hardware: undefined,
    manufacturer: undefined,
    serial: undefined,
    mac: undefined,
  };
  for (const { name, scopes, want } of cases) {
    assert.deepEqual(parseScopes(scopes), { ...nothing, ...want }, name);
  }
});

test('hardware addresses', () => {
  const cases: [string | undefined, string | undefined][] = [
    ['AC:CC:8E:00:00:01', 'accc8e000001'],
    ['accc.8e00.0001', 'accc8e000001'],
    ['accc8e000001', 'accc8e000001'],
    ['00:00:00:00:00:00', undefined],
    ['01:00:5e:00:00:fb', undefined],
    ['accc8e00000', undefined],
    ['accc8e00000g', undefined],
    [undefined, undefined],
  ];
  for (const [text, want] of cases) assert.equal(parseMac(text), want, text);
});

test('any scope is read without an exception', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseScopes([text, at(text), at(`name/${text}`)]);
      parseMac(text);
    }),
  );
});
