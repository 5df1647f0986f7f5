/**
 * The dialogue with one ONVIF device: its login, its clock, where its services are.
 *
 * What the device demands is found out with a request that carries no password, so that a wrong one costs a
 * single refusal (cameras lock accounts after a few). Then HTTP Digest where it is offered and WS-UsernameToken
 * always (ONVIF Core §5.9), stamped with the device's own time.
 *
 * One instance is one attempt: clock and nonce are measured anew by the next.
 */
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../codecs/errors.ts';
import { HttpAuthenticator } from '../../protocols/http-auth/authenticator.ts';
import { usernameTokenHeader } from '../../protocols/soap/username-token.ts';
import {
  child,
  descendants,
  numberAt,
  readXml,
  textAt,
  type XmlElement,
} from '../../protocols/soap/xml.ts';
import type { Credentials } from '../driver.ts';
import {
  type CamCall,
  type CamReply,
  type CamRequest,
  FencedCam,
  SECURITY_PLACEHOLDER,
} from './cam.ts';
import { describeEndpoint, type OnvifEndpoint } from './onvif-endpoint.ts';
import { shownText } from './shown-text.ts';
import { postSoap, SOAP_TIMEOUT_MS, type SoapReply } from './soap-http.ts';

/** Devices accept tokens a few seconds old; a difference above this is worth another try. */
const CLOCK_TOLERANCE_MS = 5000;
const QUARTER_HOUR_MS = 15 * 60_000;
/** What may stand in an HTTP request line. */
const REQUEST_PATH = /^\/[\x21-\x7e]{0,1023}$/;

export interface OnvifSessionOptions {
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly timeoutMs?: number;
  /** The device refused the credentials; false: do not send them again now. */
  readonly onRefused?: () => boolean;
}

export class OnvifSession {
  readonly endpoint: OnvifEndpoint;
  readonly #credentials: Credentials | undefined;
  readonly #options: OnvifSessionOptions;
  readonly #digest: HttpAuthenticator | undefined;
  #cam: FencedCam | undefined;
  /** The device's clock minus ours, as last measured. */
  #clockOffsetMs = 0;
  #sendsCredentials = false;
  #isLoggedIn = false;
  #servicePort: number | undefined;
  #hasServices = false;
  #dateHeaderMs: number | undefined;

  constructor(
    endpoint: OnvifEndpoint,
    credentials: Credentials | undefined,
    options: OnvifSessionOptions,
  ) {
    this.endpoint = endpoint;
    this.#credentials = credentials;
    this.#options = options;
    this.#digest = credentials === undefined ? undefined : new HttpAuthenticator(credentials);
  }

  /** Comes first. Resolves with the answer to GetDeviceInformation, which a login is tried with. */
  async logIn(): Promise<CamReply> {
    await this.#measureClock();
    const open = await this.#askWithoutLogin();
    this.#sendsCredentials = this.#credentials !== undefined;
    const reply = open ?? (await this.call((cam, done) => cam.getDeviceInformation(done)));
    // Refused without a login and granted with it: from here on a refusal is about rights.
    this.#isLoggedIn = open === undefined;
    return reply;
  }

  /** With the login. Refused for the first time it is asked again, with the clock measured anew if that may be why. */
  async call(invoke: CamCall): Promise<CamReply> {
    try {
      return await this.#once(invoke);
    } catch (error) {
      const isRefusal = error instanceof AuthenticationError && error.credentialsSent;
      if (!isRefusal || !(this.#options.onRefused?.() ?? true)) throw error;
      if (!(await this.#correctClock())) throw error;
    }
    try {
      return await this.#once(invoke);
    } catch (error) {
      if (error instanceof AuthenticationError) this.#options.onRefused?.();
      throw error;
    }
  }

  async findServices(): Promise<void> {
    if (this.#hasServices) return;
    try {
      await this.call((cam, done) => cam.getServices(false, done));
    } catch (error) {
      // Devices from before ONVIF 2.0 know only GetCapabilities.
      if (!(error instanceof ProtocolError)) throw error;
      await this.call((cam, done) => cam.getCapabilities(done));
    }
    const { services } = await this.camera();
    this.#servicePort = portOf(services['device'] ?? services['devicemgmt']);
    this.#hasServices = true;
  }

  async camera(): Promise<FencedCam> {
    this.#cam ??= await FencedCam.create((request) => this.#exchange(request));
    return this.#cam;
  }

  /** Undefined when the device wants a login, or will not answer without. */
  async #askWithoutLogin(): Promise<CamReply | undefined> {
    try {
      return await this.#once((cam, done) => cam.getDeviceInformation(done));
    } catch (error) {
      if (error instanceof AuthenticationError && this.#credentials === undefined) throw error;
      const isAnswer =
        error instanceof AuthenticationError ||
        error instanceof ProtocolError ||
        error instanceof ParseError;
      if (!isAnswer) throw error;
      return undefined;
    }
  }

  /** Whether the clock may have been the reason, and is now set differently. */
  async #correctClock(): Promise<boolean> {
    const before = this.#clockOffsetMs;
    await this.#measureClock();
    if (Math.abs(this.#clockOffsetMs - before) > CLOCK_TOLERANCE_MS) return true;
    // Some firmwares give local time as UTC (OpenIPC), but check tokens against true UTC.
    const quarters = Math.round(this.#clockOffsetMs / QUARTER_HOUR_MS);
    const isTimeZone =
      quarters !== 0 &&
      Math.abs(this.#clockOffsetMs - quarters * QUARTER_HOUR_MS) < 2 * CLOCK_TOLERANCE_MS;
    if (isTimeZone) this.#clockOffsetMs = 0;
    return isTimeZone;
  }

  /** ONVIF Core §8.3.1: answers without a login; the HTTP Date header where it does not. */
  async #measureClock(): Promise<void> {
    const sendsCredentials = this.#sendsCredentials;
    this.#sendsCredentials = false;
    try {
      const { body } = await this.#once((cam, done) => cam.getSystemDateAndTime(done));
      const now = this.#options.now();
      this.#clockOffsetMs = (readDeviceTime(body) ?? this.#dateHeaderMs ?? now) - now;
    } catch (error) {
      const isAnswer =
        error instanceof AuthenticationError ||
        error instanceof ProtocolError ||
        error instanceof ParseError;
      if (!isAnswer) throw error;
      const now = this.#options.now();
      this.#clockOffsetMs = (this.#dateHeaderMs ?? now) - now;
    } finally {
      this.#sendsCredentials = sendsCredentials;
    }
  }

  async #once(invoke: CamCall): Promise<CamReply & { readonly data: unknown }> {
    const cam = await this.camera();
    this.#options.signal.throwIfAborted();
    return cam.call(invoke);
  }

  async #exchange(request: CamRequest): Promise<CamReply> {
    const endpoint = this.#serviceEndpoint(request.service);
    let reply = await this.#post(endpoint, request);
    if (reply.status === 401 && this.#isWorthRetrying(reply)) {
      reply = await this.#post(endpoint, request);
    }
    if (reply.wasAuthorized && reply.status !== 401) this.#digest?.accepted();
    this.#dateHeaderMs = reply.dateMs ?? this.#dateHeaderMs;
    const body = readBody(reply);
    const fault = body === undefined ? undefined : child(body, 'Fault');
    if (isRefusal(reply, fault)) throw this.#refusal(request);
    if (fault !== undefined) {
      throw new ProtocolError(
        'ONVIF_FAULT',
        `${request.action}: ${faultText(fault)}`,
        reply.status,
      );
    }
    if (reply.status < 200 || reply.status > 299) {
      throw new ProtocolError('ONVIF_HTTP', `HTTP status ${reply.status}`, reply.status);
    }
    if (body === undefined) throw new ParseError('ONVIF: the reply is not a SOAP envelope');
    return { http: reply, body };
  }

  async #post(
    endpoint: OnvifEndpoint,
    request: CamRequest,
  ): Promise<SoapReply & { readonly wasAuthorized: boolean }> {
    const credentials = this.#sendsCredentials ? this.#credentials : undefined;
    const security =
      credentials === undefined
        ? ''
        : usernameTokenHeader(
            credentials.username,
            credentials.password,
            this.#options.now() + this.#clockOffsetMs,
          );
    const authorization =
      credentials === undefined ? undefined : this.#digest?.authorize('POST', endpoint.path);
    const reply = await postSoap(
      endpoint,
      {
        body: request.body.replace(SECURITY_PLACEHOLDER, () => security),
        action: request.action,
        authorization,
      },
      this.#options.signal,
      this.#options.timeoutMs ?? SOAP_TIMEOUT_MS,
    );
    return { ...reply, wasAuthorized: authorization !== undefined };
  }

  /** Takes the challenge of a 401, Digest only: Basic would send the password in clear. */
  #isWorthRetrying(reply: SoapReply & { readonly wasAuthorized: boolean }): boolean {
    const digests = reply.challenges.filter((header) => /\bdigest\s/i.test(header));
    const verdict = this.#digest?.challenge(digests, reply.wasAuthorized);
    return this.#sendsCredentials && verdict === 'retry';
  }

  #refusal(request: CamRequest): Error {
    const where = describeEndpoint(this.endpoint);
    if (!this.#sendsCredentials || this.#credentials === undefined) {
      return new AuthenticationError(`ONVIF at ${where} asks for a login`, false);
    }
    if (this.#isLoggedIn) {
      return new ProtocolError(
        'ONVIF_NOT_AUTHORIZED',
        `the user "${this.#credentials.username}" may not call ${request.action}: give it the operator role in the camera`,
      );
    }
    return new AuthenticationError(
      `ONVIF at ${where} refused the user "${this.#credentials.username}"`,
      true,
    );
  }

  /**
   * Path and port from the device, the host always the one that answered. A service on the same
   * port as the device service is on the port we reached that by, whatever a NAT made of it.
   */
  #serviceEndpoint(service: string | undefined): OnvifEndpoint {
    if (service === undefined || service === 'device') return this.endpoint;
    const address = this.#cam?.services[service];
    if (address === undefined) {
      throw new UnsupportedError(`the ONVIF device has no ${service} service`);
    }
    const path = address.path ?? this.endpoint.path;
    if (!REQUEST_PATH.test(path)) {
      throw new ProtocolError('ONVIF_URI', `the ${service} service has no usable address`);
    }
    const port = portOf(address);
    const isElsewhere =
      port !== undefined && this.#servicePort !== undefined && port !== this.#servicePort;
    return {
      ...this.endpoint,
      path,
      port: isElsewhere ? port : this.endpoint.port,
    };
  }
}

function portOf(address: { port?: string | null } | undefined): number | undefined {
  if (address === undefined) return undefined;
  const port = Number(address.port ?? 80);
  return port > 0 && port <= 65_535 ? port : undefined;
}

function readBody(reply: SoapReply): XmlElement | undefined {
  try {
    const envelope = readXml(reply.text);
    return envelope.name === 'Envelope' && envelope.closed ? child(envelope, 'Body') : undefined;
  } catch (error) {
    // An HTML error page, or nothing at all: the status tells.
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** ONVIF Core §5.9.1: 401 for HTTP Digest; a fault with subcode NotAuthorized for WS-Security. */
function isRefusal(reply: SoapReply, fault: XmlElement | undefined): boolean {
  if (reply.status === 401 || reply.status === 403) return true;
  if (fault === undefined) return false;
  return [
    ...descendants(fault, 'Value'),
    ...descendants(fault, 'Text'),
    ...descendants(fault, 'faultcode'),
  ].some(({ text }) =>
    /not ?authorized|failedauthentication|invalidsecurity|unauthorized/i.test(text),
  );
}

function faultText(fault: XmlElement): string {
  const text =
    textAt(fault, 'Reason', 'Text') ??
    textAt(fault, 'faultstring') ??
    textAt(fault, 'Code', 'Subcode', 'Value') ??
    'SOAP fault without a reason';
  return shownText(text);
}

function readDeviceTime(body: XmlElement): number | undefined {
  const [utc] = descendants(body, 'UTCDateTime');
  const time = child(utc, 'Time');
  const date = child(utc, 'Date');
  if (time === undefined || date === undefined) return undefined;
  const ms = Date.UTC(
    numberAt(date, 'Year'),
    numberAt(date, 'Month') - 1,
    numberAt(date, 'Day'),
    numberAt(time, 'Hour'),
    numberAt(time, 'Minute'),
    numberAt(time, 'Second'),
  );
  // `toISOString` of a token ends at the year 9999; a device without a battery starts in 1970 or 2000.
  return ms >= 0 && ms < Date.UTC(9000, 0) ? ms : undefined;
}
