/** How a virtual camera is found: answers to probes, Hello and Bye. */
import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { escapeXml } from '../../../protocols/soap/xml.ts';
import {
  parseWsDiscoveryMessage,
  type WsDiscoveryMessage,
} from '../../../protocols/ws-discovery/message.ts';
import { DEVICE } from './soap.ts';

const WS_GROUP = '239.255.255.250';

export interface VirtualEndpoint {
  readonly address: string;
  readonly reference: string;
  /** Further ones that its ProbeMatches lists first, in the same datagram. */
  readonly siblings: readonly string[];
  readonly xaddrs: () => string;
  readonly scopes: readonly string[];
}

export class VirtualWsDiscovery {
  readonly #endpoint: VirtualEndpoint;
  readonly #udp: Socket;

  private constructor(endpoint: VirtualEndpoint, udp: Socket) {
    this.#endpoint = endpoint;
    this.#udp = udp;
  }

  static async open(endpoint: VirtualEndpoint, port: number): Promise<VirtualWsDiscovery> {
    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    const discovery = new VirtualWsDiscovery(endpoint, udp);
    udp.on('error', () => {});
    udp.on('message', (bytes, from) => discovery.#answerProbe(bytes, from));
    udp.bind(port, '0.0.0.0');
    await once(udp, 'listening');
    udp.addMembership(WS_GROUP, endpoint.address);
    udp.setMulticastInterface(endpoint.address);
    return discovery;
  }

  get port(): number {
    return this.#udp.address().port;
  }

  async hello(withXaddrs: boolean): Promise<void> {
    const { reference, xaddrs } = this.#endpoint;
    await this.#announce('Hello', this.#endpointXml(reference, withXaddrs ? xaddrs() : ''));
  }

  async bye(): Promise<void> {
    const { reference } = this.#endpoint;
    await this.#announce(
      'Bye',
      `<a:EndpointReference><a:Address>${reference}</a:Address></a:EndpointReference>`,
    );
  }

  async send(bytes: Uint8Array | string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#udp.send(bytes, this.port, WS_GROUP, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.#udp.close();
  }

  #answerProbe(bytes: Uint8Array, from: RemoteInfo): void {
    const probe = readProbe(bytes);
    if (probe?.kind !== 'probe') return;
    const { address, reference, siblings, xaddrs } = this.#endpoint;
    const matches = [...siblings, reference]
      .map((each) => `<d:ProbeMatch>${this.#endpointXml(each, xaddrs())}</d:ProbeMatch>`)
      .join('');
    const body = `<d:ProbeMatches>${matches}</d:ProbeMatches>`;
    const relatesTo = `<a:RelatesTo>${escapeXml(probe.messageId ?? '')}</a:RelatesTo>`;
    // From the device's own address, as a camera does; the shared socket is bound to any.
    const reply = createSocket('udp4');
    reply.on('error', () => reply.close());
    reply.bind(0, address, () => {
      const datagram = discoveryEnvelope('ProbeMatches', body, relatesTo);
      reply.send(datagram, from.port, from.address, () => reply.close());
    });
  }

  #announce(kind: 'Hello' | 'Bye', content: string): Promise<void> {
    return this.send(discoveryEnvelope(kind, `<d:${kind}>${content}</d:${kind}>`, ''));
  }

  #endpointXml(reference: string, xaddrs: string): string {
    return (
      `<a:EndpointReference><a:Address>${reference}</a:Address></a:EndpointReference>` +
      '<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>' +
      `<d:Scopes>${this.#endpoint.scopes.map(escapeXml).join(' ')}</d:Scopes>` +
      (xaddrs === '' ? '' : `<d:XAddrs>${escapeXml(xaddrs)}</d:XAddrs>`) +
      '<d:MetadataVersion>10</d:MetadataVersion>'
    );
  }
}

function readProbe(bytes: Uint8Array): WsDiscoveryMessage | undefined {
  try {
    return parseWsDiscoveryMessage(bytes);
  } catch {
    // Junk that a test sends to all.
    return undefined;
  }
}

function discoveryEnvelope(kind: string, body: string, header: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"' +
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"' +
    ` xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="${DEVICE}"><s:Header>` +
    `<a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>${header}<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>` +
    `<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/${kind}</a:Action></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}
