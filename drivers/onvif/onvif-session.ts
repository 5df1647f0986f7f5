/**
 * The dialogue with one ONVIF device: its login, its clock, where its services are.
 *
 * What the device demands is found out with a request that carries no password, so that a wrong one costs a
 * single refusal (cameras lock accounts after a few). Then HTTP Digest where it is offered and WS-UsernameToken
 * always (ONVIF Core §5.9), stamped with the device's own time.
 *
 * One instance is one login. Clock and nonce are measured anew by the next, and by this one when the device refuses what it
 * granted before.
 */
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../codecs/errors.ts';
import { HttpAuthenticator } from '../../protocols/http-auth/authenticator.ts';
import { usernameTokenHeader } from '../../protocols/soap/username-token.ts';
import type { Credentials } from '../driver.ts';
import {
  type CamCall,
  type CamReply,
  type CamRequest,
  FencedCam,
  SECURITY_PLACEHOLDER,
} from './cam.ts';
import { isTimeZone, readDeviceTime } from './device-time.ts';
import { describeEndpoint, type OnvifEndpoint } from './onvif-endpoint.ts';
import { serviceEndpoint } from './service-address.ts';
import { postSoap, SOAP_TIMEOUT_MS, type SoapReply } from './soap-http.ts';
import { answerOf } from './soap-reply.ts';

/** Devices accept tokens a few seconds old; a difference above this is worth another try. */
const CLOCK_TOLERANCE_MS = 5000;

export interface OnvifSessionOptions {
  /** Of what is asked without a signal of its own. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly timeoutMs?: number;
  /** The device refused the credentials; false: do not send them again now. */
  readonly onRefused?: () => boolean;
  /** How often the device may refuse the credentials until they are not sent again. */
  readonly refusalsLeft?: () => number;
}

/** Otherwise than the package would. */
interface Asked {
  readonly service?: string;
  readonly timeoutMs?: number;
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
  #services: Promise<void> | undefined;
  /** Of the package's own calls. */
  #callSignal: AbortSignal;
  #dateHeaderMs: number | undefined;

  constructor(
    endpoint: OnvifEndpoint,
    credentials: Credentials | undefined,
    options: OnvifSessionOptions,
  ) {
    this.endpoint = endpoint;
    this.#credentials = credentials;
    this.#options = options;
    this.#callSignal = options.signal;
    this.#digest = credentials === undefined ? undefined : new HttpAuthenticator(credentials);
  }

  /** Comes first. Resolves with the answer to GetDeviceInformation, which a login is tried with. */
  async logIn(signal: AbortSignal = this.#options.signal): Promise<CamReply> {
    this.#cam ??= await FencedCam.create((request) => this.send(request, this.#callSignal));
    await this.#measureClock(signal);
    const open = await this.#askWithoutLogin(signal);
    this.#sendsCredentials = this.#credentials !== undefined;
    const reply = open ?? (await this.send(this.#deviceInformation(), signal));
    // Refused without a login and granted with it.
    this.#isLoggedIn = open === undefined;
    return reply;
  }

  /** What the package would send; the reply is the caller's to read. */
  async ask(invoke: CamCall, signal?: AbortSignal, asked: Asked = {}): Promise<CamReply> {
    return await this.send({ ...this.camera.request(invoke), ...asked }, signal);
  }

  /** With the login. Refused, it is asked again, with the clock measured anew, if that may be why. */
  async send(request: CamRequest, signal: AbortSignal = this.#options.signal): Promise<CamReply> {
    let refusal: AuthenticationError;
    try {
      return await this.#exchange(request, this.#sendsCredentials, signal);
    } catch (error) {
      if (!isRefused(error)) throw error;
      refusal = error;
    }
    if (this.#isLoggedIn) return await this.#sendAgain(request, refusal, signal);
    if (!this.#countRefusal() || !(await this.#correctClock(signal))) throw refusal;
    return await this.#sendCounted(request, signal);
  }

  /** Once; of the services below only `device` is there before. */
  async findServices(signal?: AbortSignal): Promise<void> {
    this.#services ??= this.#findServices(signal ?? this.#options.signal).catch((error) => {
      this.#services = undefined;
      throw error;
    });
    await this.#services;
  }

  hasService(name: string): boolean {
    return this.camera.services[name] !== undefined;
  }

  /** Where one of the device's own URLs leads, at the host that answered. */
  endpointAt(url: string): OnvifEndpoint | undefined {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) return undefined;
    const { protocol, hostname, port, pathname, search } = parsed;
    const address = { protocol, hostname, port, path: pathname + search };
    return serviceEndpoint(address, this.#deviceAddress, this.endpoint);
  }

  get camera(): FencedCam {
    if (this.#cam === undefined) throw new Error('onvif: log in first');
    return this.#cam;
  }

  get #deviceAddress() {
    return this.camera.services['device'] ?? this.camera.services['devicemgmt'];
  }

  async #findServices(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#callSignal = signal;
    try {
      await this.camera.call((cam, done) => cam.getServices(false, done));
    } catch (error) {
      // Devices from before ONVIF 2.0 know only GetCapabilities.
      if (!(error instanceof ProtocolError)) throw error;
      await this.camera.call((cam, done) => cam.getCapabilities(done));
    }
  }

  #deviceInformation(): CamRequest {
    return this.camera.request((cam, done) => cam.getDeviceInformation(done));
  }

  /** Undefined when the device wants a login, or will not answer without. */
  async #askWithoutLogin(signal: AbortSignal): Promise<CamReply | undefined> {
    try {
      return await this.#exchange(this.#deviceInformation(), false, signal);
    } catch (error) {
      if (error instanceof AuthenticationError && this.#credentials === undefined) throw error;
      if (!isAnswer(error)) throw error;
      return undefined;
    }
  }

  /** It let us in before: its clock was set since, the password changed, or this user may not ask for this. */
  async #sendAgain(
    request: CamRequest,
    refusal: AuthenticationError,
    signal: AbortSignal,
  ): Promise<CamReply> {
    const before = this.#clockOffsetMs;
    await this.#measureClock(signal);
    if (Math.abs(this.#clockOffsetMs - before) > CLOCK_TOLERANCE_MS) {
      if (!this.#countRefusal()) throw refusal;
      return await this.#sendCounted(request, signal);
    }
    // Which of the others it is costs a second refusal, where the password is wrong by now.
    if ((this.#options.refusalsLeft?.() ?? 2) >= 2 && (await this.#isStillLetIn(signal))) {
      throw new ProtocolError(
        'ONVIF_NOT_AUTHORIZED',
        `the user "${this.#credentials?.username}" may not call ${request.action}: give it the operator role in the camera`,
      );
    }
    this.#isLoggedIn = false;
    this.#countRefusal();
    throw refusal;
  }

  async #isStillLetIn(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#exchange(this.#deviceInformation(), true, signal);
      return true;
    } catch (error) {
      if (!isRefused(error)) throw error;
      this.#countRefusal();
      return false;
    }
  }

  async #sendCounted(request: CamRequest, signal: AbortSignal): Promise<CamReply> {
    try {
      return await this.#exchange(request, true, signal);
    } catch (error) {
      if (isRefused(error)) this.#countRefusal();
      throw error;
    }
  }

  #countRefusal(): boolean {
    return this.#options.onRefused?.() ?? true;
  }

  /** Whether the clock may have been the reason, and is now set differently. */
  async #correctClock(signal: AbortSignal): Promise<boolean> {
    const before = this.#clockOffsetMs;
    await this.#measureClock(signal);
    if (Math.abs(this.#clockOffsetMs - before) > CLOCK_TOLERANCE_MS) return true;
    // Local time given as UTC, and tokens checked against true UTC.
    const mayBeLocal = isTimeZone(this.#clockOffsetMs, 2 * CLOCK_TOLERANCE_MS);
    if (mayBeLocal) this.#clockOffsetMs = 0;
    return mayBeLocal;
  }

  /** ONVIF Core §8.3.1: answers without a login; the HTTP Date header where it does not. */
  async #measureClock(signal: AbortSignal): Promise<void> {
    let deviceMs: number | undefined;
    try {
      const request = this.camera.request((cam, done) => cam.getSystemDateAndTime(done));
      deviceMs = readDeviceTime((await this.#exchange(request, false, signal)).body);
    } catch (error) {
      if (!isAnswer(error)) throw error;
    }
    const now = this.#options.now();
    this.#clockOffsetMs = (deviceMs ?? this.#dateHeaderMs ?? now) - now;
  }

  async #exchange(request: CamRequest, withLogin: boolean, signal: AbortSignal): Promise<CamReply> {
    signal.throwIfAborted();
    const endpoint = request.endpoint ?? this.#serviceEndpoint(request.service);
    const credentials = withLogin ? this.#credentials : undefined;
    let reply = await this.#post(endpoint, request, credentials, signal);
    if (reply.status === 401 && this.#takeChallenge(reply) && credentials !== undefined) {
      reply = await this.#post(endpoint, request, credentials, signal);
    }
    if (reply.wasAuthorized && reply.status !== 401) this.#digest?.accepted();
    this.#dateHeaderMs = reply.dateMs ?? this.#dateHeaderMs;
    const body = answerOf(reply, request.action);
    if (body === undefined) throw this.#refusal(credentials);
    return { http: reply, body };
  }

  async #post(
    endpoint: OnvifEndpoint,
    request: CamRequest,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): Promise<SoapReply & { readonly wasAuthorized: boolean }> {
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
      signal,
      request.timeoutMs ?? this.#options.timeoutMs ?? SOAP_TIMEOUT_MS,
    );
    return { ...reply, wasAuthorized: authorization !== undefined };
  }

  /** Of a 401, Digest only: Basic would send the password in clear. True: it is worth another try. */
  #takeChallenge(reply: SoapReply & { readonly wasAuthorized: boolean }): boolean {
    const digests = reply.challenges.filter((header) => /\bdigest\s/i.test(header));
    return this.#digest?.challenge(digests, reply.wasAuthorized) === 'retry';
  }

  #refusal(credentials: Credentials | undefined): AuthenticationError {
    const where = describeEndpoint(this.endpoint);
    return credentials === undefined
      ? new AuthenticationError(`ONVIF at ${where} asks for a login`, false)
      : new AuthenticationError(
          `ONVIF at ${where} refused the user "${credentials.username}"`,
          true,
        );
  }

  #serviceEndpoint(service: string | undefined): OnvifEndpoint {
    if (service === undefined || service === 'device') return this.endpoint;
    const address = this.camera.services[service];
    if (address === undefined) {
      throw new UnsupportedError(`the ONVIF device has no ${service} service`);
    }
    const endpoint = serviceEndpoint(address, this.#deviceAddress, this.endpoint);
    if (endpoint === undefined) {
      throw new ProtocolError('ONVIF_URI', `the ${service} service has no usable address`);
    }
    return endpoint;
  }
}

function isRefused(error: unknown): error is AuthenticationError {
  return error instanceof AuthenticationError && error.credentialsSent;
}

/** The device answered, if not with what was asked for. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof AuthenticationError ||
    error instanceof ProtocolError ||
    error instanceof ParseError
  );
}
