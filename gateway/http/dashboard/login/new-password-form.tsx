/** A password of one's own in place of the present one: at the first visit, and whenever somebody wants another. */
import { useComputed, useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { SessionState } from '../../session-state.ts';
import { wordsOf } from '../words.ts';
import { PasswordField } from './password-field.tsx';
import { type PasswordStrength, passwordStrength } from './password-strength.ts';
import { refusalWords } from './refusal-words.ts';
import { setPassword } from './session.ts';

const t = wordsOf({
  en: {
    current: 'Present password',
    fresh: 'New password',
    again: 'The same again',
    set: 'Set the password',
    waiting: 'Working…',
    differ: 'The two are not the same.',
    same: 'This is the present password.',
    empty: 'Several words, or many kinds of characters, are hard to guess.',
    weak: 'Weak: quickly guessed.',
    fair: 'Fair: holds against guessing over the network.',
    good: 'Good: hard to guess.',
  },
  zh: {
    current: '当前密码',
    fresh: '新密码',
    again: '再输入一次',
    set: '设置密码',
    waiting: '正在处理…',
    differ: '两次输入不一致。',
    same: '这就是当前密码。',
    empty: '使用几个单词或多种字符，就不容易被猜中。',
    weak: '弱：很快会被猜中。',
    fair: '中等：能抵挡通过网络的猜测。',
    good: '强：很难猜中。',
  },
});

export interface NewPasswordFormProps {
  /** undefined: it is asked for. */
  readonly current: string | undefined;
  readonly done: (session: SessionState) => void;
}

export function NewPasswordForm({ current, done }: NewPasswordFormProps) {
  const typedCurrent = useSignal('');
  const fresh = useSignal('');
  const again = useSignal('');
  const isBusy = useSignal(false);
  const problem = useSignal<string | undefined>(undefined);
  const strength = useComputed(() => passwordStrength(fresh.value));
  const ids = { hint: useId(), problem: useId() };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    const present = current ?? typedCurrent.value;
    problem.value = undefined;
    if (fresh.value !== again.value) problem.value = t('differ');
    else if (fresh.value === present) problem.value = t('same');
    if (problem.value !== undefined) return;
    isBusy.value = true;
    try {
      const session = await setPassword(present, fresh.value);
      for (const typed of [typedCurrent, fresh, again]) typed.value = '';
      done(session);
    } catch (error) {
      problem.value = refusalWords(error, true);
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event)}>
      {current === undefined && (
        <PasswordField label={t('current')} value={typedCurrent} autocomplete="current-password" />
      )}
      <PasswordField
        label={t('fresh')}
        value={fresh}
        autocomplete="new-password"
        describedBy={`${ids.hint} ${ids.problem}`}
      />
      <p id={ids.hint} role="status" class={`small ${TONES[strength.value]}`}>
        {t(strength.value)}
      </p>
      <PasswordField label={t('again')} value={again} autocomplete="new-password" />
      <p id={ids.problem} role="alert" class="error">
        {problem}
      </p>
      <button type="submit" class="primary" aria-disabled={isBusy}>
        {isBusy.value ? t('waiting') : t('set')}
      </button>
    </form>
  );
}

const TONES: Readonly<Record<PasswordStrength, string>> = {
  empty: 'muted',
  weak: 'tone-bad',
  fair: 'tone-warn',
  good: 'tone-ok',
};
