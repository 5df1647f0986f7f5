/** Where one can go. */
import { useEffect, useRef } from 'preact/hooks';
import { currentRoute } from './current-route.ts';
import { hrefOf, type ScreenRoute } from './screen-route.ts';
import { screenWords } from './screen-words.ts';
import { language } from './words.ts';

/** Of one gateway where one is looked at. */
export function Navigation({
  isLocal,
  shown,
}: {
  readonly isLocal: boolean;
  readonly shown: ScreenRoute;
}) {
  const gateway = 'gateway' in shown ? shown.gateway : undefined;
  const places: readonly ScreenRoute[] = [
    ...(isLocal ? [] : ([{ screen: 'fleet' }] as const)),
    { screen: 'wall', gateway },
    { screen: 'devices', gateway },
    { screen: 'targets', gateway },
    { screen: 'events', gateway },
    // All gateways at once have neither.
    ...(isLocal || gateway !== undefined
      ? ([
          { screen: 'gateway', gateway },
          { screen: 'settings', gateway },
        ] as const)
      : []),
  ];
  const list = useRef<HTMLElement>(null);
  useEffect(() => showCurrent(list.current), [shown.screen, language.value]);
  return (
    <nav ref={list} class="frame-nav" aria-label={screenWords('navigation')}>
      <ul>
        {places.map((place) => (
          <li key={place.screen}>
            <a
              href={hrefOf(place)}
              aria-current={currency(place, shown)}
              onClick={() => repeat(place)}
            >
              {screenWords(place.screen)}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** A camera is one of the cameras. */
function currency(place: ScreenRoute, shown: ScreenRoute): 'page' | 'true' | undefined {
  if (place.screen === shown.screen) return 'page';
  return place.screen === 'wall' && shown.screen === 'camera' ? 'true' : undefined;
}

/** At phone width the row is wider than the phone: what is before and behind the current one is seen, too. */
function showCurrent(row: HTMLElement | null): void {
  const current = row?.querySelector<HTMLElement>('[aria-current]');
  if (row === null || current === null || current === undefined) return;
  const { left, width } = current.getBoundingClientRect();
  const middle = left + width / 2 - row.getBoundingClientRect().left;
  row.scrollLeft += middle - row.clientWidth / 2;
}

/** Whoever chooses the screen that is shown expects to be taken to it all the same. */
function repeat(place: ScreenRoute): void {
  if (hrefOf(place) === location.hash) currentRoute.value = { ...place };
}
