/**
 * A gateway that is gone cannot tell that its cameras, pushes and lines are gone with it: what the broker keeps of them is what was so last.
 * Here, and nowhere else, that becomes what is shown.
 */
import type { Absence, Shown } from './model.ts';
import { stateWords } from './parts/state-words.ts';
import { clockWords } from './times.ts';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: {
    offline: 'The gateway has been offline since {since}; last known: {last}.',
    stopped: 'The gateway has been stopped since {since}; last known: {last}.',
  },
  zh: {
    offline: '网关自 {since} 起离线；最后已知状态：{last}。',
    stopped: '网关自 {since} 起已停止；最后已知状态：{last}。',
  },
});

/** `told`: by the gateway, when it was still there. */
export function shownStatus<T extends { readonly state: string; readonly code: string }>(
  told: T,
  absence: Absence | undefined,
): Shown<T> {
  if (absence === undefined) return told;
  const { state, since = '' } = absence;
  const sinceMs = Date.parse(since);
  return {
    ...told,
    state: 'offline',
    code: 'gateway-gone',
    reason: t(state, {
      since: Number.isNaN(sinceMs) ? '–' : clockWords(sinceMs),
      last: stateWords(told.state),
    }),
    since,
    attempts: 0,
    nextRetryAt: null,
  };
}
