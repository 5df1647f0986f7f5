import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnapshotRounds } from '../../../gateway/report/snapshot-rounds.ts';
import { collectingLog } from '../../support/reporting.ts';

test('why there is no snapshot is said once, and again when it is something else, or was well between', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, lines } = collectingLog();
  const answers: (() => Promise<Uint8Array>)[] = [
    () => Promise.reject(new Error('404')),
    () => Promise.reject(new Error('404')),
    () => Promise.resolve(new Uint8Array(1024 * 1024 + 1)),
    () => Promise.resolve(new Uint8Array(3)),
    () => Promise.reject(new Error('404')),
  ];
  const told: number[] = [];
  const stopping = new AbortController();
  const rounds = new SnapshotRounds({
    intervalMs: 10_000,
    onlineStreams: () => ['yard', 'pushed'],
    take: (stream) => {
      if (stream !== 'yard') return undefined;
      const answer = answers.shift();
      if (answer === undefined) stopping.abort();
      return answer?.();
    },
    tell: (_, jpeg) => told.push(jpeg.length),
    log,
  });
  const ended = rounds.run(stopping.signal);
  while (!stopping.signal.aborted) {
    rounds.beginAgain();
    await new Promise(setImmediate);
  }
  await ended;
  const warnings = lines.filter(({ level }) => level === 40).map(({ msg }) => String(msg));
  assert.deepEqual(
    warnings.map((words) => words.replace(/^.*MQTT: /, '')),
    ['404', 'it is larger than 1048576 bytes', '404'],
  );
  assert.deepEqual(told, [3]);
});
