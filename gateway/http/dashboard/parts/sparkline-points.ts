/** The line of a sparkline, from zero at the bottom to the greatest value at the top. */

/** Room for the line's own width. */
const MARGIN = 1;

/** `values`: the oldest first. */
export function sparklinePoints(values: readonly number[], width: number, height: number): string {
  const max = Math.max(1, ...values);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const inner = height - 2 * MARGIN;
  return values
    .map((value, at) => {
      const y = MARGIN + inner * (1 - Math.max(0, value) / max);
      return `${(at * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
