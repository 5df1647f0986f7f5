/**
 * How often the page is drawn: at once for what somebody does, and where little happens; a few times a second where messages
 * come in floods.
 */

/** People do not see more often what only messages change, and laying out a long table takes a browser tens of milliseconds. */
const MIN_MS = 100;
const ACTS = ['pointerdown', 'click', 'keydown', 'input', 'change'];

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

/** From now on what somebody does in `page` meets what is newest, and is drawn at once. */
export function drawActsAtOnce(page: EventTarget): void {
  for (const act of ACTS) page.addEventListener(act, beginAct, { capture: true });
}

function beginAct(): void {
  if (waiting !== undefined) {
    clearTimeout(waiting.timer);
    drawNow(waiting.draw);
  }
  isActing = true;
  setTimeout(() => {
    isActing = false;
  }, 0);
}

function drawNow(draw: () => void): void {
  waiting = undefined;
  drawnAtMs = performance.now();
  draw();
}
