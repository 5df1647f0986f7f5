/** YAML with a comment before each entry; what was refused stands there as a comment, ready to be taken in. */
import { Document, type Node, Pair, Scalar, stringify, visit, YAMLMap, YAMLSeq } from 'yaml';

export interface Entry {
  /** Under a name, in a map; else in a list. */
  readonly name?: string;
  readonly value: Readonly<Record<string, unknown>> | undefined;
  /** Why the value cannot stand here. */
  readonly refusal?: string | undefined;
  readonly remarks: readonly string[];
}

export class RemarkedYaml {
  readonly #document = new Document({});
  readonly #contents = new YAMLMap();

  constructor(head: readonly string[]) {
    this.#document.contents = this.#contents;
    this.#document.commentBefore = comment(head);
  }

  /** A section of plain keys. */
  add(key: string, value: unknown, remarks: readonly string[]): void {
    this.#put(this.#contents, key, this.#node(value), remarks);
  }

  /** A section whose entries have remarks of their own; nothing where there are none. */
  addEntries(key: string, as: 'map' | 'list', entries: readonly Entry[]): void {
    if (entries.length > 0) this.#putEntries(this.#contents, key, as, entries);
  }

  /** As `addEntries`, one map deeper, beside other keys with one remark each. */
  addEntriesWithin(
    section: string,
    others: readonly { readonly key: string; readonly value: unknown; readonly remark: string }[],
    key: string,
    entries: readonly Entry[],
  ): void {
    if (others.length === 0 && entries.length === 0) return;
    const map = new YAMLMap();
    for (const { key: other, value, remark } of others) {
      this.#put(map, other, new Scalar(value), [remark]);
    }
    if (entries.length > 0) this.#putEntries(map, key, 'list', entries);
    this.#put(this.#contents, section, map, []);
  }

  toString(tail: readonly string[]): string {
    if (tail.length > 0) this.#document.comment = comment(tail);
    return this.#document.toString({ lineWidth: 0 });
  }

  #putEntries(into: YAMLMap, key: string, as: 'map' | 'list', entries: readonly Entry[]): void {
    const map = new YAMLMap();
    const list = new YAMLSeq();
    let lines: string[] = [];
    for (const { name, value, refusal, remarks } of entries) {
      lines.push(...remarks);
      if (refusal !== undefined) lines.push(`left out: ${refusal}`);
      if (value === undefined) continue;
      if (refusal !== undefined) {
        lines.push(...asText(name === undefined ? [value] : { [name]: value }));
        continue;
      }
      const node = this.#node(value);
      if (name !== undefined) this.#put(map, name, node, lines);
      else {
        if (lines.length > 0) node.commentBefore = comment(lines);
        list.add(node);
      }
      lines = [];
    }
    const collection = as === 'map' ? map : list;
    const isEmpty = collection.items.length === 0;
    if (!isEmpty && lines.length > 0) collection.comment = comment(lines);
    this.#put(into, key, collection, isEmpty ? lines : []);
  }

  /** Lists of words on one line. */
  #node(value: unknown): Node {
    const node = this.#document.createNode(value);
    visit(node, {
      Seq: (_, list) => {
        list.flow = true;
      },
    });
    return node;
  }

  #put(into: YAMLMap, key: string, node: unknown, remarks: readonly string[]): void {
    const name = new Scalar(key);
    if (remarks.length > 0) name.commentBefore = comment(remarks);
    name.spaceBefore = into === this.#contents && into.items.length > 0;
    into.add(new Pair(name, node));
  }
}

function asText(value: unknown): string[] {
  return stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
}

/** One line each; whatever a text of the ancestor's holds cannot end the comment. */
function comment(lines: readonly string[]): string {
  return lines.map((line) => ` ${line.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}`).join('\n');
}
