/** Prometheus' text exposition format 0.0.4, written family by family. */

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type MetricType = 'counter' | 'gauge';
export type Labels = Readonly<Record<string, string>>;
/** undefined: not known now, and left out. */
export type Sample = readonly [labels: Labels, value: number | undefined];

export class MetricsText {
  readonly #lines: string[] = [];

  /** All samples of one metric stand together, behind what it is; one without samples is left out. */
  family(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    const lines = samples.flatMap(([labels, value]) =>
      value === undefined ? [] : [`${name}${labelsText(labels)} ${numberText(value)}`],
    );
    if (lines.length === 0) return;
    const words = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    this.#lines.push(`# HELP ${name} ${words}`, `# TYPE ${name} ${type}`, ...lines);
  }

  /** It ends with a line feed, as the last line has to. */
  toString(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
