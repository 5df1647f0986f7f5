import type { SessionState } from '../../session-state.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({ en: { title: 'Log in' }, zh: { title: '登录' } });

export interface LoginScreenProps {
  readonly session: SessionState;
  /** The session is another now: it is asked for anew. */
  readonly done: () => void;
}

export function LoginScreen({ session }: LoginScreenProps) {
  return (
    <main class="alone" id="main" tabIndex={-1}>
      <h1>
        {t('title')} {session.username}
      </h1>
    </main>
  );
}
