/** How long ago something was, kept up to date; the time itself is its title. */
import { useComputed } from '@preact/signals';
import { clockWords, nowMs, relativeWords } from '../times.ts';
import { language } from '../words.ts';

/** `at`: an ISO time. Nothing known is a dash. */
export function TimeAgo({ at }: { readonly at: string | null | undefined }) {
  const atMs = at === null || at === undefined ? Number.NaN : Date.parse(at);
  if (Number.isNaN(atMs)) return <span>–</span>;
  // Anew for each time: a signal made in an earlier drawing would keep the old one.
  return <Moment key={atMs} atMs={atMs} />;
}

function Moment({ atMs }: { readonly atMs: number }) {
  const words = useComputed(() => relativeWords(atMs, nowMs.value, language.value));
  return (
    <time dateTime={new Date(atMs).toISOString()} title={clockWords(atMs)}>
      {words}
    </time>
  );
}
