/**
 * A stand-in for an ONVIF camera: answers WS-Discovery, says Hello and Bye, and speaks enough SOAP
 * to hand out an RTSP URL. It checks logins strictly, and can be wrong in the ways cameras are.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { passwordDigest } from '../../protocols/soap/username-token.ts';
import {
  child,
  descend,
  escapeXml,
  readXml,
  textAt,
  type XmlElement,
} from '../../protocols/soap/xml.ts';
import {
  parseWsDiscoveryMessage,
  type WsDiscoveryMessage,
} from '../../protocols/ws-discovery/message.ts';

export interface VirtualProfile {
  readonly token: string;
  readonly name: string;
  readonly encoding: 'H264' | 'H265' | 'JPEG';
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
  /** Instead of the camera's `rtspUrl`. */
  readonly rtspUrl?: string;
}

export interface VirtualOnvifOptions {
  /** What GetStreamUri leads to; its host is replaced by `advertisedHost`. */
  readonly rtspUrl: string;
  readonly address?: string;
  readonly httpPort?: number;
  readonly username?: string;
  readonly password?: string;
  /** What it demands: a WS-UsernameToken, HTTP Digest, both at once, or nothing. */
  readonly auth?: 'token' | 'digest' | 'both' | 'none';
  readonly digestAlgorithm?: 'MD5' | 'SHA-256';
  /** Its clock minus the true time. */
  readonly clockOffsetMs?: number;
  /** Claims this time instead of its own, as firmwares that give local time for UTC. */
  readonly claimedClockOffsetMs?: number;
  /** The host it puts into every URL it returns. Default: its address. */
  readonly advertisedHost?: string;
  readonly extraXaddrs?: readonly string[];
  readonly endpointReference?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serial?: string;
  readonly mac?: string;
  readonly scopes?: readonly string[];
  readonly profiles?: readonly VirtualProfile[];
  readonly media2?: boolean;
  /** Knows GetCapabilities only. */
  readonly hasNoGetServices?: boolean;
  /** Further endpoint references that its ProbeMatches lists first, in the same datagram. */
  readonly siblings?: readonly string[];
  /** Wraps every SOAP reply; to break them. */
  readonly mangle?: (xml: string, operation: string) => string;
  /** What its snapshot URL gives, behind HTTP Digest unless `auth` is `none`; `none`: it has no such URL. */
  readonly snapshot?: Uint8Array | 'none';
  /** Join WS-Discovery on this port; undefined: do not answer probes. */
  readonly wsDiscoveryPort?: number;
}

const DEFAULT_PROFILES: readonly VirtualProfile[] = [
  {
    token: 'Profile_1',
    name: 'mainStream',
    encoding: 'H264',
    width: 1920,
    height: 1080,
    fps: 25,
    kbps: 4096,
  },
  {
    token: 'Profile_2',
    name: 'subStream',
    encoding: 'H264',
    width: 640,
    height: 360,
    fps: 15,
    kbps: 512,
  },
];
/** As strict as an Axis camera. */
const TOKEN_WINDOW_MS = 5000;
const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';
const MEDIA = 'http://www.onvif.org/ver10/media/wsdl';
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';
const SCHEMA = 'http://www.onvif.org/ver10/schema';
const WS_GROUP = '239.255.255.250';

export class VirtualOnvif {
  /** Requests whose login was wrong: what a camera counts before it locks the account. */
  refusals = 0;
  readonly requests: string[] = [];
  /** GETs of the snapshot that were let in. */
  snapshots = 0;
  clockOffsetMs: number;
  claimedClockOffsetMs: number | undefined;
  password: string;
  readonly #options: VirtualOnvifOptions;
  readonly #address: string;
  readonly #nonces = new Set<string>();
  readonly #realm = 'virtual';
  readonly #nonce = randomBytes(12).toString('hex');
  #http: Server | undefined;
  #udp: Socket | undefined;

  private constructor(options: VirtualOnvifOptions) {
    this.#options = options;
    this.#address = options.address ?? '127.0.0.1';
    this.clockOffsetMs = options.clockOffsetMs ?? 0;
    this.claimedClockOffsetMs = options.claimedClockOffsetMs;
    this.password = options.password ?? 'secret';
  }

  static async start(options: VirtualOnvifOptions): Promise<VirtualOnvif> {
    const device = new VirtualOnvif(options);
    await device.#listen();
    return device;
  }

  get port(): number {
    return (this.#http!.address() as AddressInfo).port;
  }

  get wsDiscoveryPort(): number {
    return this.#udp?.address().port ?? 0;
  }

  get endpointReference(): string {
    return this.#options.endpointReference ?? 'urn:uuid:5f5a69c2-e0ae-504f-829b-00fcdeadbeef';
  }

  get xaddr(): string {
    const host = this.#options.advertisedHost ?? this.#address;
    return `http://${host}:${this.port}/onvif/device_service`;
  }

  async hello(withXaddrs = true): Promise<void> {
    const xaddrs = withXaddrs ? this.#xaddrs() : '';
    await this.#announce('Hello', this.#endpointXml(this.endpointReference, xaddrs));
  }

  async bye(): Promise<void> {
    const address = `<a:EndpointReference><a:Address>${this.endpointReference}</a:Address></a:EndpointReference>`;
    await this.#announce('Bye', address);
  }

  /** Any bytes from the discovery socket to whoever listens. */
  async sendDatagram(bytes: Uint8Array | string): Promise<void> {
    const udp = this.#udp;
    if (udp === undefined) throw new Error('virtual-onvif: no WS-Discovery socket');
    await new Promise<void>((resolve, reject) => {
      udp.send(bytes, this.wsDiscoveryPort, WS_GROUP, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  async close(): Promise<void> {
    this.#udp?.close();
    const http = this.#http;
    if (http === undefined) return;
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  }

  async #listen(): Promise<void> {
    const http = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#http = http;
    http.listen(this.#options.httpPort ?? 0, this.#address);
    await once(http, 'listening');
    if (this.#options.wsDiscoveryPort === undefined) return;
    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    this.#udp = udp;
    udp.on('error', () => {});
    udp.on('message', (bytes, from) => this.#answerProbe(bytes, from));
    udp.bind(this.#options.wsDiscoveryPort, '0.0.0.0');
    await once(udp, 'listening');
    udp.addMembership(WS_GROUP, this.#address);
    udp.setMulticastInterface(this.#address);
  }

  // --- WS-Discovery ---

  #answerProbe(bytes: Uint8Array, from: RemoteInfo): void {
    const probe = readProbe(bytes);
    if (probe?.kind !== 'probe') return;
    const matches = [...(this.#options.siblings ?? []), this.endpointReference]
      .map(
        (reference) =>
          `<d:ProbeMatch>${this.#endpointXml(reference, this.#xaddrs())}</d:ProbeMatch>`,
      )
      .join('');
    const body = `<d:ProbeMatches>${matches}</d:ProbeMatches>`;
    const relatesTo = `<a:RelatesTo>${escapeXml(probe.messageId ?? '')}</a:RelatesTo>`;
    // From the device's own address, as a camera does; the shared socket is bound to any.
    const reply = createSocket('udp4');
    reply.on('error', () => reply.close());
    reply.bind(0, this.#address, () => {
      reply.send(
        discoveryEnvelope('ProbeMatches', body, relatesTo),
        from.port,
        from.address,
        () => {
          reply.close();
        },
      );
    });
  }

  #announce(kind: 'Hello' | 'Bye', content: string): Promise<void> {
    return this.sendDatagram(discoveryEnvelope(kind, `<d:${kind}>${content}</d:${kind}>`, ''));
  }

  #xaddrs(): string {
    return [this.xaddr, ...(this.#options.extraXaddrs ?? [])].join(' ');
  }

  #endpointXml(reference: string, xaddrs: string): string {
    const { model = 'VC-1', mac } = this.#options;
    const scopes = this.#options.scopes ?? [
      'onvif://www.onvif.org/type/video_encoder',
      'onvif://www.onvif.org/Profile/Streaming',
      `onvif://www.onvif.org/hardware/${encodeURIComponent(model)}`,
      'onvif://www.onvif.org/name/Virtual%20camera',
      ...(mac === undefined ? [] : [`onvif://www.onvif.org/mac/${mac}`]),
    ];
    return (
      `<a:EndpointReference><a:Address>${reference}</a:Address></a:EndpointReference>` +
      '<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>' +
      `<d:Scopes>${scopes.map(escapeXml).join(' ')}</d:Scopes>` +
      (xaddrs === '' ? '' : `<d:XAddrs>${escapeXml(xaddrs)}</d:XAddrs>`) +
      '<d:MetadataVersion>10</d:MetadataVersion>'
    );
  }

  // --- SOAP ---

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      this.#serveSnapshot(request, response);
      return;
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const envelope = readXml(text);
    const operation = child(envelope, 'Body')?.children[0];
    if (operation === undefined) throw new Error('no operation');
    this.requests.push(operation.name);
    const answer = (status: number, xml: string, headers: Record<string, string> = {}) => {
      const body = this.#options.mangle?.(xml, operation.name) ?? xml;
      response.writeHead(status, {
        'Content-Type': 'application/soap+xml; charset=utf-8',
        ...headers,
      });
      response.end(body);
    };
    // GetSystemDateAndTime, GetServices, GetCapabilities are PRE_AUTH (ONVIF Core §5.9.3).
    const isPublic = /^Get(SystemDateAndTime|Services|Capabilities)$/.test(operation.name);
    const refusal = isPublic ? undefined : this.#checkLogin(request, envelope);
    if (refusal === 'challenge') {
      const body = '<html><body>401 Unauthorized</body></html>';
      answer(401, body, { 'WWW-Authenticate': this.#challenge() });
      return;
    }
    if (refusal === 'fault') {
      answer(400, soapEnvelope(fault('ter:NotAuthorized', 'Sender not Authorized')));
      return;
    }
    const result = this.#perform(operation);
    if (result === undefined) {
      answer(500, soapEnvelope(fault('ter:ActionNotSupported', 'Optional Action Not Implemented')));
    } else {
      answer(200, soapEnvelope(result));
    }
  }

  #serveSnapshot(request: IncomingMessage, response: ServerResponse): void {
    const { snapshot, auth } = this.#options;
    const { authorization } = request.headers;
    if (auth !== 'none' && !this.#isDigestRight(authorization ?? '', 'GET')) {
      if (authorization !== undefined) this.refusals += 1;
      response.writeHead(401, { 'WWW-Authenticate': this.#challenge() }).end();
    } else if (request.url !== '/snapshot.jpg' || !(snapshot instanceof Uint8Array)) {
      response.writeHead(404).end();
    } else {
      this.snapshots += 1;
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(snapshot);
    }
  }

  #challenge(): string {
    const { digestAlgorithm = 'MD5' } = this.#options;
    return `Digest realm="${this.#realm}", qop="auth, auth-int", nonce="${this.#nonce}", algorithm=${digestAlgorithm}`;
  }

  #checkLogin(request: IncomingMessage, envelope: XmlElement): 'challenge' | 'fault' | undefined {
    const auth = this.#options.auth ?? 'token';
    const token = descend(envelope, 'Header', 'Security', 'UsernameToken');
    const { authorization } = request.headers;
    const isTokenRight = token !== undefined && this.#isTokenRight(token);
    const isDigestRight = authorization !== undefined && this.#isDigestRight(authorization, 'POST');
    const wantsDigest = auth === 'digest' || auth === 'both';
    const wantsToken = auth === 'token' || auth === 'both';
    const isGranted = (!wantsDigest || isDigestRight) && (!wantsToken || isTokenRight);
    if (isGranted) return undefined;
    const hadLogin = wantsDigest ? authorization !== undefined : token !== undefined;
    if (hadLogin) this.refusals += 1;
    return wantsDigest ? 'challenge' : 'fault';
  }

  #isTokenRight(token: XmlElement): boolean {
    const nonce = textAt(token, 'Nonce') ?? '';
    const created = textAt(token, 'Created') ?? '';
    const isFresh =
      Math.abs(Date.parse(created) - (Date.now() + this.clockOffsetMs)) <= TOKEN_WINDOW_MS;
    const isReplay = this.#nonces.has(nonce);
    this.#nonces.add(nonce);
    return (
      isFresh &&
      !isReplay &&
      textAt(token, 'Username') === (this.#options.username ?? 'admin') &&
      textAt(token, 'Password') ===
        passwordDigest(Buffer.from(nonce, 'base64'), created, this.password)
    );
  }

  #isDigestRight(authorization: string, method: string): boolean {
    const value = (name: string) =>
      new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(authorization)?.[1] ?? '';
    const hash = (text: string) =>
      createHash(this.#options.digestAlgorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const username = this.#options.username ?? 'admin';
    const ha1 = hash(`${username}:${this.#realm}:${this.password}`);
    const ha2 = hash(`${method}:${value('uri')}`);
    const expected = hash(`${ha1}:${this.#nonce}:${value('nc')}:${value('cnonce')}:auth:${ha2}`);
    return value('username') === username && value('response') === expected;
  }

  #perform(operation: XmlElement): string | undefined {
    const namespace = operation.attributes.get('xmlns') ?? '';
    const { name } = operation;
    switch (name) {
      case 'GetSystemDateAndTime':
        return this.#systemDateAndTime();
      case 'GetDeviceInformation':
        return this.#deviceInformation();
      case 'GetNetworkInterfaces':
        return this.#networkInterfaces();
      case 'GetServices':
        return this.#options.hasNoGetServices === true ? undefined : this.#services();
      case 'GetCapabilities':
        return this.#capabilities();
      case 'GetProfiles':
        return namespace === MEDIA2 ? this.#profiles2() : this.#profiles();
      case 'GetSnapshotUri':
        if (this.#options.snapshot === 'none') return undefined;
        return this.#uri(name, namespace, textAt(operation, 'ProfileToken') ?? '');
      case 'GetStreamUri':
        return this.#uri(name, namespace, textAt(operation, 'ProfileToken') ?? '');
      default:
        return undefined;
    }
  }

  #systemDateAndTime(): string {
    const time = new Date(Date.now() + (this.claimedClockOffsetMs ?? this.clockOffsetMs));
    return (
      `<tds:GetSystemDateAndTimeResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:SystemDateAndTime>` +
      '<tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>' +
      `<tt:UTCDateTime><tt:Time><tt:Hour>${time.getUTCHours()}</tt:Hour><tt:Minute>${time.getUTCMinutes()}</tt:Minute>` +
      `<tt:Second>${time.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${time.getUTCFullYear()}</tt:Year>` +
      `<tt:Month>${time.getUTCMonth() + 1}</tt:Month><tt:Day>${time.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime>` +
      '</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>'
    );
  }

  #deviceInformation(): string {
    const {
      manufacturer = 'Virtual',
      model = 'VC-1',
      firmware = '1.0',
      serial = 'VC0001',
    } = this.#options;
    return (
      `<tds:GetDeviceInformationResponse xmlns:tds="${DEVICE}"><tds:Manufacturer>${escapeXml(manufacturer)}</tds:Manufacturer>` +
      `<tds:Model>${escapeXml(model)}</tds:Model><tds:FirmwareVersion>${escapeXml(firmware)}</tds:FirmwareVersion>` +
      `<tds:SerialNumber>${escapeXml(serial)}</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`
    );
  }

  #networkInterfaces(): string | undefined {
    const { mac } = this.#options;
    if (mac === undefined) return undefined;
    return (
      `<tds:GetNetworkInterfacesResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:NetworkInterfaces token="eth0">` +
      `<tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>` +
      '</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>'
    );
  }

  #serviceUrl(path: string): string {
    return this.xaddr.replace('/onvif/device_service', path);
  }

  #services(): string {
    const service = (namespace: string, path: string) =>
      `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${this.#serviceUrl(path)}</tds:XAddr>` +
      '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>';
    const services = [
      service(DEVICE, '/onvif/device_service'),
      service(MEDIA, '/onvif/media_service'),
      ...(this.#options.media2 === true ? [service(MEDIA2, '/onvif/media2_service')] : []),
    ];
    return `<tds:GetServicesResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}">${services.join('')}</tds:GetServicesResponse>`;
  }

  #capabilities(): string {
    return (
      `<tds:GetCapabilitiesResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:Capabilities>` +
      `<tt:Device><tt:XAddr>${this.#serviceUrl('/onvif/device_service')}</tt:XAddr></tt:Device>` +
      `<tt:Media><tt:XAddr>${this.#serviceUrl('/onvif/media_service')}</tt:XAddr></tt:Media>` +
      '</tds:Capabilities></tds:GetCapabilitiesResponse>'
    );
  }

  #encoder(profile: VirtualProfile): string {
    return (
      `<tt:Name>enc</tt:Name><tt:Encoding>${profile.encoding}</tt:Encoding>` +
      `<tt:Resolution><tt:Width>${profile.width}</tt:Width><tt:Height>${profile.height}</tt:Height></tt:Resolution>` +
      `<tt:RateControl><tt:FrameRateLimit>${profile.fps}</tt:FrameRateLimit><tt:BitrateLimit>${profile.kbps}</tt:BitrateLimit></tt:RateControl>`
    );
  }

  #profiles(): string {
    const profiles = (this.#options.profiles ?? DEFAULT_PROFILES).map(
      (profile) =>
        `<trt:Profiles token="${escapeXml(profile.token)}" fixed="true"><tt:Name>${escapeXml(profile.name)}</tt:Name>` +
        `<tt:VideoEncoderConfiguration token="e">${this.#encoder(profile)}</tt:VideoEncoderConfiguration></trt:Profiles>`,
    );
    return `<trt:GetProfilesResponse xmlns:trt="${MEDIA}" xmlns:tt="${SCHEMA}">${profiles.join('')}</trt:GetProfilesResponse>`;
  }

  #profiles2(): string {
    const profiles = (this.#options.profiles ?? DEFAULT_PROFILES).map(
      (profile) =>
        `<tr2:Profiles token="${escapeXml(profile.token)}" fixed="true"><tr2:Name>${escapeXml(profile.name)}</tr2:Name>` +
        `<tr2:Configurations><tr2:VideoEncoder token="e">${this.#encoder(profile)}</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>`,
    );
    return `<tr2:GetProfilesResponse xmlns:tr2="${MEDIA2}" xmlns:tt="${SCHEMA}">${profiles.join('')}</tr2:GetProfilesResponse>`;
  }

  #uri(operation: string, namespace: string, token: string): string | undefined {
    const profile = (this.#options.profiles ?? DEFAULT_PROFILES).find(
      (each) => each.token === token,
    );
    if (profile === undefined) return undefined;
    const host = this.#options.advertisedHost ?? this.#address;
    const url =
      operation === 'GetSnapshotUri'
        ? `http://${host}:${this.port}/snapshot.jpg`
        : (profile.rtspUrl ?? this.#options.rtspUrl).replace(/(:\/\/)[^:/]+/, `$1${host}`);
    return namespace === MEDIA2
      ? `<tr2:${operation}Response xmlns:tr2="${MEDIA2}"><tr2:Uri>${escapeXml(url)}</tr2:Uri></tr2:${operation}Response>`
      : `<trt:${operation}Response xmlns:trt="${MEDIA}" xmlns:tt="${SCHEMA}"><trt:MediaUri><tt:Uri>${escapeXml(url)}</tt:Uri>` +
          `<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect></trt:MediaUri></trt:${operation}Response>`;
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

function soapEnvelope(body: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">' +
    `<s:Header/><s:Body>${body}</s:Body></s:Envelope>`
  );
}

function fault(subcode: string, reason: string): string {
  return (
    '<s:Fault><s:Code><s:Value>s:Sender</s:Value>' +
    `<s:Subcode><s:Value xmlns:ter="http://www.onvif.org/ver10/error">${subcode}</s:Value></s:Subcode></s:Code>` +
    `<s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`
  );
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
