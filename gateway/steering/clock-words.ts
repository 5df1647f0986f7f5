/** How wrong a camera's clock is, as people say it. */
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `offsetMs`: the camera's clock minus ours. */
export function clockWords(offsetMs: number): string {
  // ONVIF tells whole seconds.
  if (Math.abs(offsetMs) < 2 * SECOND_MS) return 'Its clock is right.';
  return `Its clock is ${durationWords(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} this box.`;
}

function durationWords(ms: number): string {
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} days`;
}
