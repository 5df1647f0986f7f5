import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  LuaError,
  type LuaValue,
  MAX_LUA_BYTES,
  readLua,
} from '../../../../gateway/config/crtmpserver/lua-data.ts';

function read(source: string) {
  return readLua(Buffer.from(source));
}

/** What `x` is, without lines. */
function valueOfX(source: string): unknown {
  const value = read(`x = ${source}`).values.get('x');
  return value === undefined ? undefined : plain(value);
}

function plain(value: LuaValue): unknown {
  switch (value.kind) {
    case 'table':
      return value.fields.map(({ key, value: inner }) => [key, plain(inner)]);
    case 'nil':
      return null;
    case 'unread':
      return { unread: value.what };
    default:
      return value.value;
  }
}

const values: readonly (readonly [name: string, source: string, value: unknown])[] = [
  ['a text', '"a"', 'a'],
  ['a text in single quotes', "'a\"b'", 'a"b'],
  ['a text with escapes', String.raw`"a\n\"\65\\"`, 'a\n"A\\'],
  ['a long text', '[[a\nb]]', 'a\nb'],
  ['a text beyond ASCII', '"Größe 漢"', 'Größe 漢'],
  ['joined texts', '"rtmp://" .. "host" .. "/app" .. 7', 'rtmp://host/app7'],
  ['joined with a variable', '"rtmp://" .. host', { unread: 'an expression' }],
  ['a number', '1935', 1935],
  ['a number below zero', '-1', -1],
  ['a number with a fraction', '0.5', 0.5],
  ['a number in hexadecimal', '0x10', 16],
  ['a sum', '1024*1024', { unread: 'an expression' }],
  ['true', 'true', true],
  ['nil', 'nil', null],
  ['a variable', 'y', { unread: 'the variable y' }],
  ['a call', 'os.execute("rm -rf /")', { unread: 'a call of a function' }],
  ['a function', 'function() return 1 end', { unread: 'a function' }],
  ['not', 'not true', { unread: 'an expression' }],
  [
    'a table of names',
    '{ a=1, b="c", }',
    [
      ['a', 1],
      ['b', 'c'],
    ],
  ],
  [
    'a table of places',
    '{ 1, {2}; [3]=4 }',
    [
      [undefined, 1],
      [undefined, [[undefined, 2]]],
      [undefined, 4],
    ],
  ],
  [
    'a key in brackets',
    '{ ["a b"]=1, [c]=2 }',
    [
      ['a b', 1],
      ['[an expression]', 2],
    ],
  ],
  ['comments', '{ --[[ { a=1 }, ]]-- , b\n b=2 -- c\n}', [['b', 2]]],
];

const bad: readonly (readonly [name: string, source: string, message: RegExp])[] = [
  ['a table that does not end', 'x = {\n a = 1', /^line 2: not Lua: /],
  ['no Lua at all', '<?xml version="1.0"?>', /^line 1: not Lua: /],
  ['a byte that means nothing', 'x = \u0000', /^line 1: not Lua: /],
  [
    'tables beyond what anybody needs',
    `x = ${'{'.repeat(40)}${'}'.repeat(40)}`,
    /^line 1: nested too deep$/,
  ],
  ['tables beyond what can be read', `x = ${'{'.repeat(100_000)}`, /^nested too deep$/],
  ['a file that is no configuration', ' '.repeat(MAX_LUA_BYTES + 1), /^over 262144 bytes$/],
];

describe('Lua as data', () => {
  for (const [name, source, value] of values) {
    it(name, () => assert.deepEqual(valueOfX(source), value));
  }

  it('tells the line of everything', () => {
    const table = read('\nx = {\n  a = 1,\n  b = f(),\n}').values.get('x');
    assert.ok(table?.kind === 'table');
    assert.deepEqual([table.line, ...table.fields.map(({ value }) => value.line)], [2, 3, 4]);
  });

  it('the last assignment counts; local or not', () => {
    const { values: globals } = read('local a = 1\na, b = 2, 3');
    assert.deepEqual(
      [...globals].map(([key, value]) => [key, plain(value)]),
      [
        ['a', 2],
        ['b', 3],
      ],
    );
  });

  it('names what would have to be run', () => {
    const { unread } = read(
      'x = {}\nx.a = 1\nrequire("b")\nfor i=1,2 do x = i end\nfunction f() end',
    );
    assert.deepEqual(unread, [
      { line: 2, what: 'an assignment to a part of a table' },
      { line: 3, what: 'a call of a function' },
      { line: 4, what: 'a statement that would have to be run' },
      { line: 5, what: 'a function' },
    ]);
  });

  it('a byte order mark is no Lua, and harmless', () => {
    assert.equal(read('\ufeffx = 1').values.get('x')?.kind, 'number');
  });

  for (const [name, source, message] of bad) {
    it(`refused: ${name}`, () => assert.throws(() => read(source), { name: 'LuaError', message }));
  }

  it('gives values or a LuaError, whatever comes', () => {
    const pieces = fc.constantFrom(
      'x',
      '=',
      '{',
      '}',
      ',',
      '"a"',
      '..',
      '1',
      '-',
      '[[',
      ']]',
      '--',
      '\n',
      '[',
      ']',
      'function',
      'end',
      '(',
      ')',
      'local',
    );
    const source = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(source, (text) => {
        try {
          read(text);
        } catch (error) {
          assert.ok(error instanceof LuaError);
        }
      }),
    );
  });
});
