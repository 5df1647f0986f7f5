import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { Board } from '../../../gateway/report/board.ts';
import { type HealthContext, HealthSampler } from '../../../gateway/report/health.ts';
import { publishStatus, streamStatus } from '../../support/reporting.ts';

function context(board: Board): HealthContext {
  return { board, refresh() {}, dataDir: '/tmp', now: () => 0 };
}

describe('HealthSampler', () => {
  it('reads this machine', async () => {
    const sampler = new HealthSampler(context(new Board()));
    const health = await sampler.sample();
    assert.equal(health.at, '1970-01-01T00:00:00.000Z');
    assert.ok(health.rssMb > 20 && health.rssMb < 2_000);
    assert.ok((health.anonMb ?? 0) > 5 && (health.anonMb ?? 0) < health.rssMb);
    assert.ok(
      (health.diskFreeMb ?? 0) <= (health.diskTotalMb ?? 0) && (health.diskTotalMb ?? 0) > 0,
    );
    assert.ok(health.cpuPercent >= 0);
  });

  it('tells null where there is nothing to read', async () => {
    const sampler = new HealthSampler({ ...context(new Board()), dataDir: '/nowhere' });
    assert.equal((await sampler.sample()).diskFreeMb, null);
  });

  it('the uplink’s rate is that of all targets, and a counter that begins again is no negative', async () => {
    let nowMs = 5_000;
    const clock = mock.method(performance, 'now', () => nowMs);
    const board = new Board();
    const sampler = new HealthSampler(context(board));
    board.setStreamStatus('a', streamStatus());
    board.setStreamStatus('b', streamStatus({ state: 'connecting' }));
    board.setPublish('a', 'x', publishStatus({ bytes: 1_000_000 }), 'stats');
    board.setPublish('a', 'y', publishStatus({ bytes: 250_000, state: 'waiting' }), 'stats');
    nowMs += 10_000;
    const first = await sampler.sample();
    assert.equal(first.uplinkKbps, 1_000);
    assert.deepEqual(
      [first.streamsUp, first.streamsTotal, first.publishesUp, first.publishesTotal],
      [1, 2, 1, 2],
    );
    board.setPublish('a', 'x', publishStatus({ bytes: 125_000 }), 'stats');
    nowMs += 10_000;
    assert.equal((await sampler.sample()).uplinkKbps, 100);
    clock.mock.restore();
  });

  it('counts what was sent up to the sample, whenever the board was told last', async (t) => {
    let nowMs = 0;
    t.mock.method(performance, 'now', () => nowMs);
    const board = new Board();
    const sendsSteadily = () =>
      board.setPublish('a', 'x', publishStatus({ bytes: 125 * nowMs }), 'stats');
    const sampler = new HealthSampler({ ...context(board), refresh: sendsSteadily });
    for (const elapsedMs of [10_000, 9_000, 11_000, 10_000]) {
      nowMs += elapsedMs;
      assert.equal((await sampler.sample()).uplinkKbps, 1_000);
    }
  });
});
