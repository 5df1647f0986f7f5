/**
 * A stand-in for an ONVIF camera: answers WS-Discovery, says Hello and Bye, hands out RTSP and snapshot URLs, moves, tells of
 * motion, and lets its clock and encoders be set. It checks logins strictly, and can be wrong in the ways cameras are.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { child, descend, readXml, type XmlElement } from '../../protocols/soap/xml.ts';
import { DeviceService } from './virtual-onvif/device-service.ts';
import { Cut, EventService, type VirtualEventOptions } from './virtual-onvif/event-service.ts';
import { type VirtualAccount, VirtualLogin } from './virtual-onvif/login.ts';
import { MediaService, type VirtualProfile } from './virtual-onvif/media-service.ts';
import { PtzService, type VirtualPtzOptions } from './virtual-onvif/ptz-service.ts';
import {
  DEVICE,
  EVENTS,
  fault,
  MEDIA,
  MEDIA2,
  PTZ,
  soapEnvelope,
  VirtualFault,
  type VirtualService,
} from './virtual-onvif/soap.ts';
import { VirtualWsDiscovery } from './virtual-onvif/ws-discovery.ts';

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
  /** The port likewise. */
  readonly advertisedPort?: number;
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
  readonly ptz?: VirtualPtzOptions;
  readonly events?: VirtualEventOptions;
  /** Knows GetCapabilities only. */
  readonly hasNoGetServices?: boolean;
  /** Lists services with an empty address: all are at that of the device service. */
  readonly hasEmptyXaddrs?: boolean;
  /** Further endpoint references that its ProbeMatches lists first, in the same datagram. */
  readonly siblings?: readonly string[];
  /** Operations that this user may not ask for. */
  readonly forbidden?: readonly string[];
  /** Wraps every SOAP reply; to break them. */
  readonly mangle?: (xml: string, operation: string) => string;
  /** Answers in its own way, where it returns true. */
  readonly answer?: (operation: string, response: ServerResponse) => boolean;
  /** What its snapshot URL gives, behind HTTP Digest unless `auth` is `none`; `none`: it has no such URL. */
  readonly snapshot?: Uint8Array | 'none';
  /** Join WS-Discovery on this port; undefined: do not answer probes. */
  readonly wsDiscoveryPort?: number;
}

const DEVICE_PATH = '/onvif/device_service';

export class VirtualOnvif {
  /** Requests whose login was wrong: what a camera counts before it locks the account. */
  refusals = 0;
  readonly requests: string[] = [];
  /** The Body of each request as it came. */
  readonly bodies: string[] = [];
  readonly headers: string[] = [];
  /** GETs of the snapshot that were let in. */
  snapshots = 0;
  claimedClockOffsetMs: number | undefined;
  readonly device: DeviceService;
  readonly media: MediaService;
  readonly ptz: PtzService;
  readonly events: EventService;
  readonly login: VirtualLogin;
  readonly #options: VirtualOnvifOptions;
  readonly #address: string;
  readonly #account: VirtualAccount;
  #http: Server | undefined;
  #discovery: VirtualWsDiscovery | undefined;

  private constructor(options: VirtualOnvifOptions) {
    this.#options = options;
    this.#address = options.address ?? '127.0.0.1';
    this.claimedClockOffsetMs = options.claimedClockOffsetMs;
    this.#account = {
      username: options.username ?? 'admin',
      password: options.password ?? 'secret',
      clockOffsetMs: options.clockOffsetMs ?? 0,
    };
    this.login = new VirtualLogin(this.#account, options.digestAlgorithm ?? 'MD5');
    this.device = new DeviceService({
      identity: options,
      clock: this.#account,
      claimedOffsetMs: () => this.claimedClockOffsetMs,
      services: () => this.#services(),
      hasNoGetServices: options.hasNoGetServices === true,
    });
    this.ptz = new PtzService(options.ptz ?? {});
    this.media = new MediaService({
      profiles: options.profiles,
      rtspUrl: options.rtspUrl,
      host: options.advertisedHost ?? this.#address,
      snapshotUrl: () =>
        options.snapshot === 'none' ? undefined : `${this.#baseUrl}/snapshot.jpg`,
      ptzConfiguration: (tag) => (options.ptz === undefined ? '' : this.ptz.configuration(tag)),
    });
    this.events = new EventService(
      options.events ?? {},
      () => this.#baseUrl,
      () => this.clockOffsetMs,
    );
  }

  static async start(options: VirtualOnvifOptions): Promise<VirtualOnvif> {
    const device = new VirtualOnvif(options);
    await device.#listen();
    return device;
  }

  get port(): number {
    return (this.#http!.address() as AddressInfo).port;
  }

  get password(): string {
    return this.#account.password;
  }

  set password(password: string) {
    this.#account.password = password;
  }

  get clockOffsetMs(): number {
    return this.#account.clockOffsetMs;
  }

  set clockOffsetMs(clockOffsetMs: number) {
    this.#account.clockOffsetMs = clockOffsetMs;
  }

  get wsDiscoveryPort(): number {
    return this.#discovery?.port ?? 0;
  }

  get endpointReference(): string {
    return this.#options.endpointReference ?? 'urn:uuid:5f5a69c2-e0ae-504f-829b-00fcdeadbeef';
  }

  get xaddr(): string {
    return this.#baseUrl + DEVICE_PATH;
  }

  async hello(withXaddrs = true): Promise<void> {
    await this.#found.hello(withXaddrs);
  }

  async bye(): Promise<void> {
    await this.#found.bye();
  }

  /** Any bytes from the discovery socket to whoever listens. */
  async sendDatagram(bytes: Uint8Array | string): Promise<void> {
    await this.#found.send(bytes);
  }

  async close(): Promise<void> {
    this.#discovery?.close();
    const http = this.#http;
    if (http === undefined) return;
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  }

  /** What it said last of that operation's requests; '' where there was none. */
  lastBody(operation: string): string {
    return this.bodies[this.requests.lastIndexOf(operation)] ?? '';
  }

  lastHeader(operation: string): string {
    return this.headers[this.requests.lastIndexOf(operation)] ?? '';
  }

  get #found(): VirtualWsDiscovery {
    if (this.#discovery === undefined) throw new Error('virtual-onvif: no WS-Discovery socket');
    return this.#discovery;
  }

  get #baseUrl(): string {
    const { advertisedHost = this.#address, advertisedPort = this.port } = this.#options;
    return `http://${advertisedHost}:${advertisedPort}`;
  }

  async #listen(): Promise<void> {
    const http = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#http = http;
    http.listen(this.#options.httpPort ?? 0, this.#address);
    await once(http, 'listening');
    const { wsDiscoveryPort, siblings = [], extraXaddrs = [] } = this.#options;
    if (wsDiscoveryPort === undefined) return;
    const endpoint = {
      address: this.#address,
      reference: this.endpointReference,
      siblings,
      xaddrs: () => [this.xaddr, ...extraXaddrs].join(' '),
      scopes: this.#scopes(),
    };
    this.#discovery = await VirtualWsDiscovery.open(endpoint, wsDiscoveryPort);
  }

  #scopes(): readonly string[] {
    const { model = 'VC-1', mac } = this.#options;
    return (
      this.#options.scopes ?? [
        'onvif://www.onvif.org/type/video_encoder',
        'onvif://www.onvif.org/Profile/Streaming',
        `onvif://www.onvif.org/hardware/${encodeURIComponent(model)}`,
        'onvif://www.onvif.org/name/Virtual%20camera',
        ...(mac === undefined ? [] : [`onvif://www.onvif.org/mac/${mac}`]),
      ]
    );
  }

  #services() {
    const { media2, ptz, events, hasEmptyXaddrs } = this.#options;
    const at = (namespace: string, capability: string, path: string) => ({
      namespace,
      capability,
      xaddr: hasEmptyXaddrs === true && namespace !== DEVICE ? '' : this.#baseUrl + path,
    });
    return [
      at(DEVICE, 'Device', DEVICE_PATH),
      at(MEDIA, 'Media', '/onvif/media_service'),
      ...(media2 === true ? [at(MEDIA2, '', '/onvif/media2_service')] : []),
      ...(ptz === undefined ? [] : [at(PTZ, 'PTZ', '/onvif/ptz_service')]),
      ...(events === undefined ? [] : [at(EVENTS, 'Events', '/onvif/event_service')]),
    ];
  }

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
    const { name } = operation;
    this.requests.push(name);
    this.headers.push(/<s:Header>(.*)<\/s:Header>/s.exec(text)?.[1] ?? '');
    this.bodies.push(/<s:Body[^>]*>(.*)<\/s:Body>/s.exec(text)?.[1] ?? '');
    if (this.#options.answer?.(name, response) === true) return;
    const answer = (status: number, xml: string, headers: Record<string, string> = {}) => {
      const body = this.#options.mangle?.(xml, name) ?? xml;
      response.writeHead(status, {
        'Content-Type': 'application/soap+xml; charset=utf-8',
        ...headers,
      });
      response.end(body);
    };
    const refusal = this.#refusalOf(request, envelope, name);
    if (refusal === 'challenge') {
      const body = '<html><body>401 Unauthorized</body></html>';
      answer(401, body, { 'WWW-Authenticate': this.login.challenge });
      return;
    }
    if (refusal === 'fault') {
      answer(400, soapEnvelope(fault('ter:NotAuthorized', 'Sender not Authorized')));
      return;
    }
    try {
      const result = await this.#perform(operation, child(envelope, 'Header'), request.url ?? '');
      if (result !== undefined) answer(200, soapEnvelope(result));
      else
        answer(
          500,
          soapEnvelope(fault('ter:ActionNotSupported', 'Optional Action Not Implemented')),
        );
    } catch (error) {
      if (error instanceof Cut) response.destroy();
      else if (!(error instanceof VirtualFault)) throw error;
      else answer(400, soapEnvelope(fault(error.subcode, error.message)));
    }
  }

  async #perform(
    operation: XmlElement,
    header: XmlElement | undefined,
    path: string,
  ): Promise<string | undefined> {
    const { media2, ptz, events } = this.#options;
    const namespace = operation.attributes.get('xmlns') ?? '';
    const services = new Map<string, [VirtualService, string]>([
      [DEVICE, [this.device, DEVICE_PATH]],
      [MEDIA, [this.media, '/onvif/media_service']],
    ]);
    if (media2 === true) services.set(MEDIA2, [this.media, '/onvif/media2_service']);
    if (ptz !== undefined) services.set(PTZ, [this.ptz, '/onvif/ptz_service']);
    if (events !== undefined) {
      services.set(EVENTS, [this.events, path]);
      services.set('http://docs.oasis-open.org/wsn/b-2', [this.events, path]);
    }
    const [service, usualPath] = services.get(namespace) ?? [];
    const expected = this.#options.hasEmptyXaddrs === true ? DEVICE_PATH : usualPath;
    if (service !== this.events && path !== expected) return undefined;
    return await service?.perform({ name: operation.name, namespace, operation, header, path });
  }

  #serveSnapshot(request: IncomingMessage, response: ServerResponse): void {
    const { snapshot, auth } = this.#options;
    const { authorization } = request.headers;
    const url = request.url ?? '';
    if (auth !== 'none' && !this.login.isDigestRight(authorization ?? '', 'GET', url)) {
      if (authorization !== undefined) this.refusals += 1;
      response.writeHead(401, { 'WWW-Authenticate': this.login.challenge }).end();
    } else if (url !== '/snapshot.jpg' || !(snapshot instanceof Uint8Array)) {
      response.writeHead(404).end();
    } else {
      this.snapshots += 1;
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(snapshot);
    }
  }

  #refusalOf(
    request: IncomingMessage,
    envelope: XmlElement,
    operation: string,
  ): 'challenge' | 'fault' | undefined {
    // GetSystemDateAndTime, GetServices, GetCapabilities are PRE_AUTH (ONVIF Core §5.9.3).
    if (/^Get(SystemDateAndTime|Services|Capabilities)$/.test(operation)) return undefined;
    const auth = this.#options.auth ?? 'token';
    const token = descend(envelope, 'Header', 'Security', 'UsernameToken');
    const { authorization } = request.headers;
    const isTokenRight = token !== undefined && this.login.isTokenRight(token);
    const isDigestRight =
      authorization !== undefined &&
      this.login.isDigestRight(authorization, 'POST', request.url ?? '');
    const wantsDigest = auth === 'digest' || auth === 'both';
    const wantsToken = auth === 'token' || auth === 'both';
    const isGranted = (!wantsDigest || isDigestRight) && (!wantsToken || isTokenRight);
    if (isGranted) return this.#options.forbidden?.includes(operation) ? 'fault' : undefined;
    const hadLogin = wantsDigest ? authorization !== undefined : token !== undefined;
    if (hadLogin) this.refusals += 1;
    return wantsDigest ? 'challenge' : 'fault';
  }
}
