/** A state as word, sign and colour: never as colour alone. */
import { stateWords, type Tone, toneOf } from './state-words.ts';

const SIGNS: Readonly<Record<Tone, string>> = {
  ok: '●',
  busy: '◌',
  warn: '▲',
  bad: '✕',
  off: '○',
};

export function StateBadge({ state = 'unknown' }: { readonly state?: string | undefined }) {
  return <Badge tone={toneOf(state)}>{stateWords(state)}</Badge>;
}

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span class={`badge badge-${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}
