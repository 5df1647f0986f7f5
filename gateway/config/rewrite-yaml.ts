/**
 * Gives a YAML text another content and leaves all else as it was: comments, order, empty lines, quotes. What the text
 * says afterwards is read again and compared, so that nothing is ever written that means something else.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

type Tree = Readonly<Record<string, unknown>>;

/** What a YAML text says, without the keys that have nothing after them. Throws where it is no YAML. */
export type ReadTree = (text: string) => unknown;

/** `text` is one that `read` takes. */
export function rewriteYaml(text: string, wanted: Tree, read: ReadTree): string {
  if (isDeepStrictEqual(read(text), wanted)) return text;
  for (const prepare of [keepAliases, resolveAliases]) {
    const rewritten = attempt(text, wanted, prepare);
    if (rewritten !== undefined && isDeepStrictEqual(read(rewritten), wanted)) return rewritten;
  }
  throw new Error('the file cannot be changed without changing more of it: edit it by hand');
}

function attempt(
  text: string,
  wanted: Tree,
  prepare: (document: Document) => void,
): string | undefined {
  const document: Document = parseDocument(text, { logLevel: 'error' });
  try {
    prepare(document);
    document.contents = rewritten(document.contents, wanted, document);
    // Long lines stay long, as people have written them.
    return document.toString({ lineWidth: 0 });
  } catch {
    // An alias of what is not there any more: the other way is without aliases.
    return undefined;
  }
}

function keepAliases(): void {}

/** Each alias becomes what it stands for. */
function resolveAliases(document: Document): void {
  visit(document, {
    Alias: (_key, alias) => {
      const copy = alias.resolve(document)?.clone();
      return isNode(copy) ? copy : undefined;
    },
  });
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) delete node.anchor;
    },
  });
}

/** The node when it says `value` already or can be made to, else a new one in its place. */
function rewritten(node: Node | null, value: unknown, document: Document): Node {
  if (isMap(node) && isTree(value)) return rewrittenMap(node, value, document);
  if (isSeq(node) && Array.isArray(value)) return rewrittenList(node, value, document);
  if (node !== null && isDeepStrictEqual(meaningOf(node, document), value)) return node;
  const made: Node = document.createNode(value);
  if (node === null) return made;
  const { comment, commentBefore, spaceBefore } = node;
  if (spaceBefore === true) made.spaceBefore = true;
  if (isScalar(node) && isScalar(made)) {
    if (typeof comment === 'string') made.comment = comment;
    const { type } = node;
    const isQuoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE;
    if (isQuoted && typeof value === 'string') made.type = type;
  }
  // What stood behind a value on its line would stand within what is a block now.
  const above = isScalar(made) ? [commentBefore] : [commentBefore, comment];
  const lines = above.filter((each) => typeof each === 'string');
  if (lines.length > 0) made.commentBefore = lines.join('\n');
  return made;
}

function rewrittenMap(map: YAMLMap, value: Tree, document: Document): Node {
  if (map.items.length === 0) map.flow = false;
  map.items = map.items.filter(({ key, value: old }) => {
    const isKept = Object.hasOwn(value, nameOf(key));
    // A key with nothing after it counts as left out, and may stay.
    return isKept || meaningOf(old, document) === null;
  });
  const known = new Map(map.items.map((pair) => [nameOf(pair.key), pair]));
  for (const [key, inner] of Object.entries(value)) {
    const pair = known.get(key);
    if (pair === undefined)
      map.items.push(new Pair(document.createNode(key), document.createNode(inner)));
    else pair.value = rewritten(withOwnComments(pair.value), inner, document);
  }
  return map;
}

/** Entries that stay the same keep their comments, wherever they are now; of the others, those at the same place. */
function rewrittenList(list: YAMLSeq, values: readonly unknown[], document: Document): Node {
  if (list.items.length === 0 && values.length > 0) list.flow = false;
  const old = list.items.map((item) => (isNode(item) ? item : null));
  const meanings = old.map((item) => meaningOf(item, document));
  const free = new Set(old.keys());
  const same = values.map((value) => {
    const found = [...free].find((index) => isDeepStrictEqual(meanings[index], value));
    if (found !== undefined) free.delete(found);
    return found;
  });
  list.items = values.map((value, index) => {
    const found = same[index];
    if (found !== undefined) return old[found];
    const isFree = free.delete(index);
    return rewritten(isFree ? (old[index] ?? null) : null, value, document);
  });
  return list;
}

/** A comment above the first entry of what a key has is that entry's, and goes with it. */
function withOwnComments(value: unknown): Node | null {
  if (!isCollection(value)) return isNode(value) ? value : null;
  const [item] = value.items;
  const first = isPair(item) ? item.key : item;
  const { commentBefore } = value;
  if (typeof commentBefore === 'string' && value.flow !== true && isNode(first)) {
    const own = typeof first.commentBefore === 'string' ? [first.commentBefore] : [];
    first.commentBefore = [commentBefore, ...own].join('\n');
    value.commentBefore = null;
  }
  return value;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function meaningOf(node: unknown, document: Document): unknown {
  return isNode(node) ? node.toJS(document) : (node ?? null);
}
