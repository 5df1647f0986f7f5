/** A found device as adoption has it listed, and what people are told of it. */
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import type { CredentialChooser } from '../../drivers/onvif/credential-chooser.ts';
import type { DiscoveryConfig } from '../config/schema.ts';
import { fillTemplate, toName } from '../names.ts';
import type { CauseCode, FoundDevice } from '../report/status.ts';
import { present } from './adopted-life.ts';
import type { AdoptionRecord } from './adoption-record.ts';

export interface Listed {
  readonly id: string;
  record: AdoptionRecord | undefined;
  /** The configured stream that it is. */
  servedBy: string | undefined;
  logins: CredentialChooser | undefined;
  /** It is being logged in to. */
  attempt: AbortController | undefined;
  /** Somebody decides about it now: what is found out meanwhile is not acted on. */
  command: object | undefined;
  grace: NodeJS.Timeout | undefined;
  code: CauseCode;
  reason: string;
  needsPassword: boolean;
}

interface Finding {
  readonly code: CauseCode;
  readonly reason: string;
}

export const AWAITS_ONVIF: Finding = {
  code: 'starting',
  reason: 'It says where its stream is; waiting a moment whether it answers ONVIF, too.',
};

export function newListed(id: string): Listed {
  return {
    ...{ id, record: undefined, servedBy: undefined, logins: undefined },
    ...{ attempt: undefined, command: undefined, grace: undefined, needsPassword: false },
    ...{ code: 'starting', reason: 'It was found just now.' },
  };
}

export function isBusy({ attempt, command }: Listed): boolean {
  return attempt !== undefined || command !== undefined;
}

/** What the configuration or somebody has decided against it; undefined: it may be adopted. */
export function whyNotAdopted(
  adopt: DiscoveryConfig['adopt'],
  decision: AdoptionRecord['decision'],
  id: string,
): Finding | undefined {
  if (adopt === 'off') {
    return {
      code: 'undecided',
      reason: 'Not adopted: discovery.adopt is off. Add it under streams, or set discovery.adopt.',
    };
  }
  if (decision === 'ignored') {
    return {
      code: 'ignored',
      reason: 'It is ignored, as was said by the command adopt; the same command adopts it.',
    };
  }
  if (adopt === 'auto' || decision === 'adopted') return undefined;
  return {
    code: 'undecided',
    reason: `Not adopted yet: discovery.adopt is ask. Send the command adopt with ${id} as device.`,
  };
}

/** `adoptedAs`: the stream that it is. */
export function toFound(
  device: DiscoveredDevice,
  listed: Listed,
  adoptedAs: string | undefined,
): FoundDevice {
  const { id, via, addresses, manufacturer, model, lastSeenAt } = device;
  const serial = device.serial ?? listed.record?.toldSerial;
  const { code, reason, needsPassword } = listed;
  const isAdopted = adoptedAs !== undefined;
  return {
    ...{ id, via, addresses, lastSeenAt },
    ...present({ manufacturer, model, serial, adoptedAs }),
    ...(needsPassword && !isAdopted ? { needsPassword: true } : {}),
    ...(isAdopted ? { code: 'ok', reason: `It is the stream ${adoptedAs}.` } : { code, reason }),
  };
}

/** The nearest valid name to what the template says. */
export function templateName(
  template: string,
  id: string,
  record: AdoptionRecord,
  device: DiscoveredDevice | undefined,
): string {
  const manufacturer = record.manufacturer ?? device?.manufacturer;
  const model = record.model ?? device?.model ?? device?.name;
  const mac = record.mac ?? device?.mac;
  const serial = record.toldSerial ?? device?.serial ?? mac;
  const address = device?.addresses[0];
  return toName(fillTemplate(template, { manufacturer, model, serial, mac, address }), id);
}
