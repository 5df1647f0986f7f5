/** A box that was cloned, or set up twice: each takes the other's place at the broker, which does not say so (Mosquitto 2.0). */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../support/mosquitto.ts';
import { GATEWAY_ID, makeReporting } from '../support/reporting.ts';

const LIMIT_MS = 60_000;

it('two gateways with one id: both say what it may be', { timeout: LIMIT_MS }, async () => {
  const broker = await Mosquitto.start();
  const twins = [makeReporting({ url: broker.url }), makeReporting({ url: broker.url })];
  for (const { reporter } of twins) await reporter.start();
  const words = (lines: readonly Record<string, unknown>[]) =>
    lines.filter(({ code }) => code === 'name-taken').map(({ msg }) => String(msg));
  while (twins.some(({ lines }) => words(lines).length === 0)) await sleep(50);
  for (const { lines, reporter } of twins) {
    assert.match(words(lines)[0] ?? '', new RegExp(`the id ${GATEWAY_ID}, too; .*gateway\\.id`));
    await reporter.stop();
  }
  await broker.stop();
});

it('a broker that is restarted twice is no twin', { timeout: LIMIT_MS }, async () => {
  const broker = await Mosquitto.start();
  const { reporter, lines } = makeReporting({ url: broker.url });
  await reporter.start();
  for (let round = 0; round < 2; round += 1) {
    while (!reporter.isConnected) await sleep(20);
    await broker.kill();
    while (reporter.isConnected) await sleep(20);
    await broker.restart();
  }
  while (!reporter.isConnected) await sleep(20);
  await reporter.stop();
  await broker.stop();
  assert.deepEqual(
    lines.filter(({ code }) => code === 'name-taken'),
    [],
  );
});
