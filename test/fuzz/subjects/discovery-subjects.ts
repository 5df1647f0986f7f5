/** What anybody on the LAN may send: WS-Discovery datagrams, SOAP, mDNS texts. */
import { isOnvifReply } from '../../../drivers/discovery/ask-host.ts';
import { sightingOf } from '../../../drivers/discovery/mdns-sighting.ts';
import { parseScanNetwork } from '../../../drivers/discovery/scan-network.ts';
import { parseTxt } from '../../../protocols/mdns/service-cache.ts';
import { readXml } from '../../../protocols/soap/xml.ts';
import { parseWsDiscoveryMessage } from '../../../protocols/ws-discovery/message.ts';
import { packetsInput, packetsOf, parserOf, type Subject, textParserOf } from '../subject.ts';

const PROBE_MATCH = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>uuid:1</a:RelatesTo><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:5f5a69c2</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/hardware/X1 onvif://www.onvif.org/name/A%20B</d:Scopes><d:XAddrs>http://10.0.0.20/onvif/device_service http://[fe80::1]/onvif</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;

const datagram = (text: string) => new TextEncoder().encode(text);

const SERVICE = {
  ...{ key: 'e._mpegts._udp.local', name: 'e', type: '_mpegts._udp', host: 'e.local', port: 5000 },
  addresses: ['10.0.0.9'],
};

export const DISCOVERY_SUBJECTS: readonly Subject[] = [
  {
    ...parserOf('WS-Discovery datagram', parseWsDiscoveryMessage, datagram(PROBE_MATCH)),
    isText: true,
  },
  textParserOf('XML', readXml, PROBE_MATCH, '<a><![CDATA[x]]><b c="d&amp;"/>text</a>'),
  textParserOf(
    'ONVIF reply without a login',
    isOnvifReply,
    '<Envelope><Body><Fault/></Body></Envelope>',
  ),
  textParserOf('network to scan', parseScanNetwork, '10.0.0.0/24', '169.254.7.9'),
  parserOf(
    'mDNS service of an encoder',
    (bytes) => sightingOf({ ...SERVICE, txt: parseTxt([...packetsOf(bytes)]) }, 'eth0'),
    packetsInput(datagram('group=239.1.1.1'), datagram('path=rtsp://cam:554/live?x=1')),
  ),
  parserOf(
    'mDNS TXT',
    (bytes) => parseTxt([...packetsOf(bytes)]),
    packetsInput(datagram('path=/onvif'), datagram('macaddress=00408C123456'), datagram('flag')),
  ),
];
