/** Where values are drawn, and the round numbers beside them. */

export interface ChartPoint {
  readonly atMs: number;
  readonly value: number;
}

export interface ChartFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Steps that people can read: 1, 2 and 5 times powers of ten. */
const STEPS = [1, 2, 5, 10] as const;
const MAX_TICKS = 4;
/** Smaller numbers are none that a camera has, and have no steps at all in the end. */
const LEAST = 1e-6;
/** Samples come every 10 s: where two are missing the line is broken. */
const GAP_MS = 35_000;
const SHORTEST_MS = 60_000;

/** From 0 to the first round number that is not below all values. */
export function ticksFor(points: readonly ChartPoint[]): readonly number[] {
  const max = points.reduce((greatest, { value }) => Math.max(greatest, value), 0);
  if (max < LEAST) return [0, 1];
  const least = max / MAX_TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (STEPS.find((factor) => factor * power >= least * 0.999) ?? 10) * power;
  const count = Math.max(1, Math.ceil(max / step - 0.001));
  return Array.from({ length: count + 1 }, (_, at) => rounded(at * step));
}

/** The SVG paths of the line: one for each piece without a gap. */
export function linePaths(
  points: readonly ChartPoint[],
  top: number,
  frame: ChartFrame,
): readonly string[] {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return [];
  const spanMs = Math.max(SHORTEST_MS, last.atMs - first.atMs);
  const pieces: string[][] = [];
  let beforeMs = Number.NEGATIVE_INFINITY;
  for (const { atMs, value } of points) {
    const x = frame.left + frame.width * (1 - (last.atMs - atMs) / spanMs);
    const place = `${x.toFixed(1)} ${yOf(value, top, frame).toFixed(1)}`;
    if (atMs - beforeMs > GAP_MS) pieces.push([`M${place}`]);
    else pieces.at(-1)?.push(`L${place}`);
    beforeMs = atMs;
  }
  // A dot where there is one sample alone.
  return pieces.map((piece) => (piece.length === 1 ? `${piece[0]}h0.1` : piece.join('')));
}

export function yOf(value: number, top: number, frame: ChartFrame): number {
  return frame.top + frame.height * (1 - Math.min(1, Math.max(0, value) / top));
}

/** How long ago the line begins, in whole minutes, one at least. */
export function spanMinutes(points: readonly ChartPoint[]): number {
  const spanMs = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);
  return Math.max(1, Math.round(spanMs / 60_000));
}

/** 0.30000000000000004 */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
