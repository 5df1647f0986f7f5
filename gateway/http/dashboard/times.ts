/** Times as people say them. */
import { signal } from '@preact/signals';
import { type Language, language } from './words.ts';

/** The time, to the second (`page-clock.ts`). Who reads it while drawing is drawn again each second, so read it in a `computed`. */
export const nowMs = signal(Date.now());

/** Clocks differ, and that of the page goes by seconds. */
const NOW_S = 2;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

const TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-Hans' };

/** "12 sec. ago", "in 5 min.", "now". */
export function relativeWords(atMs: number, now: number, tongue: Language): string {
  const seconds = Math.round((atMs - now) / 1000);
  const format = new Intl.RelativeTimeFormat(TAGS[tongue], { style: 'short', numeric: 'auto' });
  const distance = Math.abs(seconds);
  if (distance <= NOW_S) return format.format(0, 'second');
  if (distance < MINUTE_S) return format.format(seconds, 'second');
  if (distance < HOUR_S) return format.format(Math.round(seconds / MINUTE_S), 'minute');
  if (distance < DAY_S) return format.format(Math.round(seconds / HOUR_S), 'hour');
  return format.format(Math.round(seconds / DAY_S), 'day');
}

/** "3 d 4 h", the two greatest units. */
export function durationWords(seconds: number, tongue: Language): string {
  const [d, h, m, s] = tongue === 'zh' ? ['天', '小时', '分', '秒'] : ['d', 'h', 'min', 's'];
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string | undefined][] = [
    [Math.floor(whole / DAY_S), d],
    [Math.floor((whole % DAY_S) / HOUR_S), h],
    [Math.floor((whole % HOUR_S) / MINUTE_S), m],
    [whole % MINUTE_S, s],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return `0 ${s}`;
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** In the time zone of whoever looks. */
export function clockWords(atMs: number): string {
  return new Intl.DateTimeFormat(TAGS[language.value], {
    dateStyle: 'medium',
    timeStyle: 'medium',
  }).format(atMs);
}
