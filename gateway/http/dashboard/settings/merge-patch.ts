/** JSON Merge Patch (RFC 7396): what `config/set` takes. A list is replaced as a whole; null removes a key. */
import { isMap, isSame, type Json, type JsonMap, valueIn } from './json.ts';

/** `applyPatch(from, patchBetween(from, to))` is `to`, where no map of `to` holds null (which a patch cannot say). */
export function patchBetween(from: JsonMap, to: JsonMap): JsonMap {
  const removed = Object.keys(from)
    .filter((key) => !Object.hasOwn(to, key))
    .map((key) => [key, null] as const);
  const changed = Object.entries(to).flatMap(([key, value]) => {
    const before = valueIn(from, key);
    if (isSame(before, value)) return [];
    const part = isMap(before) && isMap(value) ? patchBetween(before, value) : value;
    return [[key, part] as const];
  });
  return Object.fromEntries([...removed, ...changed]);
}

export function applyPatch(target: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const result = new Map(Object.entries(isMap(target) ? target : {}));
  for (const [key, part] of Object.entries(patch)) {
    if (part === null) result.delete(key);
    else result.set(key, applyPatch(result.get(key), part));
  }
  return Object.fromEntries(result);
}
