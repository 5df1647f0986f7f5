/** The page begins here. */
import { options, render } from 'preact';
import { followAddress } from './current-route.ts';
import { drawActsAtOnce, drawSoon } from './draw-pace.ts';
import { Entrance, enter } from './entrance.tsx';
import { startClock } from './page-clock.ts';
import { applyPreferences } from './preferences.ts';

const root = document.getElementById('app');
if (root !== null) {
  options.debounceRendering = drawSoon;
  drawActsAtOnce(window);
  applyPreferences();
  followAddress();
  startClock();
  render(<Entrance />, root);
  await enter();
}
