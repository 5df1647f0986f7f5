import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyStats, type StreamDriver } from '../../drivers/driver.ts';
import { AttemptBudget } from '../../gateway/attempt-budget.ts';
import { parseConfig } from '../../gateway/config/load.ts';
import { Fleet } from '../../gateway/fleet.ts';
import { Hub } from '../../gateway/hub/hub.ts';
import { Board } from '../../gateway/report/board.ts';
import { collectingLog } from '../support/reporting.ts';

test('a stream that is removed keeps its name until the camera is let go', async () => {
  const hub = new Hub(1024 * 1024, Date.now);
  const config = parseConfig('', { file: 'test', folder: '/', env: {} });
  const fleet = new Fleet(config, {
    ...{ hub, board: new Board(), log: collectingLog().log, head: () => undefined },
    openExtension: () => assert.fail(),
    budget: new AttemptBudget(1000, 1000, Date.now),
    ...{ now: Date.now, random: Math.random },
  });
  let begun = () => {};
  let letGo = () => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const driver: StreamDriver = {
    ...{ stats: emptyStats(), notes: [] },
    run: () => {
      begun();
      return new Promise((resolve) => {
        letGo = resolve;
      });
    },
  };
  const stop = new AbortController();
  const amend = (cause: Parameters<Parameters<Fleet['add']>[0]['amend']>[0]) => cause;
  const stream = { name: 'yard', sourceUrl: 'onvif://yard', who: 'The camera yard' };
  fleet.add({ ...stream, driver, amend, describe: () => ({}) }, stop.signal);
  await running;
  const removed = fleet.remove('yard');
  assert.ok(hub.get('yard') !== undefined);
  assert.ok(fleet.has('yard'), 'whoever pushes a stream of this name would lose it');
  letGo();
  await removed;
  assert.ok(!fleet.has('yard'));
  assert.equal(hub.get('yard'), undefined);
  stop.abort();
});
