import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriesOf } from '../../../../../gateway/http/dashboard/camera/stats-series.ts';
import type { StreamStats } from '../../../../../gateway/report/status.ts';

const STATS: StreamStats = {
  videoKbps: 2_000,
  audioKbps: 64,
  fps: 25,
  gopMs: 1_000,
  lostPackets: 0,
  damagedUnits: 0,
  jitterMs: 3,
  reconnects: 0,
  units: 0,
  bytes: 0,
  viewers: 0,
};

test('bit rates are added up; losses are those since the sample before, also after a restart', () => {
  const history = [5, 7, 7, 2].map((lostPackets, at) => ({
    atMs: at * 10_000,
    stats: { ...STATS, lostPackets },
  }));
  assert.deepEqual(seriesOf('kbps', history)[0], { atMs: 0, value: 2_064 });
  assert.deepEqual(
    seriesOf('lost', history).map(({ atMs, value }) => [atMs, value]),
    [
      [10_000, 2],
      [20_000, 0],
      [30_000, 2],
    ],
  );
  assert.deepEqual(seriesOf('fps', []), []);
});
