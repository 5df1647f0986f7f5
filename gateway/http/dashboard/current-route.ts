/** The screen that the browser's address names, as a signal. */
import { signal } from '@preact/signals';
import { parseScreenRoute, type ScreenRoute } from './screen-route.ts';

/** undefined: the address names none; the first screen is shown. */
export const currentRoute = signal<ScreenRoute | undefined>(undefined);

export function followAddress(): void {
  const read = () => {
    currentRoute.value = parseScreenRoute(location.hash);
  };
  read();
  addEventListener('hashchange', read);
}
