/** A small line without axes: how a number went lately. */
import { sparklinePoints } from './sparkline-points.ts';

const WIDTH = 120;
const HEIGHT = 24;

/** `label` says to who does not see it what it shows. */
export function Sparkline({
  values,
  label,
}: {
  readonly values: readonly number[];
  readonly label: string;
}) {
  return (
    <svg
      class="sparkline"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <polyline points={sparklinePoints(values, WIDTH, HEIGHT)} />
    </svg>
  );
}
