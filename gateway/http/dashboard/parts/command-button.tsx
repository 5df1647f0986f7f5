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
  readonly doneWords?: string | ((data: unknown) => string);
  /** Asked before, where it cannot be undone. */
  readonly question?: string;
  readonly done?: (data: unknown) => void;
  /** Of the form around it: Enter in its fields runs it, too. */
  readonly isSubmit?: boolean;
  readonly class?: string;
  readonly children: ComponentChildren;
}

type Progress =
  | { readonly at: 'idle' | 'running' }
  | { readonly at: 'done'; readonly data: unknown }
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
      progress.value = { at: 'done', data };
      done?.(data);
    } catch (error) {
      progress.value = { at: 'failed', words: failureWords(error) };
    }
  };
  return (
    <span class="command">
      <button
        type={props.isSubmit === true ? 'submit' : 'button'}
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
        {value.at === 'done' && wordsWhenDone(props, value.data)}
        {value.at === 'failed' && `✕ ${value.words}`}
      </span>
    </span>
  );
}

function wordsWhenDone({ doneWords = t('done') }: CommandButtonProps, data: unknown): string {
  return typeof doneWords === 'string' ? doneWords : doneWords(data);
}
