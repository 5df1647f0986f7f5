/** Configured and adopted cameras: one supervised source for each, and the timers they share. */
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { CredentialChooser } from '../drivers/onvif/credential-chooser.ts';
import type { PtzHead } from '../drivers/ptz/ptz-head.ts';
import type { AdoptedStream } from './adoption/adopted-life.ts';
import type { AdoptionTarget } from './adoption/adopted-lives.ts';
import type { Config } from './config/schema.ts';
import {
  type ConfiguredSource,
  discoveryLogins,
  type OpenExtensionSource,
  openConfiguredSource,
} from './configured-source.ts';
import type { Hub } from './hub/hub.ts';
import { type LinkedAbort, linkAbort } from './linked-abort.ts';
import type { Board } from './report/board.ts';
import { isClockSynchronised } from './report/health.ts';
import { SharedSnapshot } from './shared-snapshot.ts';
import { CameraSide } from './steering/camera-side.ts';
import type { Steered } from './steering/steering.ts';
import { StreamSource, type StreamSourceOptions } from './stream-source.ts';
import type { SupervisorContext } from './supervisor.ts';

const WATCHDOG_PERIOD_MS = 1_000;
export const STATS_PERIOD_MS = 10_000;

export interface FleetContext extends SupervisorContext {
  readonly hub: Hub;
  readonly board: Board;
  readonly log: Logger;
  readonly openExtension: OpenExtensionSource;
  /** What moves a camera that does not move itself; `where`: `streams.<name>.ptz`. */
  readonly head: (where: string) => PtzHead | undefined;
}

interface Member {
  readonly source: StreamSource;
  readonly host: string | undefined;
  /** Where it has none of its own. */
  readonly logins: CredentialChooser | undefined;
  readonly snapshot: SharedSnapshot | undefined;
  readonly side: CameraSide;
  readonly life: LinkedAbort;
  /** It has let go. */
  readonly ended: Promise<void>;
}

export class Fleet implements AdoptionTarget {
  #config: Config;
  #signal: AbortSignal = AbortSignal.abort();
  readonly #context: FleetContext;
  readonly #members = new Map<string, Member>();
  readonly #running = new Set<Promise<void>>();
  /** Not let go yet, with their hosts: nobody else may have the name. */
  readonly #leaving = new Map<string, string | undefined>();
  #watchdog: NodeJS.Timeout | undefined;
  #stats: NodeJS.Timeout | undefined;

  constructor(config: Config, context: FleetContext) {
    this.#config = config;
    this.#context = context;
  }

  /** Starts the configured streams; they and the adopted ones run until `signal` aborts. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    for (const name of Object.keys(this.#config.streams)) this.#addConfigured(name);
    this.#watchdog = setInterval(() => {
      const nowMs = this.#context.now();
      for (const { source } of this.#members.values()) source.tick(nowMs);
    }, WATCHDOG_PERIOD_MS);
    this.#stats = setInterval(() => {
      for (const { source } of this.#members.values()) source.tellStats(STATS_PERIOD_MS);
    }, STATS_PERIOD_MS);
  }

  /**
   * The configured streams are those of `config` from now on; those that are the same do not notice. Resolves when what goes
   * has been let go, with the new ones whose names others have: a camera that was adopted, somebody who pushes.
   */
  async follow(config: Config): Promise<string[]> {
    const before = this.#config;
    const others = Object.keys(before.streams).filter(
      (name) => !isDeepStrictEqual(before.streams[name], own(config.streams, name)),
    );
    const added = Object.keys(config.streams).filter(
      (name) => !Object.hasOwn(before.streams, name),
    );
    const taken = added.filter((name) => this.has(name) || this.isNameTaken(name));
    const streams = Object.entries(config.streams).filter(([name]) => !taken.includes(name));
    this.#config = { ...config, streams: Object.fromEntries(streams) };
    if (!isDeepStrictEqual(before.discovery.credentials, config.discovery.credentials)) {
      this.#changeLogins(config);
    }
    for (const name of added) if (!taken.includes(name)) this.#addConfigured(name);
    await Promise.all(
      others.map(async (name) => {
        await this.#letGo(name);
        if (!Object.hasOwn(config.streams, name)) this.#forget(name);
        else this.#addConfigured(name);
      }),
    );
    return taken;
  }

  /** Resolves when, after the signal's abort, every source has let go. */
  async stopped(): Promise<void> {
    clearInterval(this.#watchdog);
    clearInterval(this.#stats);
    await Promise.all(this.#running);
    await Promise.all(Array.from(this.#members.values(), ({ side }) => side.stopped()));
  }

  /** False when there is no such stream. */
  restart(name: string): boolean {
    const member = this.#members.get(name);
    member?.source.restart();
    return member !== undefined;
  }

  wake(name: string, hasMoved: boolean): void {
    this.#members.get(name)?.source.wake(hasMoved);
  }

  streamAt(addresses: readonly string[]): string | undefined {
    const members = Array.from(this.#members, ([name, { host }]) => [name, host] as const);
    const found = [...members, ...this.#leaving].find(
      ([, host]) => host !== undefined && addresses.includes(host),
    );
    return found?.[0];
  }

  /** undefined: the stream has none, or there is no such stream. */
  snapshot(name: string): Promise<Uint8Array> | undefined {
    return this.#members.get(name)?.snapshot?.get();
  }

  hasSnapshot(name: string): boolean {
    return this.#members.get(name)?.snapshot !== undefined;
  }

  steered(name: string): Steered | undefined {
    return this.#members.get(name)?.side;
  }

  has(name: string): boolean {
    return this.#members.has(name) || this.#leaving.has(name);
  }

  /** By a camera, or by somebody who pushes a stream in. */
  isNameTaken(name: string): boolean {
    return this.#context.hub.get(name) !== undefined;
  }

  add(stream: AdoptedStream, signal: AbortSignal): void {
    const { name, driver, describe, amend } = stream;
    const options: StreamSourceOptions = {
      ...{ driver, describe, amend, stallMs: this.#stallMs },
      // Adopted devices move.
      get sourceUrl() {
        return stream.sourceUrl;
      },
      get who() {
        return stream.who;
      },
    };
    this.#add(name, options, signal);
  }

  /** Of a stream that is not wanted any more; resolves when the camera is let go. */
  async remove(name: string): Promise<void> {
    if (await this.#letGo(name)) this.#forget(name);
  }

  isSilent(name: string, ms: number): boolean {
    return this.#members.get(name)?.source.isSilent(ms) ?? true;
  }

  /** False: there is none. */
  async #letGo(name: string): Promise<boolean> {
    const member = this.#members.get(name);
    if (member === undefined) return false;
    this.#members.delete(name);
    this.#leaving.set(name, member.host);
    member.life.controller.abort(new Error('the stream is removed'));
    member.life[Symbol.dispose]();
    await Promise.all([member.ended, member.side.stopped()]);
    this.#leaving.delete(name);
    return true;
  }

  #forget(name: string): void {
    this.#context.hub.remove(name);
    this.#context.board.removeStream(name);
  }

  #changeLogins(config: Config): void {
    for (const { logins, source } of this.#members.values()) {
      logins?.replace(discoveryLogins(config));
      if (logins !== undefined) source.wake();
    }
  }

  get #stallMs(): number {
    return this.#config.limits.stallMs;
  }

  #side(
    name: string,
    { driver, who }: StreamSourceOptions,
    log: Logger,
    changed: () => void,
  ): CameraSide {
    const { board, head } = this.#context;
    const { motion, setClock } = this.#config.discovery;
    const where = this.#config.streams[name]?.ptz;
    return new CameraSide(
      {
        who,
        controls: driver.controls,
        head: where === undefined ? undefined : () => head(where),
        watchesMotion: motion,
        setsClock: setClock,
      },
      {
        ...this.#context,
        log,
        uptimeMs: () => performance.now(),
        isOwnClockRight: async () => (await isClockSynchronised()) !== false,
        tellMotion: (state) => board.setMotion(name, state),
        event: (type, message) => {
          const at = new Date(this.#context.now()).toISOString();
          board.emit('event', { at, type, stream: name, message });
        },
        changed,
      },
    );
  }

  #addConfigured(name: string): void {
    const stream = this.#config.streams[name];
    if (stream === undefined || this.#signal.aborted) return;
    const context = { log: this.#context.log.child({ stream: name }), now: this.#context.now };
    const { openExtension } = this.#context;
    const source = openConfiguredSource(name, stream, this.#config, context, openExtension);
    this.#add(name, { ...source, stallMs: this.#stallMs }, this.#signal, source);
  }

  #add(
    name: string,
    options: StreamSourceOptions,
    signal: AbortSignal,
    configured: Partial<Pick<ConfiguredSource, 'host' | 'snapshot' | 'logins'>> = {},
  ): void {
    const { hub, log } = this.#context;
    const { driver } = options;
    const streamLog = log.child({ stream: name });
    const side = this.#side(name, options, streamLog, () => source.tellInfo());
    const source: StreamSource = new StreamSource(
      hub.open(name),
      { ...options, side },
      { ...this.#context, log: streamLog },
    );
    const { host, logins } = configured;
    const take = configured.snapshot ?? driver.snapshot?.bind(driver);
    const life = linkAbort(signal);
    const ended = source.run(life.controller.signal).finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    const snapshot = take && new SharedSnapshot(take, life.controller.signal);
    this.#members.set(name, { source, host, logins, snapshot, side, life, ended });
  }
}

/** A stream may be called constructor. */
function own<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
