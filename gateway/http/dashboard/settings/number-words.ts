/** Numbers of the configuration, as people type and read them. */
import { bytesWords } from '../numbers.ts';

/** What is no number stays text, for whoever looks at it then to complain of. */
export function numberOrText(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && /^[+-]?[\d.]+(e\d+)?$/i.test(trimmed) ? value : trimmed;
}

const SECOND_MS = 1_000;

/** "60000" of `intervalMs` is "60 s"; undefined: the number says it by itself. */
export function unitWords(key: string, value: unknown): string | undefined {
  if (typeof value !== 'number' || value <= 0) return undefined;
  if (/Bytes$/.test(key)) return bytesWords(value);
  if (/Ms$/.test(key)) return value < SECOND_MS ? undefined : durationText(value);
  return undefined;
}

function durationText(ms: number): string {
  const seconds = ms / SECOND_MS;
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  const minutes = seconds / 60;
  if (minutes < 120) return `${Number(minutes.toFixed(1))} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`;
}
