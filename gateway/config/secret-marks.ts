/**
 * The configuration without its secrets, for `config/get`: each is replaced by a mark, `***` and ten digits, which finds its
 * secret again when it comes back in `config/set`, also in a list whose entries were moved or removed, and only at the same
 * path of keys. What a mark says is that two values at one path are the same, to nobody who lacks this process's key more.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isNoSecret, replaceMarks, scrub } from '../secrets.ts';
import { failAt, type KeyPath } from './config-error.ts';
import { isMap } from './describe-issue.ts';

const MARK_DIGITS = 10;
const KEY_BYTES = 32;
/** A URL's user and password, a known secret within it. */
const MAX_NESTED = 3;

/** Options of extensions are theirs: their names tell what may be secret. */
const LIKELY_SECRET = /pass|pwd|token|secret|key|auth/i;
const NAMES_FILE = /(?:file|path|dir)$/i;

type Table = Map<string, unknown>;

export class SecretMarks {
  readonly #key = randomBytes(KEY_BYTES);

  hide(tree: unknown): unknown {
    return this.#hide(tree, [], new Map());
  }

  /** What was sent back with marks, made whole from `tree`. Throws a `ConfigError` for a mark that was not given here. */
  restore(sent: unknown, tree: unknown, file: string): unknown {
    const table: Table = new Map();
    this.#hide(tree, [], table);
    return restore(sent, [], table, file);
  }

  #hide(node: unknown, path: KeyPath, table: Table): unknown {
    if (Array.isArray(node)) {
      return node.map((item, index) => this.#hide(item, [...path, index], table));
    }
    if (isMap(node)) {
      return Object.fromEntries(
        Object.entries(node).map(([key, value]) => [key, this.#hide(value, [...path, key], table)]),
      );
    }
    const mark = (secret: string | number) => {
      const given = this.#mark(path, String(secret));
      table.set(placeOf(path, given), secret);
      return given;
    };
    const isSecret = isSecretAt(path);
    if (typeof node === 'number') return isSecret ? mark(node) : node;
    if (typeof node !== 'string') return node;
    const hide = (text: string) => (isNoSecret(text) ? text : mark(text));
    return isSecret ? hide(node) : scrub(node, hide);
  }

  #mark(path: KeyPath, secret: string): string {
    const digest = createHmac('sha256', this.#key).update(placeOf(path, secret)).digest('hex');
    return `***${digest.slice(0, MARK_DIGITS)}`;
  }
}

function restore(node: unknown, path: KeyPath, table: Table, file: string): unknown {
  if (Array.isArray(node)) {
    return node.map((item, index) => restore(item, [...path, index], table, file));
  }
  if (isMap(node)) {
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [
        key,
        restore(value, [...path, key], table, file),
      ]),
    );
  }
  if (typeof node !== 'string') return node;
  const refuse = () =>
    failAt(
      file,
      path,
      'expected a mask that config/get gave at this place, or a value; got another mask',
    );
  if (node === '***' && isSecretAt(path)) refuse();
  const whole = table.get(placeOf(path, node));
  if (typeof whole === 'number') return whole;
  const unmark = (text: string, depth: number): string =>
    replaceMarks(text, (mark) => {
      const secret = table.get(placeOf(path, mark));
      if (secret === undefined) return refuse();
      return depth < MAX_NESTED ? unmark(String(secret), depth + 1) : String(secret);
    });
  return unmark(node, 1);
}

/** Lists may be in another order by then. */
function placeOf(path: KeyPath, text: string): string {
  return JSON.stringify([...path.map((part) => (typeof part === 'number' ? 0 : part)), text]);
}

function isSecretAt(path: KeyPath): boolean {
  const last = path[path.length - 1];
  if (last === 'password' || last === 'token' || last === 'streamKey') return true;
  if (path[0] !== 'extensions' || path[2] !== 'options') return false;
  const names = path.slice(3).map(String);
  return names.some((name) => LIKELY_SECRET.test(name)) && !NAMES_FILE.test(names.at(-1) ?? '');
}
