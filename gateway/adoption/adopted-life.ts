/** An adopted device as a stream, for as long as the gateway runs: where it is now, its driver, its logins. */
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { ProtocolError } from '../../codecs/errors.ts';
import { OnvifCamera } from '../../drivers/camera/onvif-camera.ts';
import { RtspCamera } from '../../drivers/camera/rtsp-camera.ts';
import { sourceKindOf } from '../../drivers/catalog.ts';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import type { DriverContext, StreamDriver } from '../../drivers/driver.ts';
import { MovingSource } from '../../drivers/moving-source.ts';
import { type CredentialChooser, HOLD_MS } from '../../drivers/onvif/credential-chooser.ts';
import type { DeviceDescription } from '../../drivers/onvif/onvif-client.ts';
import { endpointsOf, type OnvifEndpoint } from '../../drivers/onvif/onvif-endpoint.ts';
import type { ProfileRule } from '../../drivers/onvif/profile-choice.ts';
import { redactUrl } from '../../protocols/source-url.ts';
import type { Cause } from '../causes.ts';
import type { CauseCode, StreamInfo } from '../report/status.ts';
import type { AdoptionRecord } from './adoption-record.ts';
import { apartWords } from './apart.ts';

export interface AdoptedStream {
  readonly name: string;
  readonly driver: StreamDriver;
  /** Where it is now, without secrets. */
  readonly sourceUrl: string;
  readonly who: string;
  readonly describe: () => Partial<StreamInfo>;
  /** What discovery knows about why it does not work. */
  readonly amend: (cause: Cause) => Cause;
}

export interface AdoptedLifeContext {
  readonly name: string;
  readonly record: AdoptionRecord;
  readonly logins: CredentialChooser;
  readonly profile: ProfileRule;
  readonly device: (id: string) => DiscoveredDevice | undefined;
  /** At each attempt: where it is not any more, it may be found elsewhere. */
  readonly searchFor: (id: string) => void;
  /** It has said who it is. */
  readonly described: (description: DeviceDescription) => void;
  readonly log: Logger;
  readonly now: () => number;
}

export class AdoptedLife implements AdoptedStream {
  readonly driver: StreamDriver;
  readonly #context: AdoptedLifeContext;
  readonly #onvif: OnvifCamera | undefined;
  /** Under which it is listed; undefined until discovery has found it. */
  #deviceId: string | undefined;
  /** Where it was connected to last. */
  #hostInUse: string | undefined;
  /** Somebody else answers where it was kept to be: that place is left alone. */
  #isElsewhereUntilMs = 0;

  constructor(context: AdoptedLifeContext) {
    this.#context = context;
    const { record, name, log, now } = context;
    const driverContext = { log: log.child({ stream: name }), now };
    if (record.sourceUrl === undefined) {
      this.#onvif = this.#openOnvif(driverContext);
      this.driver = this.#onvif;
    } else {
      this.driver = new MovingSource(
        () => {
          this.#search();
          return this.#url;
        },
        (url) => this.#openUrl(url, driverContext),
      );
    }
  }

  get name(): string {
    return this.#context.name;
  }

  get record(): AdoptionRecord {
    return this.#context.record;
  }

  get logins(): CredentialChooser {
    return this.#context.logins;
  }

  get sourceUrl(): string {
    if (this.#onvif !== undefined) return `onvif://${this.#host}`;
    return redactUrl(this.#url ?? this.record.sourceUrl ?? '');
  }

  get who(): string {
    const what = sourceKindOf(this.record.sourceUrl ?? 'rtsp://')?.what ?? 'camera';
    return `The ${what} ${this.name} at ${this.#host}`;
  }

  readonly describe = (): Partial<StreamInfo> => {
    const { manufacturer, model, serial, firmware, profile } = this.#onvif?.description ?? {};
    const { record } = this;
    return present({
      manufacturer: manufacturer ?? record.manufacturer,
      model: model ?? record.model,
      serial: serial ?? record.toldSerial,
      firmware,
      profile,
    });
  };

  readonly amend = (cause: Cause): Cause => {
    if (cause.code === 'other-device' && !this.isSure) this.#distrust();
    if (cause.code === 'no-address' && this.#isDistrusted) {
      const [address = 'its last address'] = this.record.addresses;
      const words = `The camera ${this.name} is not at ${address} any more: another device answers there, or its password was changed. Waiting for it to be found.`;
      return { ...cause, code: 'other-device', reason: words };
    }
    return apartCause(cause, this.#device);
  };

  get deviceId(): string | undefined {
    return this.#deviceId;
  }

  /** Discovery lists it under this id, and `keptAt` is where it was kept to be. */
  found(device: DiscoveredDevice, keptAt: readonly string[]): void {
    this.#deviceId = device.id;
    const [address] = device.addresses;
    if (address !== undefined && !keptAt.includes(address)) this.logins.forgive();
  }

  /** Discovery lists it no more. */
  lost(): void {
    this.#deviceId = undefined;
  }

  /** The login was refused. Where it is not sure who that was, nothing more is tried there. */
  loginRefused(): void {
    if (!this.isSure) this.#distrust();
  }

  /** Whether discovery has heard of it; before, another device may have its address. */
  get isFound(): boolean {
    return this.#device !== undefined;
  }

  /** Whether it is it that answers; one that has left may have left its address to another. */
  get isSure(): boolean {
    return this.#device?.gone === false;
  }

  /** It is connected to an address that is not the first of these any more; `gone`: and is none of them. */
  hasMoved({ addresses }: DiscoveredDevice): 'no' | 'maybe' | 'gone' {
    const host = this.#hostInUse;
    if (host === undefined || isIP(host) === 0 || host === addresses[0]) return 'no';
    return addresses.includes(host) ? 'maybe' : 'gone';
  }

  /** Whether it may be this device that it plays from, as far as the address tells. */
  playsFrom({ addresses }: DiscoveredDevice): boolean {
    return this.#hostInUse !== undefined && addresses.includes(this.#hostInUse);
  }

  get #device(): DiscoveredDevice | undefined {
    return this.#deviceId === undefined ? undefined : this.#context.device(this.#deviceId);
  }

  #search(): void {
    if (this.#deviceId !== undefined) this.#context.searchFor(this.#deviceId);
  }

  get #host(): string {
    return this.#device?.addresses[0] ?? this.record.addresses[0] ?? 'an unknown address';
  }

  #distrust(): void {
    this.#isElsewhereUntilMs = this.#context.now() + HOLD_MS;
  }

  get #isDistrusted(): boolean {
    const leftMs = this.#isElsewhereUntilMs - this.#context.now();
    return !this.isSure && leftMs > 0 && leftMs <= HOLD_MS;
  }

  get #endpoints(): readonly OnvifEndpoint[] {
    this.#search();
    if (this.#isDistrusted) return [];
    const found = this.#device === undefined ? [] : endpointsOf(this.#device);
    return found.length > 0 ? found : this.record.endpoints;
  }

  get #url(): string | undefined {
    const device = this.#device;
    const kept = this.record.sourceUrl;
    if (this.#isDistrusted) return undefined;
    if (device === undefined) return kept;
    const told = urlsOf(device);
    return kept !== undefined && told.includes(kept) ? kept : (told[0] ?? kept);
  }

  #openOnvif(driverContext: DriverContext): OnvifCamera {
    const { record, logins, profile, described } = this.#context;
    const camera: OnvifCamera = new OnvifCamera(
      {
        endpoints: () => this.#endpoints,
        credentials: logins,
        profile,
        transport: 'auto',
        keepsIdentity: true,
        identity: { serial: record.toldSerial, mac: record.mac },
        openRtsp: (source, context) => {
          this.#hostInUse = hostOf(source.url);
          if (camera.description !== undefined) described(camera.description);
          return new RtspCamera(source, context);
        },
      },
      driverContext,
    );
    return camera;
  }

  #openUrl(url: string, driverContext: DriverContext): StreamDriver {
    const { logins } = this.#context;
    this.#hostInUse = hostOf(url);
    if (/^rtsps?:/i.test(url)) {
      // Cameras sign their own certificates.
      const tls = { insecure: true };
      return new RtspCamera({ url, transport: 'auto', logins, tls }, driverContext);
    }
    const kind = sourceKindOf(url);
    if (kind === undefined) {
      throw new ProtocolError('NO_ADDRESS', 'it offers a stream of a kind that is not known here');
    }
    return kind.open({ url, transport: 'auto' }, driverContext);
  }
}

/** Of a device that does not speak ONVIF. */
export function urlsOf(device: DiscoveredDevice): string[] {
  const known = [...device.rtspUrls, ...device.sourceUrls];
  return known.filter((url) => sourceKindOf(url) !== undefined);
}

const NETWORK_CODES: ReadonlySet<CauseCode> = new Set(['timeout', 'network', 'refused']);

/** A device that was heard, and cannot be reached because of its address. */
export function apartCause(cause: Cause, device: DiscoveredDevice | undefined): Cause {
  if (!NETWORK_CODES.has(cause.code) || device === undefined) return cause;
  const apart = apartWords(device.addresses, device.answered);
  if (apart === undefined) return cause;
  return { ...cause, code: 'other-network', reason: `${cause.reason} ${apart}` };
}

/** Without the keys whose value is undefined. */
export function present<T extends object>(
  value: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  // The entries are the object's own, less those that are undefined.
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : undefined;
}
