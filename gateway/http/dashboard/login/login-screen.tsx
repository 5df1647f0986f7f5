/**
 * All that there is to see before a login: of the gateway that serves the page, or in the fleet view of the broker. Whoever comes
 * with the password of the first start sets one of their own before anything else.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { SessionState } from '../../session-state.ts';
import { wordsOf } from '../words.ts';
import { LoginForm } from './login-form.tsx';
import { NewPasswordForm } from './new-password-form.tsx';
import { refusalWords } from './refusal-words.ts';
import { logIn, mayEnter } from './session.ts';

const t = wordsOf({
  en: {
    local: 'Log in to this gateway',
    broker: 'Log in to the broker',
    brokerHint:
      'With the login that the broker’s administrator gave you. It is gone with this page, unless you have it kept.',
    firstTime:
      'The first time? User name and password are on the console or in the log of the gateway’s first start.',
    setOwn: 'Set a password of your own',
    setOwnHint:
      'The one that was made at the first start is in a log that others may read. Choose another; it is kept as a hash only.',
  },
  zh: {
    local: '登录本网关',
    broker: '登录消息服务器',
    brokerHint: '使用消息服务器管理员给您的账号。除非您选择保留，账号随本页面一起消失。',
    firstTime: '第一次使用？用户名和密码显示在网关首次启动时的控制台或日志中。',
    setOwn: '设置您自己的密码',
    setOwnHint: '首次启动时生成的密码写在日志里，别人可能读到。请换一个；网关只保存它的散列值。',
  },
});

export interface LoginScreenProps {
  readonly session: SessionState;
  /** Whoever it is may come in. */
  readonly done: (session: SessionState) => void;
}

export function LoginScreen({ session, done }: LoginScreenProps) {
  const now = useSignal(session);
  const refusal = useSignal<string | undefined>(undefined);
  /** The page after this one wants it once more. */
  const typed = useSignal<string | undefined>(undefined);
  const arrive = (state: SessionState) => {
    now.value = state;
    if (mayEnter(state)) done(state);
  };
  const submit = async (username: string, password: string) => {
    refusal.value = undefined;
    try {
      const state = await logIn(username, password);
      typed.value = password;
      arrive(state);
    } catch (error) {
      refusal.value = refusalWords(error);
    }
  };
  const { access, mustSetPassword } = now.value;
  if (access === 'admin' && mustSetPassword) {
    return (
      <Alone title={t('setOwn')}>
        <p class="muted">{t('setOwnHint')}</p>
        <NewPasswordForm current={typed.value} done={arrive} />
      </Alone>
    );
  }
  return (
    <Alone title={t('local')}>
      <LoginForm refusal={refusal.value} logIn={submit} />
      <p class="muted small">{t('firstTime')}</p>
    </Alone>
  );
}

export interface BrokerLoginScreenProps {
  readonly username: string | undefined;
  /** Whoever connects with it says what became of it. */
  readonly logIn: (username: string, password: string) => Promise<void> | void;
  /** Why the last one was not taken. */
  readonly refusal: string | undefined;
  readonly children?: ComponentChildren;
}

export function BrokerLoginScreen(props: BrokerLoginScreenProps) {
  const { username, logIn: submit, refusal, children } = props;
  return (
    <Alone title={t('broker')}>
      <p class="muted">{t('brokerHint')}</p>
      <LoginForm username={username} refusal={refusal} logIn={submit}>
        {children}
      </LoginForm>
    </Alone>
  );
}

function Alone({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  // So that a screen reader says where one is, unless it was told already where to go on.
  useEffect(() => {
    document.title = `${title} · Sluice`;
    if (document.activeElement?.tagName !== 'INPUT') heading.current?.focus();
  }, [title]);
  return (
    <main class="alone" id="main">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </main>
  );
}
