/** Before the screens: the configuration of the page, a login where one is needed, the connection. */
import { effect, signal } from '@preact/signals';
import type { SessionState } from '../session-state.ts';
import { App } from './app.tsx';
import { BrokerLogin } from './broker-login.tsx';
import { keepLogin, recallLogin } from './broker-login-memory.ts';
import { LoginScreen } from './login/login-screen.tsx';
import { refusalWords } from './login/refusal-words.ts';
import { loadSession, logOut, mayEnter } from './login/session.ts';
import { type Login, MqttConnection } from './mqtt-connection.ts';
import { MqttModel } from './mqtt-model.ts';
import { brokerAddress, type PageConfig, parsePageConfig } from './page-config.ts';
import { recallEvents } from './recall-events.ts';
import { toast } from './toasts.ts';
import { within } from './within.ts';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: {
    starting: 'Connecting…',
    retrying: '{message} Trying again.',
  },
  zh: {
    starting: '连接中…',
    retrying: '{message} 正在重试。',
  },
});

const RETRY_MS = 3_000;
const PATIENCE_MS = 10_000;

type Stage =
  | { readonly at: 'starting' }
  | { readonly at: 'retrying'; readonly message: string }
  | { readonly at: 'login'; readonly session: SessionState }
  | { readonly at: 'broker-login'; readonly refused: Login | undefined }
  | { readonly at: 'open'; readonly fleet: MqttConnection; readonly session?: SessionState };

const stage = signal<Stage>({ at: 'starting' });
let config: PageConfig | undefined;

export function Entrance() {
  const { value } = stage;
  switch (value.at) {
    case 'starting':
      return <Waiting words={t('starting')} />;
    case 'retrying':
      return <Waiting words={t('retrying', { message: value.message })} />;
    case 'login':
      return <LoginScreen session={value.session} done={() => void enter()} />;
    case 'broker-login':
      return <BrokerLogin refused={value.refused?.username} submit={logInToBroker} />;
    case 'open':
      if (config === undefined) return null;
      return (
        <App
          fleet={value.fleet}
          config={config}
          session={value.session}
          logOut={value.fleet.isLocal ? leaveGateway : logOutOfBroker}
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
    const session = await loadSession();
    if (mayEnter(session)) open(config, { session });
    else stage.value = { at: 'login', session };
  } catch (error) {
    stage.value = { at: 'retrying', message: refusalWords(error) };
    setTimeout(() => void enter(), RETRY_MS);
  }
}

function open(
  { mqttUrl, baseTopic, gateway, playUrl }: PageConfig,
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
    playUrl,
    model,
    needsLogin: async () => gateway !== undefined && (await isLoginNeeded()),
    loadMqtt: () => import('./mqtt-browser.ts'),
  });
  stage.value = { at: 'open', fleet, ...(session === undefined ? {} : { session }) };
  const unwatch = effect(() => {
    const { at } = fleet.connection.value;
    if (at === 'connected' && gateway !== undefined) {
      void recallEvents((event) =>
        model.receive(`${baseTopic}/${gateway}/event`, event, Date.now()),
      );
    }
    if (at !== 'login-needed') return;
    queueMicrotask(() => {
      unwatch();
      leave(fleet, login);
    });
  });
  void fleet.run();
}

function leave(fleet: MqttConnection, refused?: Login): void {
  fleet.stop();
  if (fleet.isLocal) {
    void enter();
    return;
  }
  keepLogin(undefined);
  stage.value = { at: 'broker-login', refused };
}

function logInToBroker(login: Login, isKept: boolean): void {
  keepLogin(isKept ? login : undefined);
  if (config !== undefined) open(config, { login });
}

function logOutOfBroker(): void {
  if (stage.value.at === 'open') leave(stage.value.fleet);
}

async function leaveGateway(): Promise<void> {
  try {
    await logOut();
    // Nothing that was seen stays in the page.
    location.reload();
  } catch (error) {
    toast(refusalWords(error), 'bad');
  }
}

/** What cannot be asked is tried again as it is. */
async function isLoginNeeded(): Promise<boolean> {
  try {
    return !mayEnter(await loadSession());
  } catch {
    return false;
  }
}

async function getJson(path: string): Promise<unknown> {
  return await within(PATIENCE_MS, async (signal) => {
    const response = await fetch(path, { cache: 'no-store', signal });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return await response.json();
  });
}
