import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signal } from '@preact/signals';
import {
  eventRows,
  filterEvents,
  typesOf,
} from '../../../../../gateway/http/dashboard/events/event-rows.ts';
import type { GatewayModel } from '../../../../../gateway/http/dashboard/model.ts';
import type { GatewayEvent } from '../../../../../gateway/report/status.ts';

function gateway(id: string, events: readonly GatewayEvent[]): GatewayModel {
  const none = signal(undefined);
  const empty = signal([]);
  return {
    ...{ id, state: none, absence: none, info: none, health: none, position: none },
    ...{ streams: empty, publishes: empty, found: empty, serial: empty },
    events: signal(events),
  };
}

function event(
  second: number,
  type = 'stream-state',
  more: Partial<GatewayEvent> = {},
): GatewayEvent {
  const at = new Date(Date.UTC(2026, 10, 25, 12, 0, second)).toISOString();
  return { at, type, message: `it is ${second}`, ...more };
}

describe('events as they are shown', () => {
  it('are those of all gateways, the newest first', () => {
    const rows = eventRows([gateway('a', [event(5), event(1)]), gateway('b', [event(3)])]);
    assert.deepEqual(
      rows.map(({ gateway, event }) => `${gateway}: ${event.message}`),
      ['a: it is 5', 'b: it is 3', 'a: it is 1'],
    );
  });

  it('keep their keys when newer ones come, also two of the same moment', () => {
    const known = [event(2), event(2), event(1)];
    const before = eventRows([gateway('a', known)]);
    const after = eventRows([gateway('a', [event(3), ...known])]);
    assert.equal(new Set(after.map(({ key }) => key)).size, 4);
    assert.deepEqual(
      after.slice(1).map(({ key }) => key),
      before.map(({ key }) => key),
    );
  });

  it('keep their keys when the oldest goes for a new one', () => {
    const [oldest, ...kept] = [event(1), event(2), event(3)];
    const before = eventRows([gateway('a', [...kept, oldest!])]);
    const after = eventRows([gateway('a', [event(4), ...kept])]);
    assert.deepEqual(
      after.slice(1).map(({ key }) => key),
      before.slice(0, 2).map(({ key }) => key),
    );
  });

  it('are no more than a browser can draw', () => {
    const many = Array.from({ length: 400 }, (_, n) => event(n % 60));
    assert.equal(eventRows([gateway('a', many), gateway('b', many)]).length, 500);
  });

  it('are filtered by kind and by what is in them', () => {
    const rows = eventRows([
      gateway('a', [
        event(3, 'motion', { stream: 'Front-Door' }),
        event(2, 'publish', { target: 'master' }),
        event(1, 'motion', { stream: 'yard' }),
      ]),
    ]);
    const messages = (text: string, type?: string) =>
      filterEvents(rows, { text, type }).map(({ event }) => event.message);
    assert.deepEqual(typesOf(rows), ['motion', 'publish']);
    assert.deepEqual(messages('', 'motion'), ['it is 3', 'it is 1']);
    assert.deepEqual(messages(' front '), ['it is 3']);
    assert.deepEqual(messages('MASTER'), ['it is 2']);
    assert.deepEqual(messages('front', 'publish'), []);
  });
});
