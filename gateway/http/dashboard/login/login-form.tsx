/** User name and password, for whoever checks them. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { wordsOf } from '../words.ts';
import { PasswordField } from './password-field.tsx';

const t = wordsOf({
  en: { username: 'User name', password: 'Password', logIn: 'Log in', waiting: 'Checking…' },
  zh: { username: '用户名', password: '密码', logIn: '登录', waiting: '正在检查…' },
});

export interface LoginFormProps {
  readonly username?: string | undefined;
  /** Why the last one was not taken. */
  readonly refusal: string | undefined;
  readonly logIn: (username: string, password: string) => Promise<void> | void;
  /** What else is to be said or chosen. */
  readonly children?: ComponentChildren;
}

export function LoginForm({ username = '', refusal, logIn, children }: LoginFormProps) {
  const isBusy = useSignal(false);
  const name = useSignal(username);
  const password = useSignal('');
  const ids = { name: useId(), refusal: useId() };
  const passwordInput = useRef<HTMLInputElement>(null);
  // Whoever is refused mostly mistyped the password.
  useEffect(() => {
    if (refusal === undefined) return;
    // Selecting alone does not focus in every browser.
    passwordInput.current?.focus();
    passwordInput.current?.select();
  }, [refusal]);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    isBusy.value = true;
    try {
      await logIn(name.value, password.value);
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event)}>
      <div class="field">
        <label for={ids.name}>{t('username')}</label>
        <input
          id={ids.name}
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          value={name}
          onInput={({ currentTarget }) => {
            name.value = currentTarget.value;
          }}
        />
      </div>
      <PasswordField
        label={t('password')}
        value={password}
        autocomplete="current-password"
        describedBy={refusal === undefined ? undefined : ids.refusal}
        isInvalid={refusal !== undefined}
        inputRef={passwordInput}
      />
      <p id={ids.refusal} role="alert" class="error">
        {refusal}
      </p>
      {children}
      <button type="submit" class="primary" aria-disabled={isBusy}>
        {isBusy.value ? t('waiting') : t('logIn')}
      </button>
    </form>
  );
}
