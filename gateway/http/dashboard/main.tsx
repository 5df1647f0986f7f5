/** The page begins here. */
import { signal } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.tsx';
import { followAddress } from './current-route.ts';
import { CommandFailure, type Fleet } from './model.ts';
import { parsePageConfig } from './page-config.ts';
import { applyPreferences } from './preferences.ts';
import { startClock } from './times.ts';

const root = document.getElementById('app');
applyPreferences();
followAddress();
startClock();
if (root !== null) {
  const config = parsePageConfig(await (await fetch('./config.json')).json());
  const fleet: Fleet = {
    connection: signal({ at: 'connecting' }),
    gateways: signal([]),
    isLocal: config.view === 'local',
    command: () => Promise.reject(new CommandFailure('offline', 'not connected')),
  };
  render(<App fleet={fleet} config={config} />, root);
}
