/** Before the screens: the configuration of the page, a login where one is needed, the connection. */
import { effect, signal } from '@preact/signals';
import type { SessionState } from '../session-state.ts';
import { App } from './app.tsx';
import { BrokerLogin } from './broker-login.tsx';
import { keepLogin, recallLogin } from './broker-login-memory.ts';
import { LoginScreen } from './login/login-screen.tsx';
import { type Login, MqttConnection } from './mqtt-connection.ts';
import { MqttModel } from './mqtt-model.ts';
import { brokerAddress, type PageConfig, parsePageConfig } from './page-config.ts';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: {
    starting: 'Connecting…',
    retrying: '{what} does not answer: {message}. Trying again.',
  },
  zh: {
    starting: '连接中…',
    retrying: '{what} 没有应答：{message}。正在重试。',
  },
});

const RETRY_MS = 3_000;

type Stage =
  | { readonly at: 'starting' }
  | { readonly at: 'retrying'; readonly what: string; readonly message: string }
  | { readonly at: 'login'; readonly session: SessionState }
  | { readonly at: 'broker-login'; readonly wasRefused: boolean }
  | { readonly at: 'open'; readonly fleet: MqttConnection; readonly session?: SessionState };

const stage = signal<Stage>({ at: 'starting' });
let config: PageConfig | undefined;

export function Entrance() {
  const { value } = stage;
  switch (value.at) {
    case 'starting':
      return <Waiting words={t('starting')} />;
    case 'retrying':
      return <Waiting words={t('retrying', { what: value.what, message: value.message })} />;
    case 'login':
      return <LoginScreen session={value.session} done={() => void enter()} />;
    case 'broker-login':
      return <BrokerLogin wasRefused={value.wasRefused} submit={logInToBroker} />;
    case 'open':
      if (config === undefined) return null;
      return (
        <App
          fleet={value.fleet}
          config={config}
          session={value.session}
          logOut={value.fleet.isLocal ? logOut : logOutOfBroker}
        />
      );
  }
}

function Waiting({ words }: { readonly words: string }) {
  return (
    <main id="main" class="alone stack" tabIndex={-1}>
      <h1>Sluice</h1>
      <p role="status">{words}</p>
    </main>
  );
}

/** From wherever it stands to the next thing that is needed. Never rejects. */
export async function enter(): Promise<void> {
  try {
    config ??= parsePageConfig(await getJson('./config.json'));
    if (config.view === 'fleet') {
      open(config, { login: recallLogin() });
      return;
    }
    const session = await getSession();
    if (session.loginNeeded || session.mustSetPassword) stage.value = { at: 'login', session };
    else open(config, { session });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    stage.value = { at: 'retrying', what: location.host, message };
    setTimeout(() => void enter(), RETRY_MS);
  }
}

function open(
  { mqttUrl, baseTopic, gateway }: PageConfig,
  { login, session }: { readonly login?: Login | undefined; readonly session?: SessionState },
): void {
  const model = new MqttModel({
    baseTopic,
    only: gateway,
    makeUrl: (jpeg) => URL.createObjectURL(new Blob([jpeg.slice()], { type: 'image/jpeg' })),
    dropUrl: (url) => URL.revokeObjectURL(url),
  });
  const fleet = new MqttConnection({
    url: brokerAddress(mqttUrl, location.href),
    baseTopic,
    gateway,
    login,
    model,
    needsLogin: async () => gateway !== undefined && (await isLoginNeeded()),
    loadMqtt: async () => (await import('mqtt')).default,
  });
  stage.value = { at: 'open', fleet, ...(session === undefined ? {} : { session }) };
  const unwatch = effect(() => {
    if (fleet.connection.value.at !== 'login-needed') return;
    queueMicrotask(() => {
      unwatch();
      leave(fleet, login !== undefined);
    });
  });
  void fleet.run();
}

function leave(fleet: MqttConnection, wasRefused: boolean): void {
  fleet.stop();
  if (fleet.isLocal) {
    void enter();
    return;
  }
  keepLogin(undefined);
  stage.value = { at: 'broker-login', wasRefused };
}

function logInToBroker(login: Login, isKept: boolean): void {
  keepLogin(isKept ? login : undefined);
  if (config !== undefined) open(config, { login });
}

function logOutOfBroker(): void {
  if (stage.value.at === 'open') leave(stage.value.fleet, false);
}

async function logOut(): Promise<void> {
  const { value } = stage;
  await fetch('./api/v1/logout', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  }).catch(() => undefined);
  if (value.at === 'open') value.fleet.stop();
  await enter();
}

async function getSession(): Promise<SessionState> {
  const value = await getJson('./api/v1/session');
  if (typeof value !== 'object' || value === null || !('loginNeeded' in value)) {
    throw new Error('it does not tell whether a login is needed');
  }
  return value as SessionState;
}

/** What cannot be asked is tried again as it is. */
async function isLoginNeeded(): Promise<boolean> {
  try {
    const { loginNeeded, mustSetPassword } = await getSession();
    return loginNeeded || mustSetPassword;
  } catch {
    return false;
  }
}

async function getJson(path: string): Promise<unknown> {
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return await response.json();
}
