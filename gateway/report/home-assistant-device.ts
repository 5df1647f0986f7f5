/**
 * A device as Home Assistant's MQTT device discovery wants it told, and what all devices of ours have in common: one retained JSON object for each device,
 * on `<prefix>/device/<gateway>/config` and `<prefix>/device/<gateway>/<stream>/config`. What Home Assistant takes is written down
 * in test/support/home-assistant-schema.ts.
 *
 * Ids: gateways, streams, targets and components are made of `a-z 0-9 -`; `_` stands between them, so that no two can be alike.
 */
import { scrub } from '../secrets.ts';
import type { GatewayInfo } from './box-status.ts';
import type { Topics } from './topics.ts';

/** Home Assistant's words for the kinds of entity. */
export type Platform = 'binary_sensor' | 'sensor' | 'button' | 'image' | 'select' | 'number';

export interface Component {
  readonly p: Platform;
  readonly [option: string]: unknown;
}

export interface DiscoveryPayload {
  readonly dev: Readonly<Record<string, unknown>>;
  readonly o: Readonly<Record<string, unknown>>;
  readonly availability: readonly unknown[];
  readonly availability_mode: 'all';
  /** By component id. */
  readonly cmps: Readonly<Record<string, Component>>;
}

/** Three periods, and a little more. */
export const EXPIRE_AFTER_S = 35;
export function gatewayDeviceId(gateway: string): string {
  return `sluice_${gateway}`;
}

export function origin({ version }: GatewayInfo): Record<string, string> {
  return { name: 'Sluice', sw: version };
}

/** `stopped` is not there, either. */
export function gatewayIsThere({ state }: Topics): Record<string, string> {
  return { topic: state, value_template: `{{ 'online' if value == 'online' else 'offline' }}` };
}

/** What devices say of themselves; they may say anything. */
export function given(key: string, value: string | null | undefined): Record<string, string> {
  return value === undefined || value === null || value === '' ? {} : { [key]: scrub(value) };
}
