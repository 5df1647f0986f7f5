/** Which found devices are shown: what waits for somebody first. */
import type { FoundDevice } from '../../../report/status.ts';
import type { GatewayModel } from '../model.ts';
import { byName } from '../name-order.ts';

export interface DeviceRow {
  readonly gateway: string;
  readonly device: FoundDevice;
  readonly standing: Standing;
}

/** `troubled`: to be adopted, but something is in the way. */
export type Standing = 'waiting' | 'troubled' | 'adopted' | 'ignored';

const ORDER: readonly Standing[] = ['troubled', 'waiting', 'adopted', 'ignored'];

export function deviceRows(gateways: readonly GatewayModel[]): readonly DeviceRow[] {
  return gateways
    .flatMap(({ id, found }) =>
      found.value.map((device) => ({ gateway: id, device, standing: standingOf(device) })),
    )
    .sort(
      (a, b) =>
        ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing) ||
        byName(a.gateway, b.gateway) ||
        byName(titleOf(a.device), titleOf(b.device)) ||
        byName(a.device.id, b.device.id),
    );
}

export function standingOf({ code, adoptedAs }: FoundDevice): Standing {
  if (code === 'ignored') return 'ignored';
  if (adoptedAs !== undefined) return 'adopted';
  return code === 'undecided' ? 'waiting' : 'troubled';
}

/** As people call it. */
export function titleOf({ manufacturer, model, id }: FoundDevice): string {
  const known = [manufacturer, model].filter((one) => one !== undefined && one !== '');
  return known.length === 0 ? id : known.join(' ');
}
