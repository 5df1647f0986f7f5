/** A configuration while it is edited: reading and writing one place of it leaves the rest as it is. */
import type { FieldPath } from './field-path.ts';
import { isList, isMap, isSame, type Json, type JsonMap } from './json.ts';

/** undefined leaves it out. In a list it takes the item out. */
export function withValue(draft: JsonMap, path: FieldPath, value: Json | undefined): JsonMap {
  const result = replaced(draft, path, value);
  return isMap(result) ? result : {};
}

function replaced(
  holder: Json | undefined,
  path: FieldPath,
  value: Json | undefined,
): Json | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (typeof part === 'number') {
    const list = isList(holder) ? holder : [];
    const item = replaced(list[part], rest, value);
    if (item === undefined) return list.filter((_, at) => at !== part);
    return part < list.length ? list.map((old, at) => (at === part ? item : old)) : [...list, item];
  }
  // A map, because a key may be called __proto__; it keeps the order.
  const map = new Map(Object.entries(isMap(holder) ? holder : {}));
  const item = replaced(map.get(part), rest, value);
  if (item === undefined) map.delete(part);
  else map.set(part, item);
  return Object.fromEntries(map);
}

/** A map or list that has become empty is left out where that means the same. */
export function orLeftOut(value: Json | undefined, fallback: Json | undefined): Json | undefined {
  const isEmpty = isList(value)
    ? value.length === 0
    : isMap(value) && Object.keys(value).length === 0;
  return isEmpty && isSame(value, fallback) ? undefined : value;
}
