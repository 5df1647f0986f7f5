/**
 * From a found device to a stream: logs in to learn who it is, gives it a name that it keeps, and hands it to the fleet.
 * What was decided earlier is acted on at once, where the device was last; discovery then tells where it is. What stands
 * in the way is told on the board and tried again.
 */
import type { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { AuthenticationError } from '../../codecs/errors.ts';
import type { DeviceEvents, DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import type { Discovery } from '../../drivers/discovery/discovery.ts';
import type { Credentials } from '../../drivers/driver.ts';
import { CredentialChooser } from '../../drivers/onvif/credential-chooser.ts';
import { endpointsOf } from '../../drivers/onvif/onvif-endpoint.ts';
import { type Cause, explain } from '../causes.ts';
import type { Config, ProfileWanted } from '../config/schema.ts';
import { findingOf } from '../finding.ts';
import { linkAbort } from '../linked-abort.ts';
import { uniqueName } from '../names.ts';
import type { Board } from '../report/board.ts';
import type { CauseCode } from '../report/status.ts';
import { Supervisor, type SupervisorContext } from '../supervisor.ts';
import { apartCause, present, urlsOf } from './adopted-life.ts';
import { AdoptedLives, type AdoptionTarget } from './adopted-lives.ts';
import { AdoptionLogins } from './adoption-logins.ts';
import type { AdoptionRecord } from './adoption-record.ts';
import type { AdoptionState } from './adoption-state.ts';
import {
  AWAITS_ONVIF,
  isBusy,
  type Listed,
  newListed,
  templateName,
  toFound,
  whyNotAdopted,
} from './listed-device.ts';
import { ListedIdentity } from './listed-identity.ts';

/** A device found by mDNS alone may be a camera that answers ONVIF a moment later. */
const ONVIF_GRACE_MS = 5_000;

export interface AdoptionContext extends SupervisorContext {
  readonly config: Config;
  readonly discovery: EventEmitter<DeviceEvents> &
    Pick<Discovery, 'device' | 'learn' | 'remember' | 'searchFor'>;
  readonly target: AdoptionTarget;
  readonly state: AdoptionState;
  readonly board: Board;
  readonly log: Logger;
}

/** What somebody wants of a device, beside that it be adopted. */
export interface AdoptionWish {
  readonly name?: string | undefined;
  readonly credentials?: Credentials | undefined;
  readonly profile?: ProfileWanted | undefined;
}

export type AdoptionOutcome =
  | { readonly at: 'adopted'; readonly name: string }
  | { readonly at: 'failed'; readonly cause: Cause };

export class Adoption {
  readonly #context: AdoptionContext;
  readonly #listed = new Map<string, Listed>();
  readonly #lives: AdoptedLives;
  readonly #logins: AdoptionLogins;
  readonly #identity: ListedIdentity;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(context: AdoptionContext) {
    this.#context = context;
    const { config, state, now } = context;
    this.#logins = new AdoptionLogins(config.discovery.credentials, state, now);
    this.#lives = new AdoptedLives(context, this.#logins);
    this.#identity = new ListedIdentity(context, this.#lives, this.#logins);
  }

  get isOff(): boolean {
    return this.#context.config.discovery.adopt === 'off';
  }

  isTaken(name: string): boolean {
    const { state, target } = this.#context;
    return state.isTaken(name) || target.isNameTaken(name);
  }

  /** Publishes what was adopted before, and follows discovery until aborted. */
  follow(signal: AbortSignal): void {
    this.#signal = signal;
    const { discovery, state } = this.#context;
    discovery.on('found', (device) => this.#met(device));
    discovery.on('changed', (device) => this.#met(device));
    discovery.on('gone', (device, supersededBy) => this.#left(device, supersededBy));
    signal.addEventListener('abort', () => {
      for (const { grace } of this.#listed.values()) clearTimeout(grace);
    });
    discovery.remember(state.records.flatMap(({ addresses }) => addresses));
    if (!this.isOff) this.#lives.restore(signal);
  }

  /** The listed device of this id, or the one that is the stream of this name. */
  listed(idOrName: string): Listed | undefined {
    const byName = [...this.#listed.values()].find(
      ({ record }) => record?.decision === 'adopted' && record.name === idOrName,
    );
    return this.#listed.get(idOrName) ?? byName;
  }

  /** What is kept under this name of a device that is not listed now. */
  kept(name: string): AdoptionRecord | undefined {
    return this.#context.state.records.find((record) => record.name === name);
  }

  /** The listed device that is this stream of the configuration. */
  servedBy(stream: string): Listed | undefined {
    return [...this.#listed.values()].find(({ servedBy }) => servedBy === stream);
  }

  /** The configuration is another: what is decided for devices may be, too. */
  reconsider({ discovery: wanted }: Config, { discovery: before }: Config): void {
    const areLoginsNew = !isDeepStrictEqual(wanted.credentials, before.credentials);
    if (areLoginsNew) {
      this.#logins.configure(wanted.credentials);
      this.#lives.loginsChanged();
    }
    for (const listed of [...this.#listed.values()]) {
      const device = this.#context.discovery.device(listed.id);
      // What a command comes to is met when it is over.
      if (device === undefined || listed.command !== undefined) continue;
      const { record } = listed;
      const life = this.#lives.of(record);
      const isConfigured = this.#context.target.streamAt(device.addresses) !== undefined;
      if (areLoginsNew || wanted.adopt !== before.adopt || isConfigured) this.#endAttempt(listed);
      if (areLoginsNew && life === undefined) listed.logins = undefined;
      if (life !== undefined && isConfigured && record !== undefined) {
        void this.#lives.end(record).then(() => this.#metAgain(listed.id));
      } else {
        this.#met(device);
      }
    }
  }

  /** One attempt, on command, whatever was decided before. Where it does not work, what was published goes on. */
  async adoptNow(listed: Listed, wish: AdoptionWish): Promise<AdoptionOutcome> {
    this.#endAttempt(listed);
    const attempt = new AbortController();
    const command = {};
    Object.assign(listed, { attempt, command });
    const { now, discovery } = this.#context;
    const { credentials } = wish;
    // Only what was given is tried; what the device has refused before does not count against it.
    if (credentials !== undefined) listed.logins = new CredentialChooser([credentials], now);
    try {
      const signal = AbortSignal.any([this.#signal, attempt.signal]);
      const record = await this.#identity.learn(listed, signal);
      await this.#lives.end(record);
      this.#signal.throwIfAborted();
      const isListed = this.#listed.get(listed.id) === listed;
      if (!isListed || listed.command !== command || listed.record !== record) {
        throw new Error('somebody decided otherwise meanwhile');
      }
      listed.logins = undefined;
      if (credentials !== undefined && record.sourceUrl === undefined) {
        listed.logins = this.#identity.newLogins(listed, credentials);
        listed.logins.worked(listed.logins.candidates[0]);
      }
      return { at: 'adopted', name: this.#adopt(listed, record, wish) };
    } catch (error) {
      if (credentials !== undefined) listed.logins = undefined;
      return { at: 'failed', cause: this.#explain(listed, error) };
    } finally {
      if (listed.attempt === attempt) listed.attempt = undefined;
      if (listed.command === command) {
        listed.command = undefined;
        const device = discovery.device(listed.id);
        if (device !== undefined) this.#met(device);
      }
    }
  }

  /** No longer a stream, whatever it is found as; `forget`: as if it had never been found. */
  async refuse(
    record: AdoptionRecord | undefined,
    listed: Listed | undefined,
    decision: 'ignore' | 'forget',
  ) {
    const { state } = this.#context;
    if (listed !== undefined) this.#endAttempt(listed);
    const device = listed && this.#context.discovery.device(listed.id);
    const kept = record ?? (decision === 'ignore' && device ? state.add(device) : undefined);
    if (kept === undefined) return;
    // Before the stream ends, which may take a while: what is found meanwhile must not bring it back.
    if (decision === 'forget') state.remove(kept);
    else state.change(kept, { decision: 'ignored', decidedAt: this.#nowIso });
    const command = {};
    if (listed !== undefined) {
      const known = decision === 'forget' ? undefined : kept;
      Object.assign(listed, { command, record: known, logins: undefined });
    }
    await this.#lives.end(kept);
    if (listed === undefined || listed.command !== command) return;
    listed.command = undefined;
    const now = this.#context.discovery.device(listed.id);
    if (now !== undefined) this.#met(now);
  }

  #met(device: DiscoveredDevice): void {
    const listed = this.#listed.get(device.id) ?? this.#list(device.id);
    const { state } = this.#context;
    listed.record = state.find(device) ?? listed.record ?? this.#lives.playingFrom(device);
    const { record } = listed;
    const keptAt = record?.addresses ?? [];
    if (record !== undefined) state.learnPlace(record, device);
    const life = this.#lives.of(record);
    if (life === undefined) this.#decide(device, listed);
    else this.#lives.follow(life, device, keptAt);
    this.#tell(device.id);
  }

  #metAgain(id: string): void {
    const device = this.#context.discovery.device(id);
    if (device !== undefined && !this.#signal.aborted) this.#met(device);
  }

  #list(id: string): Listed {
    const listed = newListed(id);
    this.#listed.set(id, listed);
    return listed;
  }

  /** What becomes of a device that is no adopted stream. */
  #decide(device: DiscoveredDevice, listed: Listed): void {
    const { target, config } = this.#context;
    const { adopt } = config.discovery;
    listed.servedBy = target.streamAt(device.addresses);
    if (listed.servedBy !== undefined || isBusy(listed)) return;
    const say = (finding: { code: CauseCode; reason: string }) => Object.assign(listed, finding);
    const held = whyNotAdopted(adopt, listed.record?.decision ?? 'undecided', device.id);
    if (held !== undefined) {
      say(held);
    } else if (endpointsOf(device).length > 0) {
      this.#begin(listed);
    } else if (urlsOf(device).length > 0) {
      if (listed.grace !== undefined) return;
      say(AWAITS_ONVIF);
      listed.grace = setTimeout(() => this.#graceOver(listed), ONVIF_GRACE_MS);
    } else {
      say(findingOf(device));
    }
  }

  #graceOver(listed: Listed): void {
    const isOpen =
      this.#listed.get(listed.id) === listed &&
      !isBusy(listed) &&
      // It may have become known meanwhile which it is.
      listed.servedBy === undefined &&
      listed.record?.decision !== 'ignored';
    if (isOpen && this.#lives.of(listed.record) === undefined) this.#begin(listed);
    this.#tell(listed.id);
  }

  /** Logs in until it succeeds once; the stream's own supervision takes over from there. */
  #begin(listed: Listed): void {
    const known = listed.record;
    if (known?.decision === 'adopted' && known.name !== undefined) {
      this.#adopt(listed, known, {});
      return;
    }
    const attempt = new AbortController();
    listed.attempt = attempt;
    const supervisor = new Supervisor(
      {
        run: async (signal) => {
          const record = await this.#identity.learn(listed, signal);
          signal.throwIfAborted();
          const isIgnored = record.decision === 'ignored';
          if (!isIgnored && this.#lives.of(record) === undefined) this.#adopt(listed, record, {});
          attempt.abort();
          listed.attempt = undefined;
          // Found under another id than the one it was ignored under.
          const device = this.#context.discovery.device(listed.id);
          if (isIgnored && device !== undefined) this.#met(device);
        },
        explain: (error) => this.#explain(listed, error),
        changed: () => undefined,
      },
      this.#context,
    );
    const life = linkAbort(this.#signal);
    attempt.signal.addEventListener('abort', () => life.controller.abort());
    void supervisor.run(life.controller.signal).finally(() => {
      life[Symbol.dispose]();
      if (listed.attempt === attempt) listed.attempt = undefined;
      this.#tell(listed.id);
    });
  }

  #endAttempt(listed: Listed): void {
    clearTimeout(listed.grace);
    listed.grace = undefined;
    listed.attempt?.abort(new Error('somebody decided'));
    listed.attempt = undefined;
  }

  /** Decides for it, and makes it a stream. Returns its name. */
  #adopt(listed: Listed, record: AdoptionRecord, wish: AdoptionWish): string {
    const { discovery, state } = this.#context;
    const device = discovery.device(listed.id);
    const isNews = record.decision !== 'adopted';
    if (device !== undefined) {
      const [sourceUrl] = endpointsOf(device).length > 0 ? [] : urlsOf(device);
      state.change(record, { sourceUrl });
      state.learnPlace(record, device);
    }
    state.change(record, {
      name: wish.name ?? record.name ?? this.#nameFor(listed.id, record),
      decision: 'adopted',
      ...(isNews ? { decidedAt: this.#nowIso } : {}),
      ...present({ profile: wish.profile, credentials: wish.credentials }),
    });
    const life = this.#lives.publish(record, this.#signal, listed.logins);
    if (device !== undefined) life.found(device, device.addresses);
    this.#tell(listed.id);
    return life.name;
  }

  #left(device: DiscoveredDevice, supersededBy: DiscoveredDevice | undefined): void {
    const { board, discovery } = this.#context;
    const isListed = supersededBy === undefined && discovery.device(device.id) !== undefined;
    const listed = this.#listed.get(device.id);
    if (isListed || listed === undefined) return;
    this.#listed.delete(device.id);
    this.#endAttempt(listed);
    board.removeFound(device.id);
    const life = this.#lives.of(listed.record);
    life?.lost();
    if (supersededBy !== undefined && listed.record !== undefined) {
      this.#merge(listed.record, supersededBy);
    }
  }

  /** Two that were listed are one device: the one that was decided about first stays. */
  #merge(record: AdoptionRecord, into: DiscoveredDevice): void {
    const { state } = this.#context;
    const listed = this.#listed.get(into.id) ?? this.#list(into.id);
    const other = listed.record;
    const weight = (each: AdoptionRecord) =>
      each.decision === 'undecided' ? Number.POSITIVE_INFINITY : Date.parse(each.decidedAt);
    const isOlder = other === undefined || weight(record) < weight(other);
    const [stays, goes] = isOlder ? [record, other] : [other, record];
    if (goes !== undefined && goes !== stays) {
      void this.#lives.end(goes);
      state.remove(goes);
    }
    listed.record = stays;
    if (isOlder && listed.command === undefined) this.#endAttempt(listed);
    const device = this.#context.discovery.device(into.id);
    if (device !== undefined) this.#met(device);
  }

  #explain(listed: Listed, error: unknown): Cause {
    const device = this.#context.discovery.device(listed.id);
    const who = `The camera at ${device?.addresses[0] ?? 'an unknown address'}`;
    const cause = apartCause(explain(error, who, 'found'), device);
    listed.needsPassword = error instanceof AuthenticationError;
    if (listed.reason !== cause.reason) {
      const { code, reason } = cause;
      this.#context.log.warn({ device: listed.id, code, reason }, 'camera not adopted');
    }
    listed.code = cause.code;
    listed.reason = cause.reason;
    this.#tell(listed.id);
    return cause;
  }

  #nameFor(id: string, record: AdoptionRecord): string {
    const { config, discovery } = this.#context;
    const name = templateName(config.discovery.name, id, record, discovery.device(id));
    return uniqueName(name, (other) => this.isTaken(other));
  }

  #tell(id: string): void {
    const device = this.#context.discovery.device(id);
    const listed = this.#listed.get(id);
    if (device === undefined || listed === undefined) return;
    const adoptedAs = this.#lives.of(listed.record)?.name ?? listed.servedBy;
    this.#context.board.setFound(toFound(device, listed, adoptedAs));
  }

  get #nowIso(): string {
    return new Date(this.#context.now()).toISOString();
  }
}
