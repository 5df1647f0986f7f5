/** What an edited configuration changes, for whoever is about to save it. */
import { type FieldPath, formatPath } from './field-path.ts';
import { isList, isMap, isSame, type Json, type JsonMap, valueIn } from './json.ts';
import { isSecretKey, withoutSecrets } from './secrets.ts';

export interface Change {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** As text; undefined: there was none, it is a secret, or it is large. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly isSecret: boolean;
}

const MAX_SHOWN_LENGTH = 80;

export function changesBetween(from: JsonMap, to: JsonMap): readonly Change[] {
  return mapChanges(from, to, []);
}

function mapChanges(from: JsonMap, to: JsonMap, path: FieldPath): Change[] {
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) =>
    valueChanges(valueIn(from, key), valueIn(to, key), [...path, key]),
  );
}

function valueChanges(from: Json | undefined, to: Json | undefined, path: FieldPath): Change[] {
  if (isSame(from, to)) return [];
  if (isMap(from) && isMap(to)) return mapChanges(from, to, path);
  if (isList(from) && isList(to)) return listChanges(from, to, path);
  const isSecret = path.some(isSecretKey);
  const kind = from === undefined ? 'added' : to === undefined ? 'removed' : 'changed';
  return [
    {
      path: formatPath(path),
      kind,
      before: shown(from, isSecret),
      after: shown(to, isSecret),
      isSecret,
    },
  ];
}

/** What is the same at both ends stays out of it. */
function listChanges(from: readonly Json[], to: readonly Json[], path: FieldPath): Change[] {
  if (from.length === to.length) {
    return from.flatMap((item, at) => valueChanges(item, to[at], [...path, at]));
  }
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && isSame(from[head], to[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isSame(from.at(-1 - tail), to.at(-1 - tail))) tail += 1;
  const gone = from.slice(head, from.length - tail);
  const come = to.slice(head, to.length - tail);
  return [
    ...gone.flatMap((item, at) => valueChanges(item, undefined, [...path, head + at])),
    ...come.flatMap((item, at) => valueChanges(undefined, item, [...path, head + at])),
  ];
}

function shown(value: Json | undefined, isSecret: boolean): string | undefined {
  if (value === undefined || isSecret) return undefined;
  // A whole item, such as a stream, reads better key by key.
  const text = isMap(value)
    ? Object.entries(value)
        .filter(([key]) => !isSecretKey(key))
        .map(([key, inner]) => `${key}: ${plainText(inner)}`)
        .join(', ')
    : plainText(value);
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH - 1)}…` : text;
}

function plainText(value: Json): string {
  if (typeof value === 'string') return withoutSecrets(value);
  return JSON.stringify(value, (key, inner: unknown) => {
    if (isSecretKey(key)) return undefined;
    return typeof inner === 'string' ? withoutSecrets(inner) : inner;
  });
}
