import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { within } from '../../../../gateway/http/dashboard/within.ts';

/** As `fetch` at a network that swallows packets. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')));
  });
}

describe('asking for so long', () => {
  it('gives what came in time, and leaves nothing at the signal', async () => {
    const { signal } = new AbortController();
    assert.equal(await within(10_000, () => Promise.resolve(7), signal), 7);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('ends what takes longer', async () => {
    await assert.rejects(within(5, never), /given up/);
  });

  it('ends with whoever asked, also one who has gone already', async () => {
    const asker = new AbortController();
    const asked = within(10_000, never, asker.signal);
    asker.abort();
    await assert.rejects(asked, /given up/);
    let isEnded = false;
    await within(
      10_000,
      async (signal) => {
        isEnded = signal.aborted;
      },
      asker.signal,
    );
    assert.ok(isEnded);
  });
});
