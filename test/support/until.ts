import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition that no event announces, by the real clock; fails after `timeoutMs` instead of hanging. */
export async function until(condition: () => boolean, timeoutMs = 8000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`not so after ${timeoutMs} ms: ${condition.toString()}`);
    }
    await sleep(10);
  }
}
