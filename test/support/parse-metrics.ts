/**
 * A strict reader of Prometheus' text exposition format 0.0.4 (its document "Exposition formats"): whatever is not as written there
 * throws.
 */

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([^=]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|Inf)|NaN)$/i;

export function parseMetrics(text: string): Map<string, MetricFamily> {
  const families = new Map<string, MetricFamily>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line does not end');
  let help: [name: string, words: string] | undefined;
  let family: MetricFamily | undefined;
  for (const line of lines) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/s.exec(line);
    if (comment === null) {
      if (family === undefined) throw new Error(`a sample before its TYPE: ${line}`);
      addSample(family, line);
      continue;
    }
    const [, kind, name = '', words = ''] = comment;
    if (!NAME.test(name)) throw new Error(`not a name: ${name}`);
    if (kind === 'HELP') {
      if (!/^(?:[^\\]|\\[\\n])*$/.test(words)) throw new Error(`not escaped: ${words}`);
      help = [name, words];
      continue;
    }
    if (help?.[0] !== name) throw new Error(`TYPE of ${name} without its HELP before it`);
    if (families.has(name)) throw new Error(`${name} comes twice`);
    if (!['counter', 'gauge'].includes(words)) throw new Error(`not a type of ours: ${words}`);
    family = { name, type: words, help: help[1], samples: [] };
    families.set(name, family);
  }
  for (const { name, samples } of families.values()) {
    if (samples.length === 0) throw new Error(`${name} has no sample`);
  }
  return families;
}

function addSample(family: MetricFamily, line: string): void {
  const [, name, labelsText = '', valueText = ''] = SAMPLE.exec(line) ?? [];
  if (name !== family.name) throw new Error(`not a sample of ${family.name}: ${line}`);
  if (!NUMBER.test(valueText)) throw new Error(`not a number: ${line}`);
  const labels = parseLabels(labelsText);
  const key = JSON.stringify(labels);
  if (family.samples.some((sample) => JSON.stringify(sample.labels) === key)) {
    throw new Error(`the same sample twice: ${line}`);
  }
  const value = Number(valueText.replace('Inf', 'Infinity'));
  if (family.type === 'counter' && value < 0) throw new Error(`a counter below 0: ${line}`);
  family.samples.push({ labels, value });
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== ''; ) {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? [];
    if (whole === undefined || !LABEL_NAME.test(name)) throw new Error(`not labels: ${text}`);
    if (name in labels) throw new Error(`a label twice: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
  }
  return labels;
}
