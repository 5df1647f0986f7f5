/** The logins that are tried on each device, and what is kept of what it refused and took. */
import type { Credentials } from '../../drivers/driver.ts';
import { CredentialChooser, type KeptLogin } from '../../drivers/onvif/credential-chooser.ts';
import type { DiscoveryConfig } from '../config/schema.ts';
import { present } from './adopted-life.ts';
import type { AdoptionRecord, LoginRecord } from './adoption-record.ts';
import type { AdoptionState } from './adoption-state.ts';
import { CredentialMarks } from './credential-marks.ts';

export interface DeviceLogins {
  /** Where it is kept; undefined: nowhere yet. Made when there is something to keep. */
  readonly record: () => AdoptionRecord | undefined;
  /** Given for this device by somebody: tried first. */
  readonly own: Credentials | undefined;
  readonly isSureOfDevice?: () => boolean;
  readonly refused?: () => void;
}

export class AdoptionLogins {
  #credentials: readonly Credentials[];
  readonly #state: AdoptionState;
  readonly #now: () => number;
  readonly #marks: CredentialMarks;

  constructor(configured: DiscoveryConfig['credentials'], state: AdoptionState, now: () => number) {
    this.#credentials = secretive(configured);
    this.#state = state;
    this.#now = now;
    const earlier = state.records.find(({ login }) => login !== undefined);
    this.#marks = new CredentialMarks(earlier?.login?.mark);
  }

  /** Another configuration. */
  configure(configured: DiscoveryConfig['credentials']): void {
    this.#credentials = secretive(configured);
  }

  /** For a device that `open` has given its own. */
  list(own: Credentials | undefined): readonly Credentials[] {
    return own === undefined ? this.#credentials : [own, ...this.#credentials];
  }

  /** `kept`: what an earlier life, or an earlier look at the device, has learned. */
  open(kept: AdoptionRecord | undefined, device: DeviceLogins): CredentialChooser {
    const { own, record, refused, isSureOfDevice = () => true } = device;
    const list = this.list(own);
    const logins: CredentialChooser = new CredentialChooser(list, this.#now, {
      kept: this.#restore(kept, list),
      isSureOfDevice,
      changed: (isRefusal) => {
        if (isRefusal) refused?.();
        const keeper = record();
        if (keeper !== undefined) this.#state.change(keeper, { login: this.#toKeep(logins) });
      },
    });
    return logins;
  }

  #restore(
    record: AdoptionRecord | undefined,
    list: readonly Credentials[],
  ): KeptLogin | undefined {
    const { login } = record ?? {};
    if (login === undefined || login.mark !== this.#marks.of(list)) return undefined;
    const { worked, refusals, heldUntil } = login;
    const held = heldUntil === undefined ? {} : { heldUntilMs: Date.parse(heldUntil) };
    return { worked: present(worked), refusals: present(refusals), ...held };
  }

  #toKeep(logins: CredentialChooser): LoginRecord {
    const { worked, refusals, heldUntilMs } = logins.toKeep();
    const counts = Object.entries(refusals).map(([service, each]) => [service, [...each]]);
    return {
      mark: this.#marks.of(logins.candidates),
      worked: { ...worked },
      refusals: Object.fromEntries(counts),
      ...(heldUntilMs === undefined ? {} : { heldUntil: new Date(heldUntilMs).toISOString() }),
    };
  }
}

function secretive(configured: DiscoveryConfig['credentials']): Credentials[] {
  return configured.map(({ username, password = '' }) => ({
    ...{ username, password, isSecretive: true },
  }));
}
