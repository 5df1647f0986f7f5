/** Turns what zod found into words: the first cause, where it is, what is expected and what is there. */
import type * as z from 'zod/mini';
import { scrub } from '../secrets.ts';
import type { KeyPath } from './config-error.ts';
import { configJsonSchema } from './schema.ts';

const MAX_SHOWN = 60;

export interface Problem {
  readonly path: KeyPath;
  readonly words: string;
}

type Issue = z.core.$ZodIssue;

/** `input` is what was validated. A misspelt key comes first: it explains the missing one. */
export function describeIssues(issues: readonly Issue[], input: unknown): Problem {
  const flat = issues.flatMap((issue) => withinUnion(issue, input));
  const issue = flat.find((one) => one.code === 'unrecognized_keys') ?? flat[0];
  if (issue === undefined) return { path: [], words: 'not valid' };
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    return { path: [...issue.path, key], words: unknownKey(issue.path, key) };
  }
  if (issue.code === 'invalid_key') {
    const key = issue.path[issue.path.length - 1];
    return {
      path: issue.path.slice(0, -1),
      words: `expected ${issue.message}, got ${showValue(String(key))}`,
    };
  }
  return { path: issue.path, words: expectedGot(issue.message, issue.path, input) };
}

export function expectedGot(expected: string, path: KeyPath, input: unknown): string {
  return `expected ${expected}, got ${showAt(path, input)}`;
}

/** A map where a word or a map may stand: what is wrong within the map says more. */
function withinUnion(issue: Issue, input: unknown): Issue[] {
  if (issue.code !== 'invalid_union' || !isMap(valueAt(issue.path, input))) return [issue];
  const inner = issue.errors
    .flat()
    .filter((one) => one.path.length > 0 || one.code === 'unrecognized_keys');
  if (inner.length === 0) return [issue];
  return inner.map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
}

function unknownKey(path: KeyPath, key: string): string {
  const known = knownKeys(path);
  const near = known.find((candidate) => isNear(candidate, key));
  if (near !== undefined) return `no such key, did you mean ${near}?`;
  return known.length === 0 ? 'no such key' : `no such key; known here: ${known.join(', ')}`;
}

/** The keys that the JSON Schema has at a path. */
function knownKeys(path: KeyPath): string[] {
  let node: unknown = configJsonSchema();
  for (const part of path) node = typeof part === 'number' ? at(node, 'items') : child(node, part);
  const own = at(node, 'properties') ?? firstMap(at(node, 'anyOf'));
  return isMap(own) ? Object.keys(own) : [];
}

function child(node: unknown, key: PropertyKey): unknown {
  return at(at(node, 'properties'), String(key)) ?? at(node, 'additionalProperties');
}

function firstMap(options: unknown): unknown {
  if (!Array.isArray(options)) return undefined;
  return options.map((option) => at(option, 'properties')).find(isMap);
}

/** One letter missing, added, changed or swapped, or only the case differs. */
function isNear(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (
    end < a.length - start &&
    end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  ) {
    end += 1;
  }
  const restA = a.slice(start, a.length - end);
  const restB = b.slice(start, b.length - end);
  const isSwap = restA.length === 2 && restA === [...restB].reverse().join('');
  return (restA.length <= 1 && restB.length <= 1) || isSwap;
}

function showAt(path: KeyPath, input: unknown): string {
  const value = valueAt(path, input);
  const isSecret = ['password', 'token'].includes(String(path[path.length - 1]));
  return isSecret && value !== undefined && !isMap(value) ? 'something else' : showValue(value);
}

function showValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'a map';
  const shown = scrub(typeof value === 'string' ? JSON.stringify(value) : String(value));
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}

function valueAt(path: KeyPath, input: unknown): unknown {
  return path.reduce<unknown>((node, part) => at(node, part), input);
}

function at(node: unknown, key: PropertyKey): unknown {
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined;
  return Reflect.get(node, key);
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
