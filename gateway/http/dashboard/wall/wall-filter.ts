/** Which cameras the wall shows. */
import type { GatewayModel, StreamModel } from '../model.ts';

export const STATE_FILTERS = [
  'all',
  'trouble',
  'online',
  'connecting',
  'stalled',
  'unauthorized',
  'unreachable',
  'unsupported',
  'disabled',
  'offline',
] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];

/** `gateway`: of one; undefined: of all. */
export function tilesOf(
  gateways: readonly GatewayModel[],
  gateway: string | undefined,
): readonly StreamModel[] {
  return gateways
    .filter(({ id }) => gateway === undefined || id === gateway)
    .flatMap(({ streams }) => streams.value);
}

export function isWanted(stream: StreamModel, state: StateFilter, text: string): boolean {
  const status = stream.status.value;
  const isOfState =
    state === 'all' || (state === 'trouble' ? status?.state !== 'online' : status?.state === state);
  if (!isOfState) return false;
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  const info = stream.info.value;
  return [
    stream.gateway,
    stream.name,
    info?.manufacturer,
    info?.model,
    status?.code,
    status?.reason,
  ].some((words) => words?.toLowerCase().includes(wanted) === true);
}
