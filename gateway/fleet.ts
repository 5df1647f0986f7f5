/** Configured and adopted cameras: one supervised source for each, and the timers they share. */
import type { Logger } from 'pino';
import { OnvifCamera } from '../drivers/camera/onvif-camera.ts';
import { RtspCamera } from '../drivers/camera/rtsp-camera.ts';
import { sourceKindOf } from '../drivers/catalog.ts';
import type { Credentials, DriverContext, StreamDriver } from '../drivers/driver.ts';
import { CredentialChooser } from '../drivers/onvif/credential-chooser.ts';
import { parseOnvifUrl } from '../drivers/onvif/onvif-endpoint.ts';
import { redactUrl } from '../protocols/rtsp/source-url.ts';
import { type AdoptedStream, type AdoptionTarget, profileRule } from './adoption.ts';
import type { Config, StreamConfig } from './config/schema.ts';
import type { Hub } from './hub/hub.ts';
import type { Board } from './report/board.ts';
import { StreamSource, type StreamSourceOptions } from './stream-source.ts';
import type { SupervisorContext } from './supervisor.ts';
import { tlsTrust } from './tls-trust.ts';

const WATCHDOG_PERIOD_MS = 1_000;
export const STATS_PERIOD_MS = 10_000;

export interface FleetContext extends SupervisorContext {
  readonly hub: Hub;
  readonly board: Board;
  readonly log: Logger;
}

interface Member {
  readonly source: StreamSource;
  readonly host: string | undefined;
}

export class Fleet implements AdoptionTarget {
  readonly #config: Config;
  readonly #context: FleetContext;
  readonly #members = new Map<string, Member>();
  readonly #running = new Set<Promise<void>>();
  #watchdog: NodeJS.Timeout | undefined;
  #stats: NodeJS.Timeout | undefined;

  constructor(config: Config, context: FleetContext) {
    this.#config = config;
    this.#context = context;
  }

  /** Starts the configured streams; they and the adopted ones run until `signal` aborts. */
  start(signal: AbortSignal): void {
    for (const [name, stream] of Object.entries(this.#config.streams)) {
      const { options, host } = this.#configured(name, stream);
      this.#add(name, options, host, signal);
    }
    this.#watchdog = setInterval(() => {
      const nowMs = this.#context.now();
      for (const { source } of this.#members.values()) source.tick(nowMs);
    }, WATCHDOG_PERIOD_MS);
    this.#stats = setInterval(() => {
      for (const { source } of this.#members.values()) source.tellStats(STATS_PERIOD_MS);
    }, STATS_PERIOD_MS);
  }

  /** Resolves when, after the signal's abort, every source has let go. */
  async stopped(): Promise<void> {
    clearInterval(this.#watchdog);
    clearInterval(this.#stats);
    await Promise.all(this.#running);
  }

  /** False when there is no such stream. */
  restart(name: string): boolean {
    const member = this.#members.get(name);
    member?.source.restart();
    return member !== undefined;
  }

  wake(name: string): void {
    this.#members.get(name)?.source.wake();
  }

  streamAt(addresses: readonly string[]): string | undefined {
    for (const [name, { host }] of this.#members) {
      if (host !== undefined && addresses.includes(host)) return name;
    }
    return undefined;
  }

  isNameTaken(name: string): boolean {
    return this.#members.has(name);
  }

  add(stream: AdoptedStream, signal: AbortSignal): void {
    const { name, driver, sourceUrl, who, describe } = stream;
    this.#add(
      name,
      { driver, sourceUrl, who, describe, stallMs: this.#stallMs },
      undefined,
      signal,
    );
  }

  get #stallMs(): number {
    return this.#config.limits.stallMs;
  }

  #add(
    name: string,
    options: StreamSourceOptions,
    host: string | undefined,
    signal: AbortSignal,
  ): void {
    const { hub, log } = this.#context;
    const source = new StreamSource(hub.open(name), options, {
      ...this.#context,
      log: log.child({ stream: name }),
    });
    this.#members.set(name, { source, host });
    const running = source.run(signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #configured(
    name: string,
    stream: StreamConfig,
  ): { options: StreamSourceOptions; host: string | undefined } {
    const context: DriverContext = {
      log: this.#context.log.child({ stream: name }),
      now: this.#context.now,
    };
    const isOnvif = stream.source.startsWith('onvif');
    const { driver, host, what, describe } = isOnvif
      ? this.#onvif(stream, context)
      : catalogued(stream, context);
    const options = {
      driver,
      sourceUrl: redactUrl(stream.source),
      who: `The ${what} ${name}${host === undefined ? '' : ` at ${host}`}`,
      stallMs: this.#stallMs,
      ...(describe === undefined ? {} : { describe }),
    };
    return { options, host };
  }

  #onvif(stream: StreamConfig, context: DriverContext): ConfiguredDriver {
    const { discovery } = this.#config;
    const endpoint = parseOnvifUrl(stream.source);
    const own = ownCredentials(stream) ?? urlCredentials(stream.source);
    const listed = discovery.credentials.map(({ username, password }) => ({
      username,
      password: password ?? '',
    }));
    const tls = tlsTrust(stream);
    const driver = new OnvifCamera(
      {
        endpoints: () => [endpoint],
        credentials: new CredentialChooser(own === undefined ? listed : [own], context.now),
        profile: profileRule(discovery.profile),
        transport: stream.transport,
        openRtsp: (source, rtspContext) => new RtspCamera({ ...source, tls }, rtspContext),
      },
      context,
    );
    const describe = () => {
      const { manufacturer, model, firmware, serial } = driver.description ?? {};
      return {
        ...(manufacturer === undefined ? {} : { manufacturer }),
        ...(model === undefined ? {} : { model }),
        ...(firmware === undefined ? {} : { firmware }),
        ...(serial === undefined ? {} : { serial }),
      };
    };
    return { driver, host: endpoint.host, what: 'camera', describe };
  }
}

interface ConfiguredDriver {
  readonly driver: StreamDriver;
  readonly host: string | undefined;
  readonly what: string;
  readonly describe: StreamSourceOptions['describe'] | undefined;
}

function catalogued(stream: StreamConfig, context: DriverContext): ConfiguredDriver {
  const { source: url, transport } = stream;
  const kind = sourceKindOf(url);
  // The schema lets only known schemes through.
  if (kind === undefined) throw new TypeError(`no driver for ${redactUrl(url)}`);
  const credentials = ownCredentials(stream);
  const driver = kind.open(
    {
      url,
      transport,
      tls: tlsTrust(stream),
      ...(credentials === undefined ? {} : { credentials }),
    },
    context,
  );
  return { driver, host: kind.hostOf(url), what: kind.what, describe: undefined };
}

function ownCredentials({ username, password }: StreamConfig): Credentials | undefined {
  return username === undefined ? undefined : { username, password: password ?? '' };
}

function urlCredentials(source: string): Credentials | undefined {
  const { username, password } = new URL(source);
  if (username === '') return undefined;
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}
