import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  attributes,
  field,
  jinjaText,
  onWhen,
} from '../../../gateway/report/home-assistant-template.ts';

const cases = [
  { name: 'a plain name stays readable', text: 'Gate 2_a-b', want: "'Gate 2_a-b'" },
  { name: 'quotes cannot end it', text: `'"`, want: "'\\u0027\\u0022'" },
  { name: 'a backslash is one', text: '\\n', want: "'\\u005cn'" },
  { name: 'braces are no template', text: '{{1}}', want: "'\\u007b\\u007b1\\u007d\\u007d'" },
  { name: 'beyond the first plane there is one escape', text: '😀', want: "'\\U0001f600'" },
  { name: 'nothing is nothing', text: '', want: "''" },
];

for (const { name, text, want } of cases) {
  it(`text for Jinja: ${name}`, () => assert.equal(jinjaText(text), want));
}

it('fields, conditions and attributes read the JSON payload', () => {
  assert.equal(field('fps'), '{{ value_json.fps }}');
  assert.equal(onWhen('a'), "{{ 'ON' if a else 'OFF' }}");
  assert.equal(attributes(['a', 'b']), "{{ {'a': value_json.a, 'b': value_json.b} | tojson }}");
});
