import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, textAt } from '../../../protocols/soap/xml.ts';
import { parseWsDiscoveryMessage } from '../../../protocols/ws-discovery/message.ts';
import { serializeProbeMatches } from '../../../protocols/ws-discovery/probe-matches.ts';

const ENDPOINT = {
  endpointReference: 'urn:uuid:4f1c3ac0-0d5a-4d6e-8f10-2f7a5a7f2b11',
  scopes: ['onvif://www.onvif.org/Profile/Streaming', 'onvif://www.onvif.org/name/A%20%26%20B'],
  xaddr: 'http://127.0.0.1:8000/onvif/device_service',
};
const ANSWER = {
  // As a Probe may well put it.
  relatesTo: 'urn:uuid:<1> & "2"',
  messageId: '0fb4ba07-9d5b-4d5b-9a0e-0a0a0a0a0a0a',
  instanceId: 7,
  messageNumber: 3,
};

test('an answer is read as it was meant', () => {
  const message = parseWsDiscoveryMessage(serializeProbeMatches(ENDPOINT, ANSWER));
  assert.deepEqual(message, {
    kind: 'matches',
    relatesTo: ANSWER.relatesTo,
    endpoints: [
      {
        endpointReference: ENDPOINT.endpointReference,
        types: ['NetworkVideoTransmitter', 'Device'],
        scopes: ENDPOINT.scopes,
        xaddrs: [ENDPOINT.xaddr],
      },
    ],
  });
});

test('the header has what §5.3 asks for', () => {
  const text = new TextDecoder().decode(serializeProbeMatches(ENDPOINT, ANSWER));
  const envelope = readXml(text);
  assert.equal(textAt(envelope, 'Header', 'MessageID'), `urn:uuid:${ANSWER.messageId}`);
  assert.match(textAt(envelope, 'Header', 'Action') ?? '', /\/ProbeMatches$/);
  assert.match(text, /AppSequence InstanceId="7" MessageNumber="3"/);
});
