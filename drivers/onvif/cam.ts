/**
 * The npm package `onvif` (0.8), fenced in. It builds the requests and knows Media 1 from Media 2;
 * HTTP, authentication and XML are ours, because its own have no size limit, trust one clock
 * reading for ever, stumble over some digest challenges, and let exceptions escape from callbacks.
 *
 * Two of its methods are replaced on the instance: `_request`, through which every call goes, and
 * `_envelopeHeader`, which would write the login.
 */
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import { child, readXml, type XmlElement } from '../../protocols/soap/xml.ts';
import type { OnvifEndpoint } from './onvif-endpoint.ts';
import type { SoapReply } from './soap-http.ts';

/** Stands in the envelope where the login goes; a request may be sent again with another one. */
export const SECURITY_PLACEHOLDER = '<!--security-->';

const ENVELOPE_START =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
  `<s:Header>${SECURITY_PLACEHOLDER}`;
const BODY_START =
  '</s:Header><s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">';

export interface CamRequest {
  readonly body: string;
  readonly action: string;
  /** `media`, `media2`, …; undefined for the device service. */
  readonly service: string | undefined;
  /** Instead of the service's address: that of a subscription. */
  readonly endpoint?: OnvifEndpoint;
  readonly timeoutMs?: number;
}

export interface CamReply {
  readonly http: SoapReply;
  /** The SOAP Body. */
  readonly body: XmlElement;
}

/** Sends one request; rejects for a refusal or a fault. */
export type Exchange = (request: CamRequest) => Promise<CamReply>;

type Callback = (error: unknown, data?: unknown, xml?: string, status?: number) => void;

/** As `url.parse` of Node gives it. */
export interface ServiceAddress {
  readonly protocol?: string | null;
  readonly hostname?: string | null;
  readonly path?: string | null;
  readonly port?: string | null;
}

interface OfProfile {
  readonly profileToken: string;
}

/** A part left out is not sent, where the matching `onlySend…` is set. */
interface CamMove extends OfProfile {
  readonly x?: number;
  readonly y?: number;
  readonly zoom?: number;
  readonly onlySendPanTilt?: boolean;
  readonly onlySendZoom?: boolean;
}

/** What we use of `Cam`. The package's own types leave most of it `any`. */
interface CamMethods {
  uri: Record<string, ServiceAddress | undefined> | undefined;
  media2Support: boolean | undefined;
  on(event: 'error' | 'warning', listener: () => void): void;
  getSystemDateAndTime(callback: Callback): void;
  getDeviceInformation(callback: Callback): void;
  getNetworkInterfaces(callback: Callback): void;
  getServices(includeCapability: boolean, callback: Callback): void;
  getCapabilities(callback: Callback): void;
  getProfiles(callback: Callback): void;
  getStreamUri(
    options: { protocol: string; stream: string; profileToken: string },
    callback: Callback,
  ): void;
  getSnapshotUri(options: OfProfile, callback: Callback): void;
  getNodes(callback: Callback): void;
  continuousMove(options: CamMove & { readonly timeout?: number }, callback: Callback): void;
  absoluteMove(options: CamMove, callback: Callback): void;
  stop(
    options: OfProfile & { readonly panTilt: boolean; readonly zoom: boolean },
    callback: Callback,
  ): void;
  gotoHomePosition(options: OfProfile, callback: Callback): void;
  getPresets(options: OfProfile, callback: Callback): void;
  gotoPreset(options: OfProfile & { readonly preset: string }, callback: Callback): void;
  removePreset(options: OfProfile & { readonly presetToken: string }, callback: Callback): void;
  systemReboot(callback: Callback): void;
  setSystemDateAndTime(
    options: {
      readonly dateTimeType: 'Manual' | 'NTP';
      readonly dateTime?: Date;
      readonly daylightSavings: boolean;
      readonly timezone?: string;
    },
    callback: Callback,
  ): void;
  getNTP(callback: Callback): void;
  setNTP(
    options: {
      readonly fromDHCP: boolean;
      readonly NTPManual: {
        readonly type: 'IPv4' | 'IPv6' | 'DNS';
        readonly IPv4Address?: string;
        readonly IPv6Address?: string;
        readonly DNSname?: string;
      }[];
    },
    callback: Callback,
  ): void;
  getVideoEncoderConfigurations(callback: Callback): void;
  getVideoEncoderConfigurationOptions(
    options: { readonly configurationToken: string; readonly profileToken: string },
    callback: Callback,
  ): void;
  _envelopeHeader(isOpen?: boolean): string;
  _request(options: { body: string; service?: string }, callback: Callback): void;
}

export type CamCall = (
  cam: Omit<CamMethods, '_request' | '_envelopeHeader'>,
  callback: Callback,
) => void;

export class FencedCam {
  readonly #cam: CamMethods;
  readonly #exchange: Exchange;
  #lastReply: CamReply | undefined;
  #rejectCall: (error: unknown) => void = () => {};
  #onRequest: CamMethods['_request'] = () => {};

  private constructor(cam: CamMethods, exchange: Exchange) {
    this.#cam = cam;
    this.#exchange = exchange;
    const ignore = () => {
      // What matters is rejected through the call.
    };
    cam.on('error', ignore);
    cam.on('warning', ignore);
    cam._envelopeHeader = (isOpen) => ENVELOPE_START + (isOpen === true ? '' : BODY_START);
    cam._request = (options, callback) => this.#onRequest(options, callback);
  }

  static async create(exchange: Exchange): Promise<FencedCam> {
    // CommonJS: its names are on `default` under Node, on the namespace in a bundle.
    const module: { Cam?: unknown; default?: { Cam?: unknown } } = await import('onvif');
    const Cam = (module.Cam ?? module.default?.Cam) as new (options: {
      hostname: string;
      autoconnect: boolean;
    }) => CamMethods;
    return new FencedCam(new Cam({ hostname: 'unused', autoconnect: false }), exchange);
  }

  /** Device services by name, with path and port as the device gave them. */
  get services(): NonNullable<CamMethods['uri']> {
    return this.#cam.uri ?? {};
  }

  get hasMedia2(): boolean {
    return this.#cam.media2Support === true;
  }

  set hasMedia2(value: boolean) {
    this.#cam.media2Support = value;
  }

  /** One call at a time. Resolves with the last reply the call received, and what the package made of it. */
  call(invoke: CamCall): Promise<CamReply & { readonly data: unknown }> {
    return new Promise((resolve, reject) => {
      this.#lastReply = undefined;
      this.#rejectCall = reject;
      this.#onRequest = (options, callback) => {
        this.#relay(options, callback).catch((error: unknown) => this.#rejectCall(error));
      };
      invoke(this.#cam, (error, data) => {
        if (this.#lastReply === undefined) reject(error ?? new Error('onvif: no reply'));
        else if (error === null || error === undefined) resolve({ ...this.#lastReply, data });
        else reject(notUnderstood(error));
      });
    });
  }

  /**
   * The package's request, and our reading of the reply: its own stumbles over what many cameras leave out, and sends
   * requests of its own behind some. `invoke` must request at once.
   */
  request(invoke: CamCall): CamRequest {
    let request: CamRequest | undefined;
    const before = this.#onRequest;
    this.#onRequest = ({ body, service }) => {
      request ??= { body, service, action: actionOf(body) };
    };
    invoke(this.#cam, () => {});
    this.#onRequest = before;
    if (request === undefined) throw new ProtocolError('ONVIF_REQUEST', 'onvif: nothing to send');
    return request;
  }

  async #relay(options: { body: string; service?: string }, callback: Callback): Promise<void> {
    const { body, service } = options;
    try {
      this.#lastReply = await this.#exchange({ body, service, action: actionOf(body) });
    } catch (error) {
      this.#lastReply = undefined;
      const status = error instanceof ProtocolError ? error.status : undefined;
      callback.call(this.#cam, error, null, '', status);
      return;
    }
    try {
      callback.call(this.#cam, null, [shapeOf(this.#lastReply.body)], '', 200);
    } catch (error) {
      this.#rejectCall(notUnderstood(error));
    }
  }
}

/** A request of our own, where the package has none that fits. `header` goes beside the login. */
export function soapRequest(body: string, service: string, header = ''): CamRequest {
  const envelope = `${ENVELOPE_START}${header}${BODY_START}${body}</s:Body></s:Envelope>`;
  return { body: envelope, service, action: actionOf(envelope) };
}

/** The package trips over replies that lack what it looks for; that is the device's fault, not ours. */
function notUnderstood(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  return new ProtocolError('ONVIF_REPLY', `the reply lacks what was asked for (${error.message})`);
}

/** SOAP 1.2 action: namespace and name of the first element in the body. */
function actionOf(envelope: string): string {
  const request = child(readXml(envelope), 'Body')?.children[0];
  if (request === undefined) throw new ParseError('onvif: request without a body');
  return `${request.attributes.get('xmlns') ?? ''}/${request.name}`;
}

/** The form `onvif` expects, that of xml2js: children in arrays, attributes under `$`, text bare. */
function shapeOf(element: XmlElement): unknown {
  const text = element.text.trim();
  const attributes = [...element.attributes].filter(([name]) => name !== 'xmlns');
  if (element.children.length === 0 && attributes.length === 0) return text;
  const shape: Record<string, unknown> = Object.create(null);
  if (attributes.length > 0) shape['$'] = Object.fromEntries(attributes);
  if (element.children.length === 0) shape['_'] = text;
  for (const each of element.children) {
    const name = lowerFirst(each.name);
    const list = shape[name];
    if (Array.isArray(list)) list.push(shapeOf(each));
    else shape[name] = [shapeOf(each)];
  }
  return shape;
}

/** `GetProfilesResponse` → `getProfilesResponse`, but `XAddr` and `PTZ` stay. */
function lowerFirst(name: string): string {
  const second = name.charAt(1);
  return second !== '' && second.toUpperCase() !== second
    ? name.charAt(0).toLowerCase() + name.slice(1)
    : name;
}
