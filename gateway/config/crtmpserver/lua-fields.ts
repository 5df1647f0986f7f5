/** One table of the ancestor's configuration, read key by key; what nobody asked for is told at the end. */
import type { LuaTable, LuaValue } from './lua-data.ts';

type Kind = Exclude<LuaValue['kind'], 'unread'>;

const KIND_WORDS: Readonly<Record<Kind, string>> = {
  text: 'a text',
  number: 'a number',
  flag: 'true or false',
  nil: 'nil',
  table: 'a table',
};

export class LuaFields {
  readonly line: number;
  readonly #named = new Map<string, LuaValue>();
  readonly #listed: LuaValue[] = [];
  readonly #remarks: string[];

  /** `remarks` takes what cannot be read. */
  constructor(table: LuaTable, remarks: string[]) {
    this.line = table.line;
    this.#remarks = remarks;
    for (const { key, value } of table.fields) {
      if (value.kind === 'nil') continue;
      if (key === undefined) this.#listed.push(value);
      else this.#named.set(key, value);
    }
  }

  text(key: string): string | undefined {
    const value = this.#take(key, 'text');
    return value?.kind === 'text' ? value.value : undefined;
  }

  number(key: string): number | undefined {
    const value = this.#take(key, 'number');
    return value?.kind === 'number' ? value.value : undefined;
  }

  flag(key: string): boolean | undefined {
    const value = this.#take(key, 'flag');
    return value?.kind === 'flag' ? value.value : undefined;
  }

  table(key: string): LuaFields | undefined {
    const value = this.#take(key, 'table');
    return value?.kind === 'table' ? new LuaFields(value, this.#remarks) : undefined;
  }

  /** The line of a key that has not been asked for yet. */
  lineOf(key: string): number {
    return this.#named.get(key)?.line ?? this.line;
  }

  /** The tables in the list; each complains to what `remarksFor` gives, or to where this one does. */
  tables(remarksFor: () => string[] = () => this.#remarks): LuaFields[] {
    return this.#listed.flatMap((value) => {
      if (value.kind === 'table') return [new LuaFields(value, remarksFor())];
      this.#complain(value, 'an entry', 'a table');
      return [];
    });
  }

  /** The texts in the list. */
  texts(): string[] {
    return this.#listed.flatMap((value) => {
      if (value.kind === 'text') return [value.value];
      this.#complain(value, 'an entry', 'a text');
      return [];
    });
  }

  /** Keys that nobody has asked for, in the file's order. */
  rest(): { readonly key: string; readonly value: LuaValue }[] {
    return [...this.#named].map(([key, value]) => ({ key, value }));
  }

  #take(key: string, kind: Kind): LuaValue | undefined {
    const value = this.#named.get(key);
    this.#named.delete(key);
    if (value !== undefined && value.kind !== kind) this.#complain(value, key, KIND_WORDS[kind]);
    return value;
  }

  #complain(value: LuaValue, what: string, expected: string): void {
    const got = value.kind === 'unread' ? value.what : KIND_WORDS[value.kind];
    const why = value.kind === 'unread' ? ' (nothing is run)' : '';
    this.#remarks.push(`line ${value.line}: ${what}: expected ${expected}, got ${got}${why}`);
  }
}
