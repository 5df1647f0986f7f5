/** A button that runs a verb and says in words beside itself how that went. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Fleet } from '../model.ts';
import { wordsOf } from '../words.ts';
import { failureWords } from './failure-words.ts';

const t = wordsOf({
  en: { running: 'Working…', done: 'Done.' },
  zh: { running: '执行中…', done: '已完成。' },
});

export interface CommandButtonProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  readonly verb: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** What is said when it worked; default: done. */
  readonly doneWords?: string;
  /** Asked before, where it cannot be undone. */
  readonly question?: string;
  readonly done?: (data: unknown) => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

type Progress =
  | { readonly at: 'idle' | 'running' | 'done' }
  | { readonly at: 'failed'; readonly words: string };

export function CommandButton(props: CommandButtonProps) {
  const { fleet, gateway, verb, args, question, done } = props;
  const progress = useSignal<Progress>({ at: 'idle' });
  const { value } = progress;
  const run = async () => {
    if (progress.value.at === 'running') return;
    if (question !== undefined && !confirm(question)) return;
    progress.value = { at: 'running' };
    try {
      const data = await fleet.command(gateway, verb, args);
      progress.value = { at: 'done' };
      done?.(data);
    } catch (error) {
      progress.value = { at: 'failed', words: failureWords(error) };
    }
  };
  return (
    <span class="command">
      <button
        type="button"
        class={props.class}
        aria-disabled={value.at === 'running'}
        onClick={() => void run()}
      >
        {props.children}
      </button>
      <span
        role="status"
        class={value.at === 'failed' ? 'command-words tone-bad' : 'command-words tone-ok'}
      >
        {value.at === 'running' && t('running')}
        {value.at === 'done' && (props.doneWords ?? t('done'))}
        {value.at === 'failed' && `✕ ${value.words}`}
      </span>
    </span>
  );
}
