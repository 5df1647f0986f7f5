import assert from 'node:assert/strict';
import { it } from 'node:test';
import { signal } from '@preact/signals';
import {
  type Column,
  rowOf,
  sortRows,
} from '../../../../../gateway/http/dashboard/fleet/fleet-order.ts';
import { GatewayRecord } from '../../../../../gateway/http/dashboard/gateway-record.ts';
import type { Health } from '../../../../../gateway/report/box-status.ts';

const HEALTH: Health = {
  at: '2026-11-25T12:00:00.000Z',
  uptimeS: 1,
  cpuPercent: 1,
  rssMb: 100,
  anonMb: null,
  load1: 0,
  memoryTotalMb: 1000,
  memoryAvailableMb: null,
  temperatureC: null,
  throttled: null,
  diskTotalMb: null,
  diskFreeMb: null,
  uplinkKbps: 0,
  clockSynchronised: null,
  streamsUp: 1,
  streamsTotal: 1,
  publishesUp: 1,
  publishesTotal: 1,
};

const context = { makeUrl: () => '', dropUrl: () => {} };

function box(
  id: string,
  health: Partial<Health> | undefined,
  state?: 'online' | 'offline',
  streams: readonly string[] = [],
) {
  return {
    ...Object.assign(Object.create(null), new GatewayRecord(id, context)),
    streams: signal(streams.map((one) => ({ status: signal({ state: one }) }))),
    publishes: signal([]),
    state: signal(state),
    health: signal(health && { ...HEALTH, ...health }),
  };
}

const boxes = [
  box('box-10', { temperatureC: 70, cpuPercent: 5 }, 'online', ['online', 'stalled']),
  box('box-2', undefined, 'offline'),
  box('box-9', { temperatureC: 40, cpuPercent: 90 }, 'online'),
];

const cases: { by: Column; isReversed?: true; want: string[] }[] = [
  { by: 'id', want: ['box-2', 'box-9', 'box-10'] },
  { by: 'state', want: ['box-2', 'box-9', 'box-10'] },
  { by: 'cameras', want: ['box-10', 'box-2', 'box-9'] },
  { by: 'temperature', want: ['box-9', 'box-10', 'box-2'] },
  { by: 'temperature', isReversed: true, want: ['box-10', 'box-9', 'box-2'] },
  { by: 'cpu', isReversed: true, want: ['box-9', 'box-10', 'box-2'] },
];

for (const { by, isReversed = false, want } of cases) {
  it(`by ${by}${isReversed ? ', the other way round' : ''}: what is not known comes last`, () => {
    const sorted = sortRows(boxes.map(rowOf), { by, isReversed });
    assert.deepEqual(
      sorted.map(({ gateway }) => gateway.id),
      want,
    );
  });
}
