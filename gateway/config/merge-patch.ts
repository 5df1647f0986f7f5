/** JSON Merge Patch (RFC 7396): maps are merged, null removes, everything else replaces. */
import type { KeyPath } from './config-error.ts';
import { isMap } from './describe-issue.ts';

/** As deep as a configuration may be. */
const MAX_DEPTH = 16;

export function mergePatch(target: unknown, patch: unknown): unknown {
  // Entries of a list are new ones, of which null says nothing.
  if (Array.isArray(patch)) return patch.map((entry) => mergePatch(undefined, entry));
  if (!isMap(patch)) return patch;
  const entries = new Map(isMap(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key);
    else entries.set(key, mergePatch(entries.get(key), value));
  }
  // Not by assignment: `__proto__` is a key like any other.
  return Object.fromEntries(entries);
}

/** Why a patch cannot be one; undefined: it can. */
export function patchProblem(patch: unknown): { path: KeyPath; words: string } | undefined {
  return problemIn(patch, []);
}

function problemIn(node: unknown, path: KeyPath): { path: KeyPath; words: string } | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  if (path.length >= MAX_DEPTH) return { path: path.slice(0, 3), words: 'nested too deep' };
  const entries: [PropertyKey, unknown][] = Array.isArray(node)
    ? node.map((item: unknown, index) => [index, item])
    : Object.entries(node);
  for (const [key, value] of entries) {
    if (key === '__proto__') return { path: [...path, key], words: 'no such key' };
    const problem = problemIn(value, [...path, key]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
