/** Which screen is shown: the part of the address behind `#`, so that the same files work under any path and server. */

export type ScreenRoute =
  | { readonly screen: 'fleet' }
  | { readonly screen: 'wall'; readonly gateway: string | undefined }
  | { readonly screen: 'camera'; readonly gateway: string; readonly stream: string }
  | {
      readonly screen: 'devices' | 'targets' | 'events' | 'settings' | 'gateway';
      readonly gateway: string | undefined;
    };

const SCREENS = ['devices', 'targets', 'events', 'settings', 'gateway'] as const;
const NAME = /^[a-z0-9-]{1,48}$/;

/** Unknown or damaged addresses lead to the first screen. */
export function parseScreenRoute(hash: string): ScreenRoute | undefined {
  const [screen = '', first, second] = hash.replace(/^#\/?/, '').split('/');
  const gateway = first !== undefined && NAME.test(first) ? first : undefined;
  if (screen === 'fleet') return { screen };
  if (screen === 'wall') return { screen, gateway };
  if (screen === 'camera') {
    const isStream = second !== undefined && NAME.test(second);
    return gateway !== undefined && isStream ? { screen, gateway, stream: second } : undefined;
  }
  const known = SCREENS.find((name) => name === screen);
  return known === undefined ? undefined : { screen: known, gateway };
}

export function hrefOf(route: ScreenRoute): string {
  switch (route.screen) {
    case 'fleet':
      return '#/fleet';
    case 'camera':
      return `#/camera/${route.gateway}/${route.stream}`;
    default:
      return route.gateway === undefined
        ? `#/${route.screen}`
        : `#/${route.screen}/${route.gateway}`;
  }
}
