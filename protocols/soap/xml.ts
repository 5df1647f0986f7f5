/**
 * XML as SOAP devices send it, read into a small tree; namespace prefixes are resolved and dropped.
 *
 * Cameras send undeclared prefixes, stray ampersands and text after the root, so damage is noted
 * and reading goes on; `closed` tells which elements were received whole. DOCTYPE is refused
 * (SOAP 1.2 Part 1 §5), so no entity can be declared.
 */
import { SaxesParser } from 'saxes';
import { ParseError } from '../../codecs/errors.ts';

/** SOAP bodies nest about ten deep; the limit keeps recursion over the tree safe. */
export const MAX_XML_DEPTH = 48;
/** GetProfiles of a 64-channel recorder has about 10 000 elements. */
export const MAX_XML_ELEMENTS = 50_000;

export interface XmlElement {
  /** Local name, without prefix. */
  readonly name: string;
  /** What its prefix stands for; undefined where that is declared nowhere. */
  readonly namespace: string | undefined;
  /** By local name; namespace declarations are kept under `xmlns`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Character data directly inside, not trimmed. */
  readonly text: string;
  /** False when the document ended, or broke, before its end tag. */
  readonly closed: boolean;
}

interface OpenElement {
  name: string;
  namespace: string | undefined;
  attributes: Map<string, string>;
  children: OpenElement[];
  text: string;
  closed: boolean;
}

/** Reads one document; a ParseError when there is no root element or a limit is passed. */
export function readXml(text: string): XmlElement {
  const reader = new TreeReader();
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('error', () => {
    // Noted through `closed`; see the head of this file.
  });
  parser.on('doctype', () => {
    throw new ParseError('XML: DOCTYPE is not allowed in SOAP (SOAP 1.2 §5)');
  });
  parser.on('opentag', (tag) => reader.open(tag.name, Object.entries(tag.attributes)));
  parser.on('closetag', () => reader.close());
  parser.on('text', (data) => reader.append(data));
  parser.on('cdata', (data) => reader.append(data));
  parser.write(trimJunk(text)).close();
  if (reader.root === undefined) throw new ParseError('XML: no element found');
  return reader.root;
}

class TreeReader {
  root: OpenElement | undefined;
  readonly #stack: OpenElement[] = [];
  /** Of each open element. */
  readonly #scopes: (Scope | undefined)[] = [];
  #elements = 0;

  open(qualifiedName: string, attributes: readonly (readonly [string, string])[]): void {
    this.#elements += 1;
    if (this.#elements > MAX_XML_ELEMENTS) throw new ParseError('XML: too many elements');
    if (this.#stack.length >= MAX_XML_DEPTH) throw new ParseError('XML: nested too deep');
    const scope = scopeOf(attributes, this.#scopes.at(-1));
    const element: OpenElement = {
      name: localName(qualifiedName),
      namespace: namespaceOf(prefixOf(qualifiedName), scope),
      attributes: new Map(),
      children: [],
      text: '',
      closed: false,
    };
    for (const [name, value] of attributes) {
      if (!name.startsWith('xmlns:')) element.attributes.set(localName(name), value);
    }
    this.#stack.at(-1)?.children.push(element);
    this.root ??= element;
    this.#stack.push(element);
    this.#scopes.push(scope);
  }

  close(): void {
    const element = this.#stack.pop();
    this.#scopes.pop();
    if (element !== undefined) element.closed = true;
  }

  append(data: string): void {
    const element = this.#stack.at(-1);
    if (element !== undefined) element.text += data;
  }
}

/** Linked and not copied: many declarations cost no more than their text, however they nest. */
interface Scope {
  readonly declared: ReadonlyMap<string, string>;
  readonly outer: Scope | undefined;
}

/** A scope of its own only where something is declared; '' is the default namespace. */
function scopeOf(
  attributes: readonly (readonly [string, string])[],
  outer: Scope | undefined,
): Scope | undefined {
  const declarations = attributes.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declarations.length === 0) return outer;
  const declared = new Map(
    declarations.map(([name, uri]) => [name.slice('xmlns:'.length), uri] as const),
  );
  return { declared, outer };
}

function namespaceOf(prefix: string, scope: Scope | undefined): string | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const uri = at.declared.get(prefix);
    if (uri !== undefined) return uri;
  }
  return undefined;
}

/** The first child of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

/** Follows names downward, always the first child. */
export function descend(
  element: XmlElement | undefined,
  ...path: readonly string[]
): XmlElement | undefined {
  return path.reduce(child, element);
}

/** Trimmed text of the element at `path`; undefined when absent or empty. */
export function textAt(
  element: XmlElement | undefined,
  ...path: readonly string[]
): string | undefined {
  const text = descend(element, ...path)?.text.trim();
  return text === '' ? undefined : text;
}

/** Every element of that name below `element`, in document order. */
export function* descendants(element: XmlElement, name: string): Generator<XmlElement> {
  for (const candidate of element.children) {
    if (candidate.name === name) yield candidate;
    yield* descendants(candidate, name);
  }
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/**
 * The element and all within, as text; `namespace` is what is in force around it, and that of elements with none. Attributes
 * lose their prefix, as they did when they were read: those of SOAP devices have none.
 */
export function writeXml(element: XmlElement, namespace: string): string {
  const own = element.namespace ?? namespace;
  const attributes = [...element.attributes]
    .filter(([name]) => name !== 'xmlns')
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
  const declaration = own === namespace ? '' : ` xmlns="${escapeXml(own)}"`;
  const content = element.children.map((each) => writeXml(each, own)).join('');
  const text = content === '' ? escapeXml(element.text.trim()) : content;
  return `<${element.name}${declaration}${attributes}>${text}</${element.name}>`;
}

function prefixOf(qualifiedName: string): string {
  return qualifiedName.slice(0, Math.max(0, qualifiedName.indexOf(':')));
}

function localName(qualifiedName: string): string {
  return qualifiedName.slice(qualifiedName.indexOf(':') + 1);
}

/** Byte order mark, blank lines before the declaration, C string terminators at the end. */
function trimJunk(text: string): string {
  const start = text.indexOf('<');
  const end = text.lastIndexOf('>');
  return start === -1 ? '' : text.slice(start, Math.max(start, end) + 1);
}

/** 0 where it is not there, or not above 0. */
export function numberAt(element: XmlElement | undefined, ...path: readonly string[]): number {
  const value = Number(textAt(element, ...path));
  return Number.isFinite(value) && value > 0 ? value : 0;
}
