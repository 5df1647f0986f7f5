/**
 * From a found device to a stream: logs in to learn who it is, gives it a name that it keeps, and
 * hands it to the fleet. What stands in the way is told on the board and tried again.
 */
import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { AuthenticationError } from '../codecs/errors.ts';
import { OnvifCamera } from '../drivers/camera/onvif-camera.ts';
import { RtspCamera } from '../drivers/camera/rtsp-camera.ts';
import type { DeviceEvents, DiscoveredDevice } from '../drivers/discovery/device-registry.ts';
import type { Discovery } from '../drivers/discovery/discovery.ts';
import type { Credentials, StreamDriver } from '../drivers/driver.ts';
import { CredentialChooser } from '../drivers/onvif/credential-chooser.ts';
import { type DeviceDescription, OnvifClient } from '../drivers/onvif/onvif-client.ts';
import { endpointsOf } from '../drivers/onvif/onvif-endpoint.ts';
import type { AdoptedNames } from './adopted-names.ts';
import { apartWords } from './apart.ts';
import { type Cause, explain } from './causes.ts';
import type { DiscoveryConfig } from './config/schema.ts';
import { fillTemplate, toName, uniqueName } from './names.ts';
import type { Board } from './report/board.ts';
import type { FoundDevice, StreamInfo } from './report/status.ts';
import { Supervisor, type SupervisorContext } from './supervisor.ts';

export interface AdoptedStream {
  readonly name: string;
  readonly driver: StreamDriver;
  readonly sourceUrl: string;
  readonly who: string;
  readonly describe: () => Partial<StreamInfo>;
}

/** Where adopted devices go. */
export interface AdoptionTarget {
  /** The configured or adopted stream that this address already serves. */
  streamAt(addresses: readonly string[]): string | undefined;
  isNameTaken(name: string): boolean;
  add(stream: AdoptedStream, signal: AbortSignal): void;
  /** The device was heard of again: stop waiting, for one that has moved also at its old address. */
  wake(name: string, hasMoved: boolean): void;
}

export interface AdoptionContext extends SupervisorContext {
  readonly config: DiscoveryConfig;
  readonly discovery: EventEmitter<DeviceEvents> &
    Pick<Discovery, 'device' | 'learn' | 'searchFor'>;
  readonly target: AdoptionTarget;
  readonly names: AdoptedNames;
  readonly board: Board;
  readonly log: Logger;
}

interface Candidate {
  /** Where it was heard last. */
  address: string | undefined;
  adoptedAs: string | undefined;
  needsPassword: boolean;
  reason: string | undefined;
  readonly stop: AbortController;
  isRunning: boolean;
}

export class Adoption {
  readonly #context: AdoptionContext;
  readonly #candidates = new Map<string, Candidate>();
  readonly #credentials: readonly Credentials[];

  constructor(context: AdoptionContext) {
    this.#context = context;
    this.#credentials = context.config.credentials.map(({ username, password }) => ({
      username,
      password: password ?? '',
    }));
  }

  /** Follows discovery until aborted. */
  follow(signal: AbortSignal): void {
    const { discovery, board } = this.#context;
    discovery.on('found', (device) => this.#met(device, signal));
    discovery.on('changed', (device) => this.#met(device, signal));
    discovery.on('gone', (device, supersededBy) => {
      if (supersededBy === undefined) return;
      this.#candidates.get(device.id)?.stop.abort();
      this.#candidates.delete(device.id);
      board.removeFound(device.id);
    });
  }

  #met(device: DiscoveredDevice, signal: AbortSignal): void {
    const candidate = this.#candidates.get(device.id) ?? this.#newCandidate(device.id);
    const [address] = device.addresses;
    const hasMoved = candidate.address !== undefined && address !== candidate.address;
    candidate.address = address;
    if (candidate.adoptedAs !== undefined) {
      this.#context.target.wake(candidate.adoptedAs, hasMoved);
    } else if (!candidate.isRunning) this.#begin(device, candidate, signal);
    this.#tell(device.id);
  }

  #newCandidate(id: string): Candidate {
    const candidate: Candidate = {
      address: undefined,
      adoptedAs: undefined,
      needsPassword: false,
      reason: undefined,
      stop: new AbortController(),
      isRunning: false,
    };
    this.#candidates.set(id, candidate);
    return candidate;
  }

  #begin(device: DiscoveredDevice, candidate: Candidate, signal: AbortSignal): void {
    const { config, target } = this.#context;
    candidate.adoptedAs = target.streamAt(device.addresses);
    if (candidate.adoptedAs !== undefined) return;
    const hasSource = endpointsOf(device).length > 0 || device.rtspUrls.length > 0;
    if (!hasSource) {
      candidate.reason =
        'It was seen, but says neither where its ONVIF service nor its RTSP stream is.';
      return;
    }
    if (config.adopt !== 'auto') {
      candidate.reason = `Not adopted: discovery.adopt is ${config.adopt}. Add it under streams, or set discovery.adopt to auto.`;
      return;
    }
    candidate.isRunning = true;
    const life = AbortSignal.any([signal, candidate.stop.signal]);
    if (endpointsOf(device).length > 0) void this.#adoptOnvif(device.id, candidate, life);
    else this.#adoptRtsp(device, candidate, life);
  }

  /** Logs in until it succeeds once; the stream's own supervision takes over from there. */
  async #adoptOnvif(id: string, candidate: Candidate, signal: AbortSignal): Promise<void> {
    const chooser = new CredentialChooser(this.#credentials, this.#context.now);
    const done = new AbortController();
    const known = this.#context.names.find(this.#keysOf(id));
    if (known !== undefined) {
      this.#addOnvif(id, known, chooser, candidate, signal);
      return;
    }
    const supervisor = new Supervisor(
      {
        run: async (attempt) => {
          const description = await this.#logIn(id, chooser, attempt);
          this.#context.discovery.learn(id, description);
          this.#addOnvif(id, this.#nameFor(id, description), chooser, candidate, signal);
          done.abort();
        },
        explain: (error) => this.#explain(id, error, candidate),
        changed: () => undefined,
      },
      this.#context,
    );
    await supervisor.run(AbortSignal.any([signal, done.signal]));
  }

  async #logIn(
    id: string,
    chooser: CredentialChooser,
    signal: AbortSignal,
  ): Promise<DeviceDescription> {
    const device = this.#context.discovery.device(id);
    let lastError: unknown = new Error('no address of this device is known yet');
    for (const endpoint of device === undefined ? [] : endpointsOf(device)) {
      try {
        do {
          const credentials = chooser.next();
          try {
            const client = new OnvifClient(endpoint, credentials, {
              signal,
              now: this.#context.now,
              onRefused: () => chooser.refused(credentials),
            });
            const description = await client.describeDevice();
            chooser.worked(credentials);
            return description;
          } catch (error) {
            if (!(error instanceof AuthenticationError) || !error.credentialsSent) throw error;
            lastError = error;
          }
        } while (chooser.hasUntried && chooser.heldUntilMs === undefined);
        break;
      } catch (error) {
        lastError = error;
        if (error instanceof AuthenticationError) break;
      }
    }
    throw lastError;
  }

  #addOnvif(
    id: string,
    name: string,
    chooser: CredentialChooser,
    candidate: Candidate,
    signal: AbortSignal,
  ): void {
    const { config, discovery, names, target, log, now } = this.#context;
    names.keep(this.#keysOf(id), name);
    const device = discovery.device(id);
    const host = device?.addresses[0] ?? 'unknown';
    const driver = new OnvifCamera(
      {
        endpoints: () => {
          // Asked at each attempt: where it is not any more, it may be found elsewhere.
          discovery.searchFor(id);
          const current = discovery.device(id);
          return current === undefined ? [] : endpointsOf(current);
        },
        credentials: chooser,
        profile: profileRule(config.profile),
        transport: 'auto',
        keepsIdentity: true,
        openRtsp: (source, context) => new RtspCamera(source, context),
      },
      { log: log.child({ stream: name }), now },
    );
    this.#hand(id, candidate, signal, target, {
      name,
      driver,
      sourceUrl: `onvif://${host}`,
      who: `The camera ${name} at ${host}`,
      describe: () => present(driver.description ?? {}),
    });
  }

  /** A camera that only says where its stream is: the first of the credentials is used. */
  #adoptRtsp(device: DiscoveredDevice, candidate: Candidate, signal: AbortSignal): void {
    const { names, target, log, now } = this.#context;
    const [url] = device.rtspUrls;
    const [credentials] = this.#credentials;
    if (url === undefined) return;
    const name = names.find(this.#keysOf(device.id)) ?? this.#nameFor(device.id, {});
    names.keep(this.#keysOf(device.id), name);
    const driver = new RtspCamera(
      { url, transport: 'auto', ...(credentials === undefined ? {} : { credentials }) },
      { log: log.child({ stream: name }), now },
    );
    const who = `The camera ${name} at ${device.addresses[0] ?? 'unknown'}`;
    this.#hand(device.id, candidate, signal, target, {
      name,
      driver,
      sourceUrl: url,
      who,
      describe: () => present(device),
    });
  }

  #hand(
    id: string,
    candidate: Candidate,
    signal: AbortSignal,
    target: AdoptionTarget,
    stream: AdoptedStream,
  ): void {
    target.add(stream, signal);
    candidate.adoptedAs = stream.name;
    candidate.needsPassword = false;
    candidate.reason = undefined;
    this.#context.log.info({ device: id, stream: stream.name }, 'camera adopted');
    this.#tell(id);
  }

  #explain(id: string, error: unknown, candidate: Candidate): Cause {
    const device = this.#context.discovery.device(id);
    const who = `The camera at ${device?.addresses[0] ?? 'an unknown address'}`;
    const explained = explain(error, who, 'camera');
    const apart =
      explained.code === 'auth' ? undefined : apartWords(device?.addresses ?? [], device?.answered);
    const cause =
      apart === undefined ? explained : { ...explained, reason: `${explained.reason} ${apart}` };
    candidate.needsPassword = error instanceof AuthenticationError;
    if (candidate.reason !== cause.reason) {
      this.#context.log.warn(
        { device: id, code: cause.code, reason: cause.reason },
        'camera not adopted',
      );
    }
    candidate.reason = cause.reason;
    this.#tell(id);
    return cause;
  }

  #nameFor(id: string, learnt: Partial<DeviceDescription>): string {
    const { config, discovery, names, target } = this.#context;
    const device = discovery.device(id);
    const manufacturer = learnt.manufacturer ?? device?.manufacturer;
    const model = learnt.model ?? device?.model ?? device?.name;
    const mac = learnt.mac ?? device?.mac;
    const serial = learnt.serial ?? device?.serial ?? mac;
    const address = device?.addresses[0];
    const filled = fillTemplate(config.name, { manufacturer, model, serial, mac, address });
    const name = toName(filled, id);
    return uniqueName(name, (other) => names.isTaken(other) || target.isNameTaken(other));
  }

  #keysOf(id: string): string[] {
    const { serial, mac, endpointReference } = this.#context.discovery.device(id) ?? {};
    const keys = [
      serial === undefined ? undefined : `serial:${serial}`,
      mac === undefined ? undefined : `mac:${mac}`,
      endpointReference === undefined ? undefined : `epr:${endpointReference}`,
    ].filter((key) => key !== undefined);
    return keys.length > 0 ? keys : [`id:${id}`];
  }

  #tell(id: string): void {
    const device = this.#context.discovery.device(id);
    const candidate = this.#candidates.get(id);
    if (device === undefined || candidate === undefined) return;
    const { via, addresses, manufacturer, model, serial, lastSeenAt } = device;
    const found: FoundDevice = {
      id,
      via,
      addresses,
      lastSeenAt,
      ...present({ manufacturer, model, serial }),
      ...(candidate.needsPassword ? { needsPassword: true } : {}),
      ...present({ adoptedAs: candidate.adoptedAs, reason: candidate.reason }),
    };
    this.#context.board.setFound(found);
  }
}

/** Without the keys whose value is undefined. */
function present<T extends object>(value: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  // The entries are the object's own, less those that are undefined.
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

export function profileRule(profile: DiscoveryConfig['profile']) {
  return typeof profile === 'string' ? profile : present(profile);
}
