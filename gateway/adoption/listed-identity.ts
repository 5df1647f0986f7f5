/** Who a listed device is: it is logged in to, and what is kept of it is found, or begun. */
import type { Discovery } from '../../drivers/discovery/discovery.ts';
import type { Credentials } from '../../drivers/driver.ts';
import type { CredentialChooser } from '../../drivers/onvif/credential-chooser.ts';
import type { DeviceDescription } from '../../drivers/onvif/onvif-client.ts';
import { endpointsOf } from '../../drivers/onvif/onvif-endpoint.ts';
import { urlsOf } from './adopted-life.ts';
import type { AdoptedLives } from './adopted-lives.ts';
import type { AdoptionLogins } from './adoption-logins.ts';
import type { AdoptionRecord } from './adoption-record.ts';
import type { AdoptionState } from './adoption-state.ts';
import { logInToDevice } from './device-login.ts';
import type { Listed } from './listed-device.ts';

interface ListedIdentityContext {
  readonly discovery: Pick<Discovery, 'device' | 'learn'>;
  readonly state: AdoptionState;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class ListedIdentity {
  readonly #context: ListedIdentityContext;
  readonly #lives: AdoptedLives;
  readonly #logins: AdoptionLogins;

  constructor(context: ListedIdentityContext, lives: AdoptedLives, logins: AdoptionLogins) {
    this.#context = context;
    this.#lives = lives;
    this.#logins = logins;
  }

  /** Resolves with what is kept of the device, once it is known who it is. */
  async learn(listed: Listed, signal: AbortSignal): Promise<AdoptionRecord> {
    const { discovery, state, now } = this.#context;
    const found = discovery.device(listed.id);
    const endpoints = found === undefined ? [] : endpointsOf(found);
    const isOnvif = endpoints.length > 0 || found === undefined || urlsOf(found).length === 0;
    let description: Partial<DeviceDescription> = {};
    if (isOnvif) {
      // One count for each device, whoever logs in.
      listed.logins ??=
        this.#lives.of(listed.record)?.logins ?? this.newLogins(listed, listed.record?.credentials);
      description = await logInToDevice(endpoints, listed.logins, now, signal);
      signal.throwIfAborted();
      discovery.learn(listed.id, description);
    }
    const device = discovery.device(listed.id);
    if (device === undefined) throw new Error('the device is not listed any more');
    const record = state.find(device) ?? listed.record ?? state.add(device);
    listed.record = record;
    this.#lives.describe(record, description);
    return record;
  }

  /** For a device of which nothing is decided yet; what it refuses is kept all the same. */
  newLogins(listed: Listed, own: Credentials | undefined): CredentialChooser {
    const { discovery, state } = this.#context;
    const record = () => {
      const device = discovery.device(listed.id);
      if (device !== undefined) listed.record ??= state.find(device) ?? state.add(device);
      return listed.record;
    };
    const life = () => this.#lives.of(listed.record);
    return this.#logins.open(listed.record, {
      ...{ own, record },
      isSureOfDevice: () => life()?.isSure ?? true,
      refused: () => life()?.loginRefused(),
    });
  }
}
