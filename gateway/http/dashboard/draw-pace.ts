/**
 * How often the page is drawn: at once for what somebody does, and where little happens; a few times a second where messages
 * come in floods.
 */

/** People do not see more often what only messages change, and laying out a long table takes a browser tens of milliseconds. */
const MIN_MS = 100;
/** Not pointerdown: what moves under the finger then is not clicked. */
const ACTS = ['click', 'keydown', 'input', 'change'];

/** A window, as far as it matters here. */
interface Acted {
  addEventListener(act: string, listener: () => void, options?: { capture: boolean }): void;
}

let drawnAtMs = Number.NEGATIVE_INFINITY;
let waiting:
  | { readonly draw: () => void; readonly timer: ReturnType<typeof setTimeout> }
  | undefined;
/** In a task that began with something that somebody did. */
let isActing = false;

/** For preact, which asks once for all that has changed until it is drawn. */
export function drawSoon(draw: () => void): void {
  if (isActing) {
    // Enter must not run what stood there before the last letter.
    queueMicrotask(() => drawNow(draw));
    return;
  }
  const waitMs = Math.max(0, drawnAtMs + MIN_MS - performance.now());
  waiting = { draw, timer: setTimeout(() => drawNow(draw), waitMs) };
}

/** From now on what somebody does in `page` is drawn at once, with all that waits, before whatever comes next. */
export function drawActsAtOnce(page: Acted): void {
  for (const act of ACTS) {
    page.addEventListener(act, beginAct, { capture: true });
    page.addEventListener(act, drawWaiting);
  }
}

function beginAct(): void {
  isActing = true;
  setTimeout(() => {
    isActing = false;
  }, 0);
}

/** Not before those who handle it: drawing would put the old text back into a field that is just being typed in. */
function drawWaiting(): void {
  if (waiting === undefined) return;
  clearTimeout(waiting.timer);
  drawNow(waiting.draw);
}

function drawNow(draw: () => void): void {
  waiting = undefined;
  drawnAtMs = performance.now();
  draw();
}
