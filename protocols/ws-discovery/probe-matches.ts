/** What a device answers to a Probe. WS-Discovery (April 2005) §5.3, ONVIF Core §7.3. */
import { escapeXml } from '../soap/xml.ts';

export interface OwnEndpoint {
  /** `urn:uuid:…`, the same for ever. */
  readonly endpointReference: string;
  readonly scopes: readonly string[];
  readonly xaddr: string;
}

export interface ProbeAnswer {
  /** Of the Probe. */
  readonly relatesTo: string;
  /** A UUID of its own. */
  readonly messageId: string;
  /** Grows with each start of the device, and with each message since (Appendix I). */
  readonly instanceId: number;
  readonly messageNumber: number;
}

export function serializeProbeMatches(endpoint: OwnEndpoint, answer: ProbeAnswer): Uint8Array {
  const discovery = 'http://schemas.xmlsoap.org/ws/2005/04/discovery';
  const addressing = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
  return new TextEncoder().encode(
    '<?xml version="1.0" encoding="UTF-8"?>' +
      `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="${addressing}" xmlns:d="${discovery}"` +
      ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Header>' +
      `<a:MessageID>urn:uuid:${escapeXml(answer.messageId)}</a:MessageID><a:RelatesTo>${escapeXml(answer.relatesTo)}</a:RelatesTo>` +
      `<a:To>${addressing}/role/anonymous</a:To><a:Action>${discovery}/ProbeMatches</a:Action>` +
      `<d:AppSequence InstanceId="${answer.instanceId}" MessageNumber="${answer.messageNumber}"/></s:Header><s:Body>` +
      '<d:ProbeMatches><d:ProbeMatch>' +
      `<a:EndpointReference><a:Address>${escapeXml(endpoint.endpointReference)}</a:Address></a:EndpointReference>` +
      '<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>' +
      `<d:Scopes>${endpoint.scopes.map(escapeXml).join(' ')}</d:Scopes><d:XAddrs>${escapeXml(endpoint.xaddr)}</d:XAddrs>` +
      '<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>',
  );
}
