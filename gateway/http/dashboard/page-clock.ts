/** Lets the time of the page go on. */
import { nowMs } from './times.ts';

const TICK_MS = 1_000;

/** For as long as the page is there; a hidden one sleeps. */
export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) nowMs.value = Date.now();
  }, TICK_MS);
}
