/** The fleet view asks for the broker's login. */
import { useSignal } from '@preact/signals';
import type { Login } from './mqtt-connection.ts';
import { PreferenceSwitches } from './preference-switches.tsx';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: {
    title: 'Log in to the broker',
    username: 'User name',
    password: 'Password',
    keep: 'Keep it until this tab is closed',
    submit: 'Log in',
    refused: 'The broker refused this login.',
  },
  zh: {
    title: '登录消息服务器',
    username: '用户名',
    password: '密码',
    keep: '保留到关闭此标签页为止',
    submit: '登录',
    refused: '消息服务器拒绝了该登录。',
  },
});

export function BrokerLogin({
  wasRefused,
  submit,
}: {
  readonly wasRefused: boolean;
  readonly submit: (login: Login, isKept: boolean) => void;
}) {
  const username = useSignal('');
  const password = useSignal('');
  const isKept = useSignal(false);
  return (
    <main id="main" class="alone stack" tabIndex={-1}>
      <h1>{t('title')}</h1>
      {wasRefused && (
        <p class="notice notice-bad" role="alert">
          {t('refused')}
        </p>
      )}
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          submit({ username: username.value, password: password.value }, isKept.value);
        }}
      >
        <label class="field">
          <span>{t('username')}</span>
          <input
            autocomplete="username"
            autocapitalize="none"
            required
            value={username.value}
            onInput={({ currentTarget }) => {
              username.value = currentTarget.value;
            }}
          />
        </label>
        <label class="field">
          <span>{t('password')}</span>
          <input
            type="password"
            autocomplete="current-password"
            value={password.value}
            onInput={({ currentTarget }) => {
              password.value = currentTarget.value;
            }}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept.value}
            onChange={({ currentTarget }) => {
              isKept.value = currentTarget.checked;
            }}
          />
          {t('keep')}
        </label>
        <button type="submit" class="primary">
          {t('submit')}
        </button>
      </form>
      <PreferenceSwitches />
    </main>
  );
}
