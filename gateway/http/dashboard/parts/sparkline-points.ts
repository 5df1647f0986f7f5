/** The line of a sparkline, from zero at the bottom to the greatest value at the top. */

/** Room for the line's own width. */
const MARGIN = 1;

/** `values`: the oldest first. */
export function sparklinePoints(values: readonly number[], width: number, height: number): string {
  const [only = 0] = values;
  // One alone is a line, too.
  const line = values.length === 1 ? [only, only] : values;
  const max = Math.max(1, ...line);
  const step = width / (line.length - 1);
  const inner = height - 2 * MARGIN;
  return line
    .map((value, at) => {
      const y = MARGIN + inner * (1 - Math.max(0, value) / max);
      return `${(at * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
