/**
 * A camera known by its ONVIF service: logs in, chooses a profile, asks for its RTSP URL and pulls
 * that. A URL that played is used again at the next attempt, so that a reconnect is quick; when it
 * fails, or the device moved, everything is asked anew.
 */
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import {
  type Credentials,
  type DriverContext,
  emptyStats,
  type SourceStats,
  type StreamDriver,
  type TransportChoice,
} from '../driver.ts';
import type { CredentialChooser } from '../onvif/credential-chooser.ts';
import { type DeviceDescription, OnvifClient, type OnvifProfile } from '../onvif/onvif-client.ts';
import { type KnownDevice, OnvifControls } from '../onvif/onvif-controls.ts';
import { describeEndpoint, type OnvifEndpoint } from '../onvif/onvif-endpoint.ts';
import { OnvifSession } from '../onvif/onvif-session.ts';
import { chooseProfile, type ProfileRule } from '../onvif/profile-choice.ts';
import type { PullPointTimes } from '../onvif/pull-point.ts';
import type { CameraControls } from './camera-controls.ts';
import { fetchSnapshot } from './snapshot.ts';

export interface RtspSource {
  readonly url: string;
  /** Those that ONVIF takes are tried first; counts what RTSP refuses, too. */
  readonly logins: CredentialChooser;
  readonly transport: TransportChoice;
}

export interface OnvifCameraOptions {
  /** Where the device is now, best first; asked at every attempt, because devices move. */
  readonly endpoints: () => readonly OnvifEndpoint[];
  /** One per device, kept between attempts. */
  readonly credentials: CredentialChooser;
  readonly profile: ProfileRule;
  readonly transport: TransportChoice;
  /** The addresses come from discovery: refuse another device that answers there meanwhile. */
  readonly keepsIdentity?: boolean;
  /** For tests. */
  readonly pullPointTimes?: PullPointTimes;
  /** Who it was in an earlier life, as it said itself. */
  readonly identity?: Pick<DeviceDescription, 'serial' | 'mac'>;
  /** Pulls the URL: an RtspCamera. */
  readonly openRtsp: (source: RtspSource, context: DriverContext) => StreamDriver;
}

export interface OnvifCameraDescription extends DeviceDescription {
  /** The profile pulled: its name and token. */
  readonly profile: string;
}

interface Resolved extends KnownDevice {
  readonly endpoint: OnvifEndpoint;
  readonly url: string;
  readonly credentials: Credentials | undefined;
  readonly description: OnvifCameraDescription;
}

/** Of a camera's snapshots; the URL is asked for when somebody wants the first. */
interface SnapshotPlace {
  readonly resolved: Resolved;
  readonly url: string;
}

export class OnvifCamera implements StreamDriver {
  readonly controls: CameraControls;
  readonly #options: OnvifCameraOptions;
  readonly #context: DriverContext;
  #resolved: Resolved | undefined;
  #description: OnvifCameraDescription | undefined;
  #rtsp: StreamDriver | undefined;
  /** Who answered last, whether its stream plays or not. */
  #lastResolved: Resolved | undefined;
  #snapshotPlace: SnapshotPlace | undefined;

  constructor(options: OnvifCameraOptions, context: DriverContext) {
    this.#options = options;
    this.#context = context;
    const { pullPointTimes } = options;
    this.controls = new OnvifControls<Resolved>({
      known: () => this.#stillKnown(),
      canMove: () => this.#lastResolved?.ptz !== undefined,
      find: (signal) => this.#resolve(signal),
      session: ({ endpoint, credentials }, signal) =>
        new OnvifSession(endpoint, credentials, this.#sessionOptions(credentials, signal)),
      now: context.now,
      log: context.log,
      ...(pullPointTimes === undefined ? {} : { pullPointTimes }),
    });
  }

  /** What the device said about itself at the last login. */
  get description(): OnvifCameraDescription | undefined {
    return this.#description;
  }

  get stats(): SourceStats {
    return this.#rtsp?.stats ?? NO_STATS;
  }

  get notes(): readonly string[] {
    return this.#rtsp?.notes ?? [];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const resolved = this.#stillResolved() ?? (await this.#resolve(signal));
    this.#resolved = undefined;
    const { openRtsp, transport, credentials: logins } = this.#options;
    const rtsp = openRtsp({ url: resolved.url, transport, logins }, this.#context);
    this.#rtsp = rtsp;
    const onPlaying = () => {
      this.#resolved = resolved;
    };
    try {
      await rtsp.run(new WatchedSink(sink, onPlaying), signal);
    } catch (error) {
      if (error instanceof AuthenticationError) this.#resolved = undefined;
      throw error;
    }
  }

  async snapshot(signal: AbortSignal): Promise<Uint8Array> {
    const resolved = this.#lastResolved ?? (await this.#resolve(signal));
    if (this.#snapshotPlace?.resolved !== resolved) {
      const url = await this.#snapshotUrl(resolved, signal);
      this.#snapshotPlace = { resolved, url };
    }
    const { url } = this.#snapshotPlace;
    const { credentials } = this.#options;
    try {
      // Cameras sign their own certificates, as in soap-http.ts.
      return await fetchSnapshot({ url, credentials, tls: { insecure: true } }, signal);
    } catch (error) {
      // It may have moved.
      this.#snapshotPlace = undefined;
      throw error;
    }
  }

  async #snapshotUrl(resolved: Resolved, signal: AbortSignal): Promise<string> {
    const client = this.#client(resolved.endpoint, this.#options.credentials.next(), signal);
    await client.describeDevice();
    try {
      return (await client.snapshotUri(resolved.profile.token)).url;
    } catch (error) {
      const isNone =
        error instanceof ProtocolError &&
        ['ONVIF_FAULT', 'ONVIF_NOT_SUPPORTED', 'ONVIF_URI'].includes(error.code);
      throw isNone ? new UnsupportedError('the camera has no snapshot') : error;
    }
  }

  /** What played last time, as long as the device is still found there. */
  #stillResolved(): Resolved | undefined {
    const [best] = this.#options.endpoints();
    const { endpoint } = this.#resolved ?? {};
    return endpoint !== undefined && endpoint.host === best?.host ? this.#resolved : undefined;
  }

  /** What was found last, while it is still there and let in with what is tried now. Throws on hold. */
  #stillKnown(): Resolved | undefined {
    const credentials = this.#options.credentials.next();
    const [best] = this.#options.endpoints();
    const last = this.#lastResolved;
    return last?.endpoint.host === best?.host && last?.credentials === credentials
      ? last
      : undefined;
  }

  async #resolve(signal: AbortSignal): Promise<Resolved> {
    let lastError: unknown = new ProtocolError(
      'ONVIF_NO_ADDRESS',
      'no address of this device is known yet',
    );
    for (const endpoint of this.#options.endpoints()) {
      try {
        this.#lastResolved = await this.#logInAndResolve(endpoint, signal);
        return this.#lastResolved;
      } catch (error) {
        if (signal.aborted) throw error;
        lastError = error;
        // The next address is tried when nobody answers at this one, or another device does.
        if (!isSystemError(error) && !isOtherDevice(error)) break;
        this.#context.log.debug(
          { endpoint: describeEndpoint(endpoint), err: error },
          'onvif: no answer',
        );
      }
    }
    throw lastError;
  }

  /** Tries each of the credentials once, while the count of refusals allows. */
  async #logInAndResolve(endpoint: OnvifEndpoint, signal: AbortSignal): Promise<Resolved> {
    const { credentials: chooser } = this.#options;
    for (;;) {
      const credentials = chooser.next();
      try {
        const resolved = await this.#ask(endpoint, credentials, signal);
        chooser.worked(credentials);
        return resolved;
      } catch (error) {
        const isRefusal = error instanceof AuthenticationError && error.credentialsSent;
        if (!isRefusal || !chooser.hasUntried || chooser.heldUntilMs !== undefined) throw error;
        this.#context.log.debug(
          { endpoint: describeEndpoint(endpoint) },
          'onvif: next credentials',
        );
      }
    }
  }

  async #ask(
    endpoint: OnvifEndpoint,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): Promise<Resolved> {
    const client = this.#client(endpoint, credentials, signal);
    const device = await client.describeDevice();
    this.#refuseOtherDevice(endpoint, device);
    const profiles = await client.profiles();
    const profile = chooseProfile(profiles, this.#options.profile);
    const { url, original } = await client.streamUri(profile.token);
    const description = {
      ...device,
      profile: profile.name === profile.token ? profile.name : `${profile.name} (${profile.token})`,
    };
    this.#description = description;
    const where = { endpoint: describeEndpoint(endpoint), profile: profile.token };
    // Not the URLs themselves: some devices put the password into the path.
    this.#context.log.debug({ ...where, advertisedHost: hostOf(original) }, 'onvif: stream found');
    const ptz = client.session.hasService('ptz') ? ptzOf(profile, profiles) : undefined;
    return { endpoint, url, credentials, description, profile, ptz };
  }

  #client(
    endpoint: OnvifEndpoint,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): OnvifClient {
    return new OnvifClient(endpoint, credentials, this.#sessionOptions(credentials, signal));
  }

  #sessionOptions(credentials: Credentials | undefined, signal: AbortSignal) {
    const { credentials: chooser } = this.#options;
    return {
      signal,
      now: this.#context.now,
      onRefused: () => chooser.refused(credentials),
      refusalsLeft: () => chooser.refusalsLeft,
    };
  }

  /** Addresses change hands: another camera's picture under this name is worse than none. */
  #refuseOtherDevice(endpoint: OnvifEndpoint, device: DeviceDescription): void {
    const { keepsIdentity = false, identity } = this.#options;
    for (const mark of keepsIdentity ? (['serial', 'mac'] as const) : []) {
      const expected = this.#description?.[mark] ?? identity?.[mark];
      const told = device[mark];
      if (expected === undefined || told === undefined || told === expected) continue;
      throw new ProtocolError(
        'ONVIF_OTHER_DEVICE',
        `another device answers at ${endpoint.host}: ${mark} ${told}, expected ${expected}`,
      );
    }
  }
}

/** Passes everything on and tells when the source begins. */
class WatchedSink implements StreamSink {
  readonly #sink: StreamSink;
  readonly #onStart: () => void;

  constructor(sink: StreamSink, onStart: () => void) {
    this.#sink = sink;
    this.#onStart = onStart;
  }

  start(tracks: Parameters<StreamSink['start']>[0]): void {
    this.#onStart();
    this.#sink.start(tracks);
  }

  write(unit: Parameters<StreamSink['write']>[0]): void {
    this.#sink.write(unit);
  }

  stop(): void {
    this.#sink.stop();
  }
}

const NO_STATS = emptyStats();

/** By the profile that is pulled, or one of the same video source: sub streams often lack it. */
function ptzOf(pulled: OnvifProfile, profiles: readonly OnvifProfile[]): KnownDevice['ptz'] {
  const isSameSource = ({ sourceToken }: OnvifProfile) => sourceToken === pulled.sourceToken;
  const candidates = [pulled, ...profiles.filter(isSameSource)];
  const movable = candidates.find(({ ptz }) => ptz !== undefined);
  return movable?.ptz && { profileToken: movable.token, configuration: movable.ptz };
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

function isOtherDevice(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'ONVIF_OTHER_DEVICE';
}

function isSystemError(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ('syscall' in error || error.code === 'ETIMEDOUT')
  );
}
