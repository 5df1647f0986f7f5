/** The settings of a gateway: its configuration as a form made of the JSON Schema beside the page. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { AccountPanel } from '../login/account-panel.tsx';
import type { Fleet } from '../model.ts';
import { failureWords } from '../parts/failure-words.ts';
import { hrefOf } from '../screen-route.ts';
import { within } from '../within.ts';
import { AddCamera } from './add-camera.tsx';
import { formOf, type GroupField } from './form-model.ts';
import { RestartNow } from './restart-now.tsx';
import { Paths, SettingsForm } from './settings-form.tsx';
import { SettingsSession } from './settings-session.ts';
import { settingsWords as t } from './settings-words.ts';

const PATIENCE_MS = 15_000;

/** `gateway`: of which; undefined: one is to be chosen. */
export interface SettingsScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function SettingsScreen({ fleet, gateway }: SettingsScreenProps) {
  return (
    <>
      <h1>{t('title')}</h1>
      {!fleet.isLocal && <GatewayChoice fleet={fleet} gateway={gateway} />}
      {gateway === undefined ? (
        <p>{t('chooseFirst')}</p>
      ) : (
        <GatewaySettings key={gateway} fleet={fleet} gateway={gateway} />
      )}
      {fleet.isLocal && <AccountPanel />}
    </>
  );
}

function GatewayChoice({ fleet, gateway }: SettingsScreenProps) {
  const ids = fleet.gateways.value.map(({ id }) => id);
  return (
    <label class="row">
      {t('chooseGateway')}
      <select
        value={gateway ?? ''}
        onChange={({ currentTarget }) => {
          location.hash = hrefOf({ screen: 'settings', gateway: currentTarget.value || undefined });
        }}
      >
        <option value="">{ids.length === 0 ? t('none') : '–'}</option>
        {ids.map((id) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Edits stay when whoever makes them looks at another screen meanwhile. */
const sessions = new WeakMap<Fleet, Map<string, SettingsSession>>();

function settingsSessionOf(fleet: Fleet, gateway: string): SettingsSession {
  const ofFleet = sessions.get(fleet) ?? new Map<string, SettingsSession>();
  sessions.set(fleet, ofFleet);
  const session =
    ofFleet.get(gateway) ?? new SettingsSession((verb, args) => fleet.command(gateway, verb, args));
  ofFleet.set(gateway, session);
  return session;
}

type Loading =
  | { readonly at: 'loading' }
  | { readonly at: 'ready'; readonly form: GroupField }
  | { readonly at: 'failed'; readonly words: string };

function GatewaySettings({ fleet, gateway }: { readonly fleet: Fleet; readonly gateway: string }) {
  const session = settingsSessionOf(fleet, gateway);
  const loading = useSignal<Loading>({ at: 'loading' });
  const isConnected = fleet.connection.value.at === 'connected';
  const load = async () => {
    if (loading.value.at !== 'ready') loading.value = { at: 'loading' };
    try {
      const form = await loadForm();
      await session.load();
      loading.value = { at: 'ready', form };
    } catch (error) {
      loading.value = { at: 'failed', words: failureWords(error) };
    }
  };
  // With the connection; one that was lost meanwhile does not take away what is being edited.
  useEffect(() => {
    if (isConnected && loading.value.at !== 'ready') void load();
  }, [session, isConnected]);
  const { value } = loading;
  return (
    <>
      <p class="muted">{t('intro')}</p>
      <AddCamera fleet={fleet} gateway={gateway} added={() => void load()} />
      {value.at === 'loading' && <p role="status">{t('loading')}</p>}
      {value.at === 'failed' && (
        <div class="notice notice-bad" role="alert">
          <p>{value.words}</p>
          <button type="button" onClick={() => void load()}>
            {t('loadAgain')}
          </button>
        </div>
      )}
      {value.at === 'ready' && (
        <>
          {session.restartNeeded.value.length > 0 && (
            <div class="notice notice-warn">
              <Paths title={t('waiting')} paths={session.restartNeeded.value} />
              <RestartNow fleet={fleet} gateway={gateway} restarted={() => void load()} />
            </div>
          )}
          <SettingsForm form={value.form} session={session} />
        </>
      )}
    </>
  );
}

async function loadForm(): Promise<GroupField> {
  try {
    return await within(PATIENCE_MS, async (signal) => {
      const response = await fetch('./config.schema.json', { signal });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return formOf(await response.json());
    });
  } catch (error) {
    throw new Error(
      t('noSchema', { reason: error instanceof Error ? error.message : String(error) }),
    );
  }
}
