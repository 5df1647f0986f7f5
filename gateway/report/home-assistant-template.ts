/** Jinja, as Home Assistant evaluates it. */

/**
 * A text as a Jinja string literal of plain ASCII letters, digits and escapes only, so that no name of a camera's or a preset's
 * can be anything but a text: Jinja's literals know Python's escapes.
 */
export function jinjaText(text: string): string {
  const escaped = Array.from(text, (character) => {
    if (/^[A-Za-z0-9 _-]$/.test(character)) return character;
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
  return `'${escaped.join('')}'`;
}

/** One field of a JSON payload. What is null becomes `None`, which Home Assistant shows as unknown. */
export function field(name: string): string {
  return `{{ value_json.${name} }}`;
}

/** Of a binary sensor. */
export function onWhen(condition: string): string {
  return `{{ 'ON' if ${condition} else 'OFF' }}`;
}

/** Some fields of a JSON payload, as an object. */
export function attributes(fields: readonly string[]): string {
  const pairs = fields.map((name) => `'${name}': value_json.${name}`);
  return `{{ {${pairs.join(', ')}} | tojson }}`;
}
