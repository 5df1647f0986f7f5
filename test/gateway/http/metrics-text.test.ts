import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { MetricsText } from '../../../gateway/http/metrics-text.ts';
import { parseMetrics } from '../../support/parse-metrics.ts';

it('a family is its help, its type and its samples', () => {
  const text = new MetricsText();
  text.family('a_total', 'counter', 'Of a.', [
    [{}, 3],
    [{ x: 'y', z: '' }, 0.5],
  ]);
  text.family('b', 'gauge', 'Of b.', [[{}, Number.NEGATIVE_INFINITY]]);
  assert.equal(
    String(text),
    '# HELP a_total Of a.\n# TYPE a_total counter\na_total 3\na_total{x="y",z=""} 0.5\n' +
      '# HELP b Of b.\n# TYPE b gauge\nb -Inf\n',
  );
});

it('what is not known is left out, and with it a family that has nothing else', () => {
  const text = new MetricsText();
  text.family('a', 'gauge', 'Of a.', [[{}, undefined]]);
  text.family('b', 'gauge', 'Of b.', []);
  assert.equal(String(text), '');
});

it('whatever labels and help say is read back as it was', () => {
  const odd = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\\', '"', '\n', '\\n', '}'));
  fc.assert(
    fc.property(odd, odd, fc.double(), (value, help, number) => {
      const text = new MetricsText();
      text.family('a', 'gauge', `!${help}`.replaceAll('\r', ''), [[{ x: value }, number]]);
      const sample = parseMetrics(String(text)).get('a')?.samples[0];
      assert.equal(sample?.labels['x'], value);
      assert.ok(Object.is(sample?.value, Object.is(number, -0) ? 0 : number));
    }),
  );
});

for (const [name, text] of [
  ['no line feed at the end', '# HELP a b\n# TYPE a gauge\na 1'],
  ['a sample without a type', 'a 1\n'],
  ['a type without help', '# TYPE a gauge\na 1\n'],
  ['a family in two places', '# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\na 2\n'],
  ['the same labels twice', '# HELP a b\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n'],
  ['a quote in a label', '# HELP a b\n# TYPE a gauge\na{x="""} 1\n'],
  ['a word for a number', '# HELP a b\n# TYPE a gauge\na undefined\n'],
] as const) {
  it(`the strict reader refuses ${name}`, () => {
    assert.throws(() => parseMetrics(text));
  });
}
