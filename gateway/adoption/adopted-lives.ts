/** The adopted devices as streams: made of what is kept, moved when the device moves, ended when somebody decides so. */
import type { Logger } from 'pino';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import type { Discovery } from '../../drivers/discovery/discovery.ts';
import type { CredentialChooser } from '../../drivers/onvif/credential-chooser.ts';
import type { DeviceDescription } from '../../drivers/onvif/onvif-client.ts';
import type { Config } from '../config/schema.ts';
import { uniqueName } from '../names.ts';
import { profileWish } from '../profile-wish.ts';
import { AdoptedLife, type AdoptedStream, present } from './adopted-life.ts';
import type { AdoptionLogins } from './adoption-logins.ts';
import type { AdoptionRecord } from './adoption-record.ts';
import type { AdoptionState } from './adoption-state.ts';

/** Without a picture for so long while the device answers from elsewhere: it has moved. */
const MOVED_SILENCE_MS = 2_500;

/** Where adopted devices go. */
export interface AdoptionTarget {
  /** The configured stream that this address already serves. */
  streamAt(addresses: readonly string[]): string | undefined;
  isNameTaken(name: string): boolean;
  add(stream: AdoptedStream, signal: AbortSignal): void;
  /** Resolves when the device is let go. */
  remove(name: string): Promise<void>;
  /** The device was heard of again: stop waiting, for one that has moved also at its old address. */
  wake(name: string, hasMoved: boolean): void;
  restart(name: string): boolean;
  /** Connected, and without a picture for so long. */
  isSilent(name: string, ms: number): boolean;
}

export interface AdoptedLivesContext {
  readonly config: Config;
  readonly discovery: Pick<Discovery, 'device' | 'learn' | 'searchFor'>;
  readonly target: AdoptionTarget;
  readonly state: AdoptionState;
  readonly log: Logger;
  readonly now: () => number;
}

export class AdoptedLives {
  readonly #context: AdoptedLivesContext;
  readonly #logins: AdoptionLogins;
  readonly #lives = new Map<AdoptionRecord, AdoptedLife>();
  readonly #ending = new Map<AdoptionRecord, Promise<void>>();

  constructor(context: AdoptedLivesContext, logins: AdoptionLogins) {
    this.#context = context;
    this.#logins = logins;
  }

  of(record: AdoptionRecord | undefined): AdoptedLife | undefined {
    return record && this.#lives.get(record);
  }

  /** What was adopted in an earlier life and is no configured stream now, where it was last. */
  restore(signal: AbortSignal): void {
    for (const record of this.#context.state.records) {
      const hasPlace = record.endpoints.length > 0 || record.sourceUrl !== undefined;
      const isServed = this.#context.target.streamAt(record.addresses) !== undefined;
      if (record.decision === 'adopted' && hasPlace && !isServed) this.publish(record, signal);
    }
  }

  /** `logins`: those that it was logged in to with. */
  publish(record: AdoptionRecord, signal: AbortSignal, logins?: CredentialChooser): AdoptedLife {
    const { config, discovery, state, target, log, now } = this.#context;
    const isTaken = (name: string) =>
      target.isNameTaken(name) || (name !== record.name && state.isTaken(name));
    // Since it got its name, somebody may have configured a stream of that name.
    const name = uniqueName(record.name ?? 'camera', isTaken);
    if (name !== record.name) {
      log.warn({ stream: name, taken: record.name }, 'its name is taken by another stream');
      state.change(record, { name });
    }
    const life: AdoptedLife = new AdoptedLife({
      ...{ name, record, log, now },
      logins: logins ?? this.#openLogins(record, () => life),
      profile: profileWish(config, name, record.profile),
      device: (id) => discovery.device(id),
      searchFor: (id) => discovery.searchFor(id),
      described: (description) => {
        this.describe(record, description);
        if (life.deviceId !== undefined) discovery.learn(life.deviceId, description);
      },
    });
    this.#lives.set(record, life);
    target.add(life, signal);
    log.info({ stream: name, serial: record.toldSerial }, 'camera adopted');
    return life;
  }

  /** Resolves when its name and the device are free, whoever asked for it first. */
  async end(record: AdoptionRecord): Promise<void> {
    const life = this.#lives.get(record);
    this.#lives.delete(record);
    if (life !== undefined) {
      const ending = this.#context.target.remove(life.name).finally(() => {
        if (this.#ending.get(record) === ending) this.#ending.delete(record);
      });
      this.#ending.set(record, ending);
    }
    await this.#ending.get(record);
  }

  /** Other logins are configured: whoever waits because of the earlier ones need not. */
  loginsChanged(): void {
    for (const [record, { logins, name }] of this.#lives) {
      logins.replace(this.#logins.list(record.credentials));
      this.#context.target.wake(name, false);
    }
  }

  describe(record: AdoptionRecord, description: Partial<DeviceDescription>): void {
    const { manufacturer, model, serial, mac } = description;
    const told = present({ manufacturer, model, toldSerial: serial, mac: record.mac ?? mac });
    this.#context.state.change(record, told);
  }

  /** The one that plays from where this device is, and that discovery has not found as another. */
  playingFrom(device: DiscoveredDevice): AdoptionRecord | undefined {
    const differs = (record: AdoptionRecord) =>
      (['serial', 'mac'] as const).some(
        (mark) =>
          record[mark] !== undefined && device[mark] !== undefined && record[mark] !== device[mark],
      );
    const found = [...this.#lives].find(
      ([record, life]) => !life.isFound && life.playsFrom(device) && !differs(record),
    );
    return found?.[0];
  }

  /** It was heard of: whoever waits for it need not, and whoever holds on to where it was lets go. */
  follow(life: AdoptedLife, device: DiscoveredDevice, keptAt: readonly string[]): void {
    const { target } = this.#context;
    life.found(device, keptAt);
    target.wake(life.name, keptAt.length > 0 && keptAt[0] !== device.addresses[0]);
    const moved = life.hasMoved(device);
    if (moved === 'no') return;
    if (moved === 'gone' || target.isSilent(life.name, MOVED_SILENCE_MS)) {
      target.restart(life.name);
      return;
    }
    // It has two addresses, or its last pictures came just now.
    const look = () => {
      const isSilent = target.isSilent(life.name, MOVED_SILENCE_MS);
      const isThere = this.#lives.get(life.record) === life && life.hasMoved(device) !== 'no';
      if (isSilent && isThere) target.restart(life.name);
    };
    setTimeout(look, 2 * MOVED_SILENCE_MS).unref();
  }

  #openLogins(record: AdoptionRecord, life: () => AdoptedLife): CredentialChooser {
    return this.#logins.open(record, {
      own: record.credentials,
      record: () => record,
      isSureOfDevice: () => life().isSure,
      refused: () => life().loginRefused(),
    });
  }
}
