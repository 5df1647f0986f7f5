/** Names that may stand in a topic and a URL: `[a-z0-9-]{1,48}`. */
const MAX_NAME_LENGTH = 48;

/** The nearest valid name; `fallback` when nothing is left. */
export function toName(text: string, fallback: string): string {
  const name = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/^-+|-+$/g, '');
  return name === '' ? fallback : name;
}

/** `{key}` in the template replaced by its value; unknown keys and missing values by nothing. */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return template.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '');
}

/** `name`, or `name-2`, `name-3` … so that it is not among `taken`. */
export function uniqueName(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  for (let n = 2; ; n += 1) {
    const suffix = `-${n}`;
    const candidate = name.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
    if (!taken(candidate)) return candidate;
  }
}
