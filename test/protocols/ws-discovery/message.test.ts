import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  bareUuid,
  isOnvifEndpoint,
  parseWsDiscoveryMessage,
  serializeProbe,
} from '../../../protocols/ws-discovery/message.ts';
import { AXIS, BYE, DAHUA, HELLO, HIKVISION, RACK, WINDOWS_PC } from './datagrams.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function endpointsIn(text: string) {
  const message = parseWsDiscoveryMessage(bytes(text));
  assert.equal(message.kind, 'matches');
  return message.kind === 'matches' ? message.endpoints : [];
}

test('matches of several makers', () => {
  const cases = [
    {
      name: 'Hikvision',
      text: HIKVISION,
      reference: 'urn:uuid:0d5a1c00-5dcc-11b5-8105-4cbd8f000001',
      xaddrs: [
        'http://192.168.1.64/onvif/device_service',
        'http://[fe80::4ebd:8fff:fe00:1]/onvif/device_service',
      ],
      scopes: 6,
    },
    {
      name: 'Dahua',
      text: DAHUA,
      reference: 'uuid:8b3f1c2a-90d1-4c7e-9b60-3cef8c000002',
      xaddrs: ['http://10.0.0.108/onvif/device_service'],
      scopes: 6,
    },
    {
      name: 'Axis',
      text: AXIS,
      reference: 'urn:uuid:5f5a69c2-e0ae-504f-829b-accc8e000003',
      xaddrs: [
        'http://192.168.0.90/onvif/device_service',
        'http://169.254.26.226/onvif/device_service',
        'https://192.168.0.90/onvif/device_service',
      ],
      scopes: 4,
    },
  ];
  for (const { name, text, reference, xaddrs, scopes } of cases) {
    const [endpoint] = endpointsIn(text);
    assert.equal(endpoint?.endpointReference, reference, name);
    assert.deepEqual(endpoint?.types, ['NetworkVideoTransmitter', 'Device'], name);
    assert.deepEqual(endpoint?.xaddrs, xaddrs, name);
    assert.equal(endpoint?.scopes.length, scopes, name);
    assert.equal(isOnvifEndpoint(endpoint!), true, name);
  }
});

test('every match in one datagram counts', () => {
  assert.deepEqual(
    endpointsIn(RACK).map((endpoint) => endpoint.xaddrs[0]),
    [1, 2, 3, 4].map((channel) => `http://10.0.0.9:80${channel}/onvif/device_service`),
  );
});

test('a datagram cut at any byte gives the whole matches before the cut, or a ParseError', () => {
  const whole = bytes(RACK);
  for (let length = 0; length < whole.length; length += 1) {
    let count = 0;
    try {
      const message = parseWsDiscoveryMessage(whole.subarray(0, length));
      count = message.kind === 'matches' ? message.endpoints.length : 0;
      if (message.kind === 'matches') {
        for (const { xaddrs } of message.endpoints) {
          assert.match(xaddrs[0] ?? '', /^http:\/\/10\.0\.0\.9:80\d\/onvif\/device_service$/);
        }
      }
    } catch (error) {
      assert.ok(error instanceof ParseError, String(error));
    }
    const complete = RACK.slice(0, length).split('</d:ProbeMatch>').length - 1;
    assert.equal(count, complete, `cut at ${length}`);
  }
});

test('a Windows computer is no camera', () => {
  const [endpoint] = endpointsIn(WINDOWS_PC);
  assert.equal(isOnvifEndpoint(endpoint!), false);
});

test('hello and bye', () => {
  const hello = parseWsDiscoveryMessage(bytes(HELLO));
  assert.equal(hello.kind, 'hello');
  assert.equal(hello.kind === 'hello' && hello.endpoint.scopes.length, 6);
  const bye = parseWsDiscoveryMessage(bytes(BYE));
  assert.equal(bye.kind, 'bye');
  assert.equal(
    bye.kind === 'bye' && bareUuid(bye.endpoint.endpointReference ?? ''),
    '0d5a1c00-5dcc-11b5-8105-4cbd8f000001',
  );
});

test('a probe reads back as it was written', () => {
  for (const type of ['NetworkVideoTransmitter', 'Device', undefined] as const) {
    assert.deepEqual(parseWsDiscoveryMessage(serializeProbe('abc', type)), {
      kind: 'probe',
      messageId: 'urn:uuid:abc',
      types: type === undefined ? [] : [type],
    });
  }
});

test('identifiers are compared without their prefixes and case', () => {
  for (const text of ['urn:uuid:AB-1', 'uuid:ab-1', ' AB-1 ', 'urn:ab-1']) {
    assert.equal(bareUuid(text), 'ab-1', text);
  }
});

test('XAddrs that are no web address are left out', () => {
  const text = HIKVISION.replace(
    /<d:XAddrs>.*<\/d:XAddrs>/,
    '<d:XAddrs>ftp://x/ http:// javascript:alert(1) http://10.0.0.1/a\x1b[31m</d:XAddrs>',
  );
  const xaddrs = endpointsIn(text)[0]?.xaddrs ?? [];
  assert.equal(xaddrs.length, 1);
  assert.doesNotMatch(xaddrs[0] ?? '', /\p{Cc}/u);
});

test('junk is a ParseError', () => {
  const cases = [
    '',
    '\0',
    'M-SEARCH * HTTP/1.1\r\n\r\n',
    '<a/>',
    '<Envelope/>',
    '<Envelope><Body/></Envelope>',
    '<Envelope><Body><Hello>',
    '<!DOCTYPE x><Envelope/>',
  ];
  for (const text of cases) {
    assert.throws(() => parseWsDiscoveryMessage(bytes(text)), ParseError, JSON.stringify(text));
  }
});

test('arbitrary bytes, and damaged datagrams, give a message or a ParseError', () => {
  const damaged = fc
    .tuple(
      fc.constantFrom(HIKVISION, DAHUA, AXIS, RACK, HELLO, BYE),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }),
    )
    .map(([text, changes]) => {
      const copy = bytes(text);
      for (const [position, value] of changes) copy[position % copy.length] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (datagram) => {
      const before = datagram.slice();
      try {
        parseWsDiscoveryMessage(datagram);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
      assert.deepEqual(datagram, before);
    }),
    { numRuns: 500 },
  );
});
