/**
 * Answers in the form real devices give them, written for these tests after public captures and
 * manuals; serial numbers, addresses and identifiers are made up.
 */

/** Hikvision DS-2CD2xx2, firmware 5.x: MAC and serial in the scopes, IPv6 beside IPv4. */
export const HIKVISION = `<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:wsadis="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><env:Header><wsadis:MessageID>urn:uuid:11111111-5dcc-11b5-8105-4cbd8f000001</wsadis:MessageID>
<wsadis:RelatesTo>urn:uuid:a2a9d1a3-0000-4000-8000-000000000001</wsadis:RelatesTo>
<wsadis:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsadis:To>
<wsadis:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsadis:Action>
<d:AppSequence InstanceId="1637050291" MessageNumber="38"/></env:Header>
<env:Body><d:ProbeMatches><d:ProbeMatch><wsadis:EndpointReference><wsadis:Address>urn:uuid:0d5a1c00-5dcc-11b5-8105-4cbd8f000001</wsadis:Address></wsadis:EndpointReference>
<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>
<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/MAC/4c:bd:8f:00:00:01 onvif://www.onvif.org/hardware/DS-2CD2042WD-I onvif://www.onvif.org/name/HIKVISION%20DS-2CD2042WD-I onvif://www.onvif.org/location/city/hangzhou</d:Scopes>
<d:XAddrs>http://192.168.1.64/onvif/device_service http://[fe80::4ebd:8fff:fe00:1]/onvif/device_service</d:XAddrs>
<d:MetadataVersion>10</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></env:Body></env:Envelope>`;

/** Dahua IPC-HFW: manufacturer is only in the name, EPR is a version 4 UUID, a newline in the list. */
export const DAHUA = `<?xml version="1.0" encoding="utf-8" standalone="yes" ?><s:Envelope xmlns:sc="http://www.w3.org/2003/05/soap-encoding" xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:MessageID>uuid:e29fb0ab-5c4b-d1d0-4fa3-5d0ab1000002</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action><a:RelatesTo>uuid:A2A9D1A3-0000-4000-8000-000000000001</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>uuid:8b3f1c2a-90d1-4c7e-9b60-3cef8c000002</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>onvif://www.onvif.org/location/country/china onvif://www.onvif.org/name/Dahua
 onvif://www.onvif.org/hardware/IPC-HFW4431R-Z onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/type/Network_Video_Transmitter onvif://www.onvif.org/extension/unique_identifier/1</d:Scopes><d:XAddrs>http://10.0.0.108/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;

/** Axis P1448: http and https, link-local addresses, the EPR ends in the MAC. */
export const AXIS = `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsdd="http://schemas.xmlsoap.org/ws/2005/04/discovery"><SOAP-ENV:Header><wsa:MessageID>urn:uuid:5bf15d5e-0000-4000-8000-000000000003</wsa:MessageID><wsa:RelatesTo>urn:uuid:a2a9d1a3-0000-4000-8000-000000000001</wsa:RelatesTo><wsa:To SOAP-ENV:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To><wsa:Action SOAP-ENV:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action></SOAP-ENV:Header><SOAP-ENV:Body><wsdd:ProbeMatches><wsdd:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:5f5a69c2-e0ae-504f-829b-accc8e000003</wsa:Address></wsa:EndpointReference><wsdd:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">dn:NetworkVideoTransmitter tds:Device</wsdd:Types><wsdd:Scopes>onvif://www.onvif.org/type/ptz onvif://www.onvif.org/hardware/P1448-LE onvif://www.onvif.org/name/AXIS%20P1448-LE onvif://www.onvif.org/Profile/T</wsdd:Scopes><wsdd:XAddrs>http://192.168.0.90/onvif/device_service http://169.254.26.226/onvif/device_service https://192.168.0.90/onvif/device_service</wsdd:XAddrs><wsdd:MetadataVersion>1</wsdd:MetadataVersion></wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>`;

/** A four-channel encoder: one match per channel, in one datagram. */
export const RACK = `<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header><w:RelatesTo></w:RelatesTo></e:Header><e:Body><d:ProbeMatches>${[
  1, 2, 3, 4,
]
  .map(
    (channel) =>
      `<d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:00000000-0000-4000-8000-00000000000${channel}</w:Address></w:EndpointReference><d:Types>NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/CH${channel}</d:Scopes><d:XAddrs>http://10.0.0.9:80${channel}/onvif/device_service</d:XAddrs></d:ProbeMatch>`,
  )
  .join('')}</d:ProbeMatches></e:Body></e:Envelope>`;

/** Windows' function discovery answers every probe without types. */
export const WINDOWS_PC = `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof" xmlns:pub="http://schemas.microsoft.com/windows/pub/2005/07"><soap:Header><wsa:RelatesTo>urn:uuid:1</wsa:RelatesTo></soap:Header><soap:Body><wsd:ProbeMatches><wsd:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:77777777-0000-4000-8000-000000000007</wsa:Address></wsa:EndpointReference><wsd:Types>wsdp:Device pub:Computer</wsd:Types><wsd:XAddrs>http://192.168.1.5:5357/77777777/</wsd:XAddrs></wsd:ProbeMatch></wsd:ProbeMatches></soap:Body></soap:Envelope>`;

export const HELLO = HIKVISION.replace('ProbeMatches><d:ProbeMatch>', 'Hello>')
  .replace('</d:ProbeMatch></d:ProbeMatches>', '</d:Hello>')
  .replace('discovery/ProbeMatches', 'discovery/Hello');

export const BYE = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header/><e:Body><d:Bye><w:EndpointReference><w:Address>urn:uuid:0D5A1C00-5DCC-11B5-8105-4CBD8F000001</w:Address></w:EndpointReference></d:Bye></e:Body></e:Envelope>`;
