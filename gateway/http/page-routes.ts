/** The web page at `/`: static files, and `/config.json`, which tells it whose page it is. Loaded when somebody looks. */
import { fileURLToPath } from 'node:url';
import { lazyRoute } from './lazy-routes.ts';
import type { Route } from './route.ts';

/** The files lie flat in one folder, and each has an ending: no other path of ours looks like that. */
const PAGE_PATHS = /^\/(?:[\w-]+(?:\.[\w-]+)+)?$/;

/** The same from the bundle's entry (dist/gateway/) and from its chunks (dist/chunks/). */
const BUNDLED_FOLDER = fileURLToPath(new URL('../dashboard', import.meta.url));

/** What the page reads first; beside a central broker it is a static file that says `fleet`. */
export interface PageConfig {
  readonly view: 'local';
  /** Relative to the page. */
  readonly mqttUrl: string;
  readonly baseTopic: string;
  readonly gateway: string;
}

export function pageRoute(config: PageConfig, folder = BUNDLED_FOLDER): Route {
  let routes: Promise<readonly Route[]> | undefined;
  return lazyRoute(PAGE_PATHS, 'everybody', () => {
    routes ??= import('./page-files.ts').then(({ pageFileRoutes }) =>
      pageFileRoutes(config, folder),
    );
    return routes;
  });
}
