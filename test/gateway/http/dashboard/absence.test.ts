/** What is shown of a gateway that is gone: its retained topics still say that all is well. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import {
  camerasOf,
  pushesOf,
  rowOf,
  sortRows,
} from '../../../../gateway/http/dashboard/fleet/fleet-order.ts';
import { MqttModel } from '../../../../gateway/http/dashboard/mqtt-model.ts';
import {
  countsOf,
  groupsOf,
  rowsOf,
} from '../../../../gateway/http/dashboard/targets/target-rows.ts';
import { clockWords } from '../../../../gateway/http/dashboard/times.ts';
import { isWanted, tilesOf } from '../../../../gateway/http/dashboard/wall/wall-filter.ts';
import { language } from '../../../../gateway/http/dashboard/words.ts';

const SEEN_AT = '2026-11-25T12:00:00.000Z';
const since = clockWords(Date.parse(SEEN_AT));

const status = {
  ...{ state: 'online', code: 'ok', reason: 'Pictures are arriving.' },
  ...{ since: '2026-11-20T12:00:00.000Z', lastFrameAt: SEEN_AT, attempts: 0, nextRetryAt: null },
};
const publish = {
  ...{ state: 'publishing', code: 'ok', reason: '', target: 'rtmp://master/live/cam' },
  ...{ queueMs: 0, droppedGops: 0, droppedUnits: 0, bytes: 1_000 },
  ...{ since: '2026-11-20T12:00:00.000Z', attempts: 0, nextRetryAt: null },
};
const stats = {
  ...{ videoKbps: 1200, audioKbps: 0, fps: 25, gopMs: 2000, lostPackets: 0, damagedUnits: 0 },
  ...{ jitterMs: 1, reconnects: 0, units: 10, bytes: 1000, viewers: 0 },
};
const line = {
  ...{ name: 'mast', path: '/dev/ttyUSB0', state: 'open', code: 'ok', reason: '' },
  since: '2026-11-20T12:00:00.000Z',
};
const health = {
  ...{ at: SEEN_AT, uptimeS: 1, cpuPercent: 1, rssMb: 100, anonMb: null, load1: 0 },
  ...{ memoryTotalMb: 1000, memoryAvailableMb: null, temperatureC: 60, throttled: null },
  ...{ diskTotalMb: null, diskFreeMb: null, uplinkKbps: 4_000, clockSynchronised: null },
  ...{ streamsUp: 1, streamsTotal: 1, publishesUp: 1, publishesTotal: 1 },
};

function fleet(state: string) {
  const model = new MqttModel({
    ...{ baseTopic: 'sluice', only: undefined, makeUrl: () => '', dropUrl: () => {} },
  });
  const tell = (topic: string, value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    model.receive(`sluice/${topic}`, new TextEncoder().encode(text), 1_000_000);
  };
  tell('shop-1/state', state);
  tell('shop-1/health', health);
  tell('shop-1/stream/yard/status', status);
  tell('shop-1/stream/yard/stats', stats);
  tell('shop-1/stream/yard/motion', 'ON');
  tell('shop-1/publish/yard/master', publish);
  tell('shop-1/serial/mast', line);
  const [gateway] = model.gateways.value;
  const [stream] = tilesOf(model.gateways.value, undefined);
  assert.ok(gateway !== undefined && stream !== undefined);
  return { tell, gateway, stream };
}

describe('a gateway that is gone', () => {
  afterEach(() => {
    language.value = 'en';
  });

  for (const state of ['offline', 'stopped']) {
    it(`${state}: its cameras are not online, since when and what they were last is said`, () => {
      const { gateway, stream } = fleet(state);
      assert.deepEqual(stream.status.value, {
        ...status,
        state: 'offline',
        code: 'gateway-gone',
        reason: `The gateway has been ${state} since ${since}; last known: online.`,
        since: SEEN_AT,
      });
      assert.equal(isWanted(stream, 'trouble', ''), true, 'the filter shows them');
      assert.equal(isWanted(stream, 'offline', ''), true);
      assert.equal(isWanted(stream, 'online', ''), false);
      assert.equal(camerasOf(rowOf(gateway)), '0 / 1');
    });
  }

  it('no figure of the past is shown as of now; the history is kept', () => {
    const { gateway, stream } = fleet('offline');
    assert.deepEqual([stream.stats.value, stream.motion.value], [undefined, undefined]);
    assert.equal(stream.history.value.length, 1);
    const { health: now, seenAt } = rowOf(gateway);
    assert.deepEqual([now, seenAt], [undefined, SEEN_AT]);
  });

  it('its pushes do not publish', () => {
    const { gateway } = fleet('offline');
    assert.equal(pushesOf(rowOf(gateway)), '0 / 1');
    const rows = rowsOf([gateway]);
    assert.deepEqual([...countsOf(rows)], [['offline', 1]]);
    const [group] = groupsOf(rows, { by: 'state', isReversed: false, state: 'offline' });
    assert.equal(group?.publishing, 0);
    assert.match(group?.rows[0]?.status.reason ?? '', /last known: publishing/);
  });

  it('its serial lines are not open', () => {
    const [shown] = fleet('offline').gateway.serial.value;
    assert.equal(shown?.state, 'offline');
    assert.match(shown?.reason ?? '', /last known: open/);
    assert.deepEqual(fleet('online').gateway.serial.value, [line]);
  });

  it('comes before one whose cameras are online, by cameras', () => {
    const rows = [fleet('online'), fleet('offline')].map(({ gateway }) => rowOf(gateway));
    const [first] = sortRows(rows, { by: 'cameras', isReversed: false });
    assert.equal(first, rows[1]);
  });

  it('is said in the language of the page', () => {
    const { stream } = fleet('offline');
    language.value = 'zh';
    assert.match(stream.status.value?.reason ?? '', /^网关自 .+ 起离线；最后已知状态：在线。$/);
  });

  it('nothing is lost: what it said last is shown when it is back', () => {
    const { tell, gateway, stream } = fleet('offline');
    tell('shop-1/state', 'online');
    assert.deepEqual(stream.status.value, status);
    assert.deepEqual(gateway.publishes.value[0]?.status.value, publish);
    assert.deepEqual(stream.stats.value, stats);
  });

  it('a time that is none breaks nothing', () => {
    const { tell, stream } = fleet('offline');
    tell('shop-1/health', { ...health, at: 'yesterday' });
    assert.match(stream.status.value?.reason ?? '', /since –/);
  });
});
