/** The fleet view asks for the broker's login, and whether to keep it. */
import { useSignal } from '@preact/signals';
import { BrokerLoginScreen } from './login/login-screen.tsx';
import type { Login } from './mqtt-connection.ts';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: {
    keep: 'Keep it until this tab is closed',
    refused: 'The broker refused this login.',
  },
  zh: {
    keep: '保留到关闭此标签页为止',
    refused: '消息服务器拒绝了该登录。',
  },
});

export interface BrokerLoginProps {
  /** The user name of the one that was refused. */
  readonly refused: string | undefined;
  readonly submit: (login: Login, isKept: boolean) => void;
}

export function BrokerLogin({ refused, submit }: BrokerLoginProps) {
  const isKept = useSignal(false);
  return (
    <BrokerLoginScreen
      username={refused}
      refusal={refused === undefined ? undefined : t('refused')}
      logIn={(username, password) => submit({ username, password }, isKept.value)}
    >
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
    </BrokerLoginScreen>
  );
}
