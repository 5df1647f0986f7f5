/** The frame around every screen. */
import { useEffect, useRef } from 'preact/hooks';
import type { SessionState } from '../session-state.ts';
import { CameraScreen } from './camera/camera-screen.tsx';
import { ConnectionLine } from './connection-line.tsx';
import { currentRoute } from './current-route.ts';
import { DevicesScreen } from './devices/devices-screen.tsx';
import { EventsScreen } from './events/events-screen.tsx';
import { FleetScreen } from './fleet/fleet-screen.tsx';
import { GatewayScreen } from './gateway/gateway-screen.tsx';
import type { Fleet } from './model.ts';
import { Navigation } from './navigation.tsx';
import type { PageConfig } from './page-config.ts';
import { Boundary } from './parts/boundary.tsx';
import { PreferenceSwitches } from './preference-switches.tsx';
import { hrefOf, type ScreenRoute } from './screen-route.ts';
import { screenWords } from './screen-words.ts';
import { SettingsScreen } from './settings/settings-screen.tsx';
import { TargetsScreen } from './targets/targets-screen.tsx';
import { ToastRegion } from './toast-region.tsx';
import { WallScreen } from './wall/wall-screen.tsx';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: { skip: 'Skip to content', logout: 'Log out' },
  zh: { skip: '跳到内容', logout: '退出登录' },
});

export interface AppProps {
  readonly fleet: Fleet;
  readonly config: PageConfig;
  /** Local view. */
  readonly session: SessionState | undefined;
  readonly logOut: () => unknown;
}

export function App({ fleet, config, session, logOut }: AppProps) {
  const shown = screenToShow(currentRoute.value, config);
  const title = titleOf(shown);
  useArrival(currentRoute.value, title);
  return (
    <div class="frame">
      <button type="button" class="skip-link" onClick={skip}>
        {t('skip')}
      </button>
      <header class="frame-header">
        <a class="brand" href="#/">
          Sluice
        </a>
        <ConnectionLine fleet={fleet} />
        <PreferenceSwitches />
        {/* On the box itself nobody has logged in. */}
        {(session === undefined || session.username !== null) && (
          <button type="button" onClick={() => void logOut()}>
            {t('logout')}
          </button>
        )}
      </header>
      <Navigation isLocal={fleet.isLocal} shown={shown} />
      <main id="main" tabIndex={-1}>
        <Boundary key={hrefOf(shown)}>
          <Screen fleet={fleet} shown={shown} />
        </Boundary>
      </main>
      <ToastRegion />
    </div>
  );
}

function Screen({ fleet, shown }: { readonly fleet: Fleet; readonly shown: ScreenRoute }) {
  switch (shown.screen) {
    case 'fleet':
      return <FleetScreen fleet={fleet} />;
    case 'wall':
      return <WallScreen fleet={fleet} gateway={shown.gateway} />;
    case 'camera':
      return <CameraScreen fleet={fleet} gateway={shown.gateway} stream={shown.stream} />;
    case 'devices':
      return <DevicesScreen fleet={fleet} gateway={shown.gateway} />;
    case 'targets':
      return <TargetsScreen fleet={fleet} gateway={shown.gateway} />;
    case 'events':
      return <EventsScreen fleet={fleet} gateway={shown.gateway} />;
    case 'gateway':
      return <GatewayScreen fleet={fleet} gateway={shown.gateway} />;
    case 'settings':
      return <SettingsScreen fleet={fleet} gateway={shown.gateway} />;
  }
}

/** The local view has one gateway, which addresses need not name, and no table of them. */
function screenToShow(route: ScreenRoute | undefined, config: PageConfig): ScreenRoute {
  const { gateway } = config;
  if (gateway === undefined) return route ?? { screen: 'fleet' };
  if (route === undefined || route.screen === 'fleet') return { screen: 'wall', gateway };
  return { ...route, gateway };
}

function titleOf(shown: ScreenRoute): string {
  const screen = screenWords(shown.screen);
  if (shown.screen === 'camera') return `${shown.stream} · ${shown.gateway} · Sluice`;
  const gateway = 'gateway' in shown ? shown.gateway : undefined;
  return gateway === undefined ? `${screen} · Sluice` : `${screen} · ${gateway} · Sluice`;
}

/**
 * On another screen, or when the same one was chosen once more, the window is called after it, and keyboard and screen reader begin
 * at its heading.
 */
function useArrival(chosen: ScreenRoute | undefined, title: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    const wasFirst = isFirst.current;
    isFirst.current = false;
    if (wasFirst) return;
    const heading = document.querySelector<HTMLElement>('#main h1');
    if (heading !== null) heading.tabIndex = -1;
    (heading ?? document.getElementById('main'))?.focus();
    scrollTo(0, 0);
  }, [chosen]);
}

/** A button, because the address is taken by screens. */
function skip(): void {
  document.getElementById('main')?.focus();
}
