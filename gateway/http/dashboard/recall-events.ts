/** Events are told once; a gateway has the last hundred for whoever comes later (`GET /api/v1/events`, the oldest first). */

import { within } from './within.ts';

const PATIENCE_MS = 10_000;

/** `take` is given each as its message was. What cannot be had is not missed: whatever comes is shown. */
export async function recallEvents(take: (payload: Uint8Array) => void): Promise<void> {
  try {
    const events: unknown = await within(PATIENCE_MS, async (signal) =>
      (await fetch('./api/v1/events', { signal })).json(),
    );
    if (!Array.isArray(events)) return;
    for (const event of events) take(new TextEncoder().encode(JSON.stringify(event)));
  } catch {
    // The next connection asks again.
  }
}
