/** Brokers that refuse MQTT 5, in each of their ways: asked once more with 3.1.1, and so from then on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GATEWAY_ID, makeReporting, streamStatus } from '../support/reporting.ts';
import { type Refusal, ScriptedBroker } from '../support/scripted-broker.ts';
import { until } from '../support/until.ts';

const refusals: readonly Refusal[] = ['code-1', 'code-132', 'close', 'reset'];

describe('a broker that refuses MQTT 5', () => {
  for (const refusal of refusals) {
    it(`by ${refusal}: 3.1.1 at once, and without asking again after a reconnect`, async () => {
      const broker = await ScriptedBroker.start(refusal);
      const { board, reporter } = makeReporting({ url: broker.url });
      board.setStreamStatus('front', streamStatus());
      const topic = `sluice/${GATEWAY_ID}/stream/front/status`;
      await reporter.start();
      const told = () => broker.published.filter(([one]) => one === topic).length;
      await until(() => told() === 1);
      assert.deepEqual(broker.levels, [5, 4]);
      broker.dropClients();
      await until(() => told() === 2);
      assert.deepEqual(broker.levels, [5, 4, 4]);
      await reporter.stop();
      assert.deepEqual(broker.published.at(-1), [`sluice/${GATEWAY_ID}/state`, 'stopped']);
      await broker.stop();
    });
  }
});
