/** Who is logged in at this gateway, and another password. Nothing where being on this machine is the login. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { SessionState } from '../../session-state.ts';
import { wordsOf } from '../words.ts';
import { NewPasswordForm } from './new-password-form.tsx';
import { refusalWords } from './refusal-words.ts';
import { loadSession } from './session.ts';

const t = wordsOf({
  en: {
    title: 'Your login',
    loggedIn: 'Logged in as {username}.',
    change: 'Change the password',
    changed: 'The new password is set.',
    configured: 'Its password is in the configuration, at http.admin.',
  },
  zh: {
    title: '您的账号',
    loggedIn: '当前用户：{username}。',
    change: '修改密码',
    changed: '新密码已生效。',
    configured: '密码写在配置的 http.admin 中。',
  },
});

export function AccountPanel() {
  const isChanging = useSignal(false);
  const words = useSignal<string | undefined>(undefined);
  const session = useSignal<SessionState | undefined>(undefined);
  useEffect(() => {
    loadSession().then(
      (state) => {
        session.value = state;
      },
      (error: unknown) => {
        words.value = refusalWords(error);
      },
    );
  }, []);
  const state = session.value;
  if (state === undefined || state.username === null) return null;
  const done = () => {
    isChanging.value = false;
    words.value = t('changed');
  };
  return (
    <section class="card stack">
      <h2>{t('title')}</h2>
      <p>{t('loggedIn', { username: state.username })}</p>
      {!state.canSetPassword && <p class="muted">{t('configured')}</p>}
      <p class="row">
        {state.canSetPassword && (
          <button
            type="button"
            aria-expanded={isChanging}
            onClick={() => {
              isChanging.value = !isChanging.value;
            }}
          >
            {t('change')}
          </button>
        )}
      </p>
      <p role="status">{words}</p>
      {isChanging.value && <NewPasswordForm current={undefined} done={done} />}
    </section>
  );
}
