/**
 * WS-Discovery messages as ONVIF devices use them: Probe out; ProbeMatches, ResolveMatches, Hello
 * and Bye in.
 *
 * WS-Discovery (April 2005) §4 Hello and Bye, §5 Probe and ProbeMatches, §6 ResolveMatches;
 * ONVIF Core §7.3. The parser is namespace-agnostic, so the 1.1 (2009) form is read as well.
 * Not handled: signatures (§8.2), sequence numbers (AppSequence), discovery proxies.
 */
import { ParseError } from '../../codecs/errors.ts';
import { child, descend, escapeXml, readXml, textAt, type XmlElement } from '../soap/xml.ts';

export const WS_DISCOVERY_PORT = 3702;
export const WS_DISCOVERY_GROUP_V4 = '239.255.255.250';
export const WS_DISCOVERY_GROUP_V6 = 'ff02::c';

/** UDP cannot carry more; SOAP-over-UDP §4 allows that much. */
const MAX_DATAGRAM_BYTES = 65_535;
/** An encoder rack answers with one match per channel. */
const MAX_MATCHES = 64;
const MAX_SCOPES = 64;
const MAX_XADDRS = 16;
const MAX_VALUE_CHARS = 512;

/** What a device says about itself in a match, a Hello or a Bye. */
export interface DiscoveredEndpoint {
  /** As sent, usually `urn:uuid:…`; stays the same when the address changes (§2.6). */
  readonly endpointReference: string | undefined;
  /** Local names, for example `NetworkVideoTransmitter`. */
  readonly types: readonly string[];
  readonly scopes: readonly string[];
  /** Only those that are http or https URLs. */
  readonly xaddrs: readonly string[];
}

export type WsDiscoveryMessage =
  | {
      readonly kind: 'matches';
      readonly relatesTo: string | undefined;
      readonly endpoints: readonly DiscoveredEndpoint[];
    }
  | { readonly kind: 'hello' | 'bye'; readonly endpoint: DiscoveredEndpoint }
  | {
      readonly kind: 'probe';
      readonly messageId: string | undefined;
      readonly types: readonly string[];
    }
  | { readonly kind: 'other'; readonly name: string };

/** Reads one datagram. Matches that were received whole count even when the rest is damaged. */
export function parseWsDiscoveryMessage(datagram: Uint8Array): WsDiscoveryMessage {
  if (datagram.length > MAX_DATAGRAM_BYTES) throw new ParseError('WS-Discovery: datagram too long');
  const envelope = readXml(new TextDecoder().decode(datagram));
  const message = child(envelope, 'Body')?.children[0];
  if (envelope.name !== 'Envelope' || message === undefined) {
    throw new ParseError('WS-Discovery: not a SOAP envelope with a body');
  }
  const header = child(envelope, 'Header');
  switch (message.name) {
    case 'ProbeMatches':
    case 'ResolveMatches':
      return {
        kind: 'matches',
        relatesTo: textAt(header, 'RelatesTo'),
        endpoints: message.children
          .filter((match) => match.closed && /^(Probe|Resolve)Match$/.test(match.name))
          .slice(0, MAX_MATCHES)
          .map(readEndpoint),
      };
    case 'Hello':
    case 'Bye':
      if (!message.closed) throw new ParseError(`WS-Discovery: ${message.name} is cut off`);
      return {
        kind: message.name === 'Hello' ? 'hello' : 'bye',
        endpoint: readEndpoint(message),
      };
    case 'Probe':
      return {
        kind: 'probe',
        messageId: textAt(header, 'MessageID'),
        types: localNames(textAt(message, 'Types')),
      };
    default:
      return { kind: 'other', name: message.name };
  }
}

function readEndpoint(element: XmlElement): DiscoveredEndpoint {
  const reference = descend(element, 'EndpointReference', 'Address')?.text.trim();
  return {
    endpointReference:
      reference === undefined || reference === '' ? undefined : reference.slice(0, MAX_VALUE_CHARS),
    types: localNames(textAt(element, 'Types')),
    scopes: words(textAt(element, 'Scopes')).slice(0, MAX_SCOPES),
    xaddrs: words(textAt(element, 'XAddrs'))
      .flatMap((xaddr) => httpUrl(xaddr) ?? [])
      .slice(0, MAX_XADDRS),
  };
}

/**
 * Whether it is an ONVIF device. Probes without Types are answered by printers and computers too;
 * some cameras answer with no Types, or with no scopes.
 */
export function isOnvifEndpoint(endpoint: DiscoveredEndpoint): boolean {
  return (
    endpoint.types.includes('NetworkVideoTransmitter') ||
    endpoint.scopes.some((scope) => scope.toLowerCase().startsWith('onvif://')) ||
    endpoint.xaddrs.some((xaddr) => xaddr.toLowerCase().includes('/onvif/'))
  );
}

export type ProbeType = 'NetworkVideoTransmitter' | 'Device' | undefined;

/** A Probe for one type, or for every device (§5.2). ONVIF Core §7.3.3 names the two types. */
export function serializeProbe(messageId: string, type: ProbeType): Uint8Array {
  const types =
    type === undefined
      ? ''
      : `<d:Types xmlns:dn="http://www.onvif.org/ver10/${
          type === 'Device' ? 'device' : 'network'
        }/wsdl">dn:${type}</d:Types>`;
  return new TextEncoder().encode(
    '<?xml version="1.0" encoding="UTF-8"?>' +
      '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"' +
      ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"' +
      ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>' +
      '<a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>' +
      `<a:MessageID>urn:uuid:${escapeXml(messageId)}</a:MessageID>` +
      '<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>' +
      '<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>' +
      `</s:Header><s:Body><d:Probe>${types}</d:Probe></s:Body></s:Envelope>`,
  );
}

/** `urn:uuid:ABC`, `uuid:abc` and `abc` are the same identifier to us: devices mix them. */
export function bareUuid(identifier: string): string {
  return identifier
    .trim()
    .toLowerCase()
    .replace(/^(urn:)?(uuid:)?/, '');
}

function localNames(qnames: string | undefined): string[] {
  return words(qnames)
    .slice(0, MAX_SCOPES)
    .map((qname) => qname.slice(qname.indexOf(':') + 1));
}

function words(text: string | undefined): string[] {
  return text === undefined
    ? []
    : text.split(/\s+/).filter((word) => word !== '' && word.length <= MAX_VALUE_CHARS);
}

/** In normal form, so that no control character passes. */
function httpUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
}
