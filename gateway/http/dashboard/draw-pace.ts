/** How often the page is drawn: at once where little happens, a few times a second where messages come in floods. */

/** People do not see more often what only messages change, and laying out a long table takes a browser tens of milliseconds. */
const MIN_MS = 100;

let drawnAtMs = Number.NEGATIVE_INFINITY;

/** For preact, which asks once for all that has changed until it is drawn. */
export function drawSoon(draw: () => void): void {
  const waitMs = drawnAtMs + MIN_MS - performance.now();
  setTimeout(
    () => {
      drawnAtMs = performance.now();
      draw();
    },
    Math.max(0, waitMs),
  );
}
