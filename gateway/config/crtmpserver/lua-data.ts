/**
 * A Lua file as data: what global variables hold, as far as it stands there in so many words: texts, numbers,
 * true, false, nil, tables, and texts joined by `..`. Nothing is executed; everything else is kept as `unread`,
 * with its line. luaparse (Lua 5.1) does the syntax.
 */
import luaparse, { type Expression, type Node, type Statement } from 'luaparse';

/** The longest known configuration has 9 KiB. */
export const MAX_LUA_BYTES = 256 * 1024;
/** A configuration is 7 tables deep. */
const MAX_DEPTH = 32;
/** `a .. b .. c` is a chain as deep as it is long. */
const MAX_JOINED = 64;

interface OnLine {
  readonly line: number;
}

export type LuaValue =
  | ({ readonly kind: 'text'; readonly value: string } & OnLine)
  | ({ readonly kind: 'number'; readonly value: number } & OnLine)
  | ({ readonly kind: 'flag'; readonly value: boolean } & OnLine)
  | ({ readonly kind: 'nil' } & OnLine)
  | ({ readonly kind: 'unread'; readonly what: string } & OnLine)
  | LuaTable;

export interface LuaTable extends OnLine {
  readonly kind: 'table';
  readonly fields: readonly LuaField[];
}

/** `key` is undefined for what just stands in the list. */
export interface LuaField {
  readonly key: string | undefined;
  readonly value: LuaValue;
}

export interface LuaGlobals {
  /** Later assignments win, as when it is run. */
  readonly values: ReadonlyMap<string, LuaValue>;
  /** Statements that only running could understand. */
  readonly unread: readonly { readonly line: number; readonly what: string }[];
}

/** The message begins with the line where there is one. */
export class LuaError extends Error {
  override readonly name = 'LuaError';
}

export function readLua(bytes: Uint8Array): LuaGlobals {
  if (bytes.length > MAX_LUA_BYTES) throw new LuaError(`over ${MAX_LUA_BYTES} bytes`);
  const values = new Map<string, LuaValue>();
  const unread: { line: number; what: string }[] = [];
  for (const statement of parse(bytes)) {
    const what = statementName(statement);
    if (what !== undefined) {
      unread.push({ line: lineOf(statement), what });
      continue;
    }
    if (statement.type !== 'AssignmentStatement' && statement.type !== 'LocalStatement') continue;
    for (const [index, variable] of statement.variables.entries()) {
      const init = statement.init[index];
      if (variable.type === 'Identifier' && init !== undefined) {
        values.set(variable.name, readValue(init, 0));
      }
    }
  }
  return { values, unread };
}

function parse(bytes: Uint8Array): readonly Statement[] {
  try {
    const source = Buffer.from(bytes)
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, '');
    const options = { locations: true, comments: false, encodingMode: 'pseudo-latin1' } as const;
    return luaparse.parse(source, options).body;
  } catch (error) {
    if (error instanceof RangeError) throw new LuaError('nested too deep');
    if (!(error instanceof SyntaxError)) throw error;
    const [, line, words] = /^\[(\d+):\d+\] (.*)$/s.exec(error.message) ?? [];
    if (line === undefined) throw new LuaError(`not Lua: ${error.message}`);
    throw new LuaError(`line ${line}: not Lua: ${words}`);
  }
}

/** Undefined for an assignment. */
function statementName(statement: Statement): string | undefined {
  switch (statement.type) {
    case 'AssignmentStatement':
      return statement.variables.every(({ type }) => type === 'Identifier')
        ? undefined
        : 'an assignment to a part of a table';
    case 'LocalStatement':
      return undefined;
    case 'CallStatement':
      return 'a call of a function';
    case 'FunctionDeclaration':
      return 'a function';
    case 'ReturnStatement':
      return 'a return';
    default:
      return 'a statement that would have to be run';
  }
}

function readValue(node: Expression, depth: number): LuaValue {
  const line = lineOf(node);
  switch (node.type) {
    case 'StringLiteral':
      return { kind: 'text', value: textOf(node), line };
    case 'NumericLiteral':
      return { kind: 'number', value: node.value, line };
    case 'BooleanLiteral':
      return { kind: 'flag', value: node.value, line };
    case 'NilLiteral':
      return { kind: 'nil', line };
    case 'UnaryExpression':
      return node.operator === '-' && node.argument.type === 'NumericLiteral'
        ? { kind: 'number', value: -node.argument.value, line }
        : { kind: 'unread', what: 'an expression', line };
    case 'BinaryExpression': {
      const value = joinedText(node, 0);
      return value === undefined
        ? { kind: 'unread', what: 'an expression', line }
        : { kind: 'text', value, line };
    }
    case 'TableConstructorExpression':
      if (depth >= MAX_DEPTH) throw new LuaError(`line ${line}: nested too deep`);
      return {
        kind: 'table',
        fields: node.fields.map((field) => ({
          key: keyOf(field),
          value: readValue(field.value, depth + 1),
        })),
        line,
      };
    case 'Identifier':
      return { kind: 'unread', what: `the variable ${node.name}`, line };
    case 'FunctionDeclaration':
      return { kind: 'unread', what: 'a function', line };
    case 'CallExpression':
    case 'StringCallExpression':
    case 'TableCallExpression':
      return { kind: 'unread', what: 'a call of a function', line };
    default:
      return { kind: 'unread', what: 'an expression', line };
  }
}

type Field = Extract<Expression, { type: 'TableConstructorExpression' }>['fields'][number];

/** A number as a key is a place in the list. */
function keyOf(field: Field): string | undefined {
  if (field.type === 'TableKeyString') return field.key.name;
  if (field.type === 'TableValue' || field.key.type === 'NumericLiteral') return undefined;
  return field.key.type === 'StringLiteral' ? textOf(field.key) : '[an expression]';
}

function joinedText(node: Expression, depth: number): string | undefined {
  switch (node.type) {
    case 'StringLiteral':
      return textOf(node);
    case 'NumericLiteral':
      return String(node.value);
    case 'BinaryExpression': {
      if (node.operator !== '..' || depth > MAX_JOINED) return undefined;
      const left = joinedText(node.left, depth + 1);
      const right = joinedText(node.right, depth + 1);
      return left === undefined || right === undefined ? undefined : left + right;
    }
    default:
      return undefined;
  }
}

/** luaparse gives one character for each byte. */
function textOf(node: Extract<Expression, { type: 'StringLiteral' }>): string {
  return Buffer.from(node.value, 'latin1').toString('utf8');
}

function lineOf(node: Node): number {
  return node.loc?.start.line ?? 0;
}
