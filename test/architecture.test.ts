/** ARCHITECTURE.md, "Layers": imports point one way. Says so of every module, and that it saw them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

/** npm runs the tests in the repository's root; so does deploy/test.mjs. */
const ROOT = process.cwd();

interface Layer {
  readonly folders: readonly string[];
  /** Modules of Node's and packages; undefined: all. */
  readonly outside: readonly string[] | undefined;
  /** Likewise, but `import type` alone: they leave no trace at run time. */
  readonly outsideTypes: readonly string[];
  /** A rule that sees no module proves nothing. */
  readonly fewestModules: number;
}

const LAYERS: Readonly<Record<string, Layer>> = {
  codecs: { folders: ['codecs'], outside: [], outsideTypes: [], fewestModules: 8 },
  protocols: {
    folders: ['protocols', 'codecs'],
    outside: ['node:crypto', 'node:events', 'node:timers/promises', 'saxes'],
    outsideTypes: ['node:stream'],
    fewestModules: 12,
  },
  drivers: {
    folders: ['drivers', 'protocols', 'codecs'],
    outside: undefined,
    outsideTypes: [],
    fewestModules: 6,
  },
  gateway: {
    folders: ['gateway', 'drivers', 'protocols', 'codecs'],
    outside: undefined,
    outsideTypes: [],
    fewestModules: 20,
  },
};

/** Names that hide what a file holds; `index` files hide where a thing lives. */
const FORBIDDEN_NAMES = /^(index|utils?|helpers?|common|misc|types)\.ts$/;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

for (const [name, layer] of Object.entries(LAYERS)) {
  describe(`the layer ${name}/`, () => {
    const paths = modulesOf(name);

    it(`has at least ${layer.fewestModules} modules`, () => {
      assert.ok(paths.length >= layer.fewestModules, `saw ${paths.length}`);
    });

    it('imports only what lies at or below it', () => {
      const imports = paths.flatMap((path) =>
        importsOf(readFileSync(join(ROOT, path), 'utf8')).map((found) => ({ path, ...found })),
      );
      assert.ok(imports.length >= paths.length / 2, `saw only ${imports.length} imports`);
      const wrong = imports.filter((found) => !isAllowed(layer, found.path, found));
      assert.deepEqual(
        wrong.map(({ path, specifier }) => `${path} imports ${specifier}`),
        [],
      );
    });

    it('names each file for what it holds', () => {
      const bad = paths.filter((path) =>
        FORBIDDEN_NAMES.test(path.slice(dirname(path).length + 1)),
      );
      assert.deepEqual(bad, []);
    });
  });
}

/** It runs in browsers: of the service it may name types that come without Node's modules. */
describe('the web page', () => {
  const page = 'gateway/http/dashboard';
  const mqtt = ['mqtt', 'mqtt/lib/client', 'mqtt/lib/connect/ws'];
  const packages = ['preact', 'preact/hooks', '@preact/signals', ...mqtt];
  const isPage = (path: string) => path.startsWith(`${page}/`);
  const imports = modulesOf('gateway', /\.tsx?$/).flatMap((path) =>
    importsOf(readFileSync(join(ROOT, path), 'utf8')).map((found) => ({ path, ...found })),
  );
  const targetOf = (path: string, specifier: string) => normalize(join(dirname(path), specifier));

  it('imports itself, codecs/, its packages, and types of what is reported', () => {
    const own = imports.filter(({ path }) => isPage(path));
    assert.ok(own.length > 50, `saw only ${own.length} imports`);
    const wrong = own.filter(({ path, specifier, typeOnly }) => {
      if (!specifier.startsWith('.')) return !packages.includes(specifier);
      const target = targetOf(path, specifier);
      const isReported = /^gateway\/(report\/|http\/session-state\.ts$)/.test(target);
      return !isPage(target) && !target.startsWith('codecs/') && !(isReported && typeOnly);
    });
    assert.deepEqual(
      wrong.map(({ path, specifier }) => `${path} imports ${specifier}`),
      [],
    );
  });

  it('is imported by nothing of the service', () => {
    const wrong = imports.filter(
      ({ path, specifier }) =>
        !isPage(path) && specifier.startsWith('.') && isPage(targetOf(path, specifier)),
    );
    assert.deepEqual(
      wrong.map(({ path, specifier }) => `${path} imports ${specifier}`),
      [],
    );
  });
});

describe('this test', () => {
  const cases: { source: string; want: Import[] }[] = [
    { source: "import './a.ts';", want: [{ specifier: './a.ts', typeOnly: false }] },
    { source: "import a, { b } from 'x';", want: [{ specifier: 'x', typeOnly: false }] },
    {
      source: "import {\n  type A,\n  type B,\n} from '../y.ts';",
      want: [{ specifier: '../y.ts', typeOnly: false }],
    },
    { source: "import type { A } from 'x';", want: [{ specifier: 'x', typeOnly: true }] },
    { source: "export type { A } from './a.ts';", want: [{ specifier: './a.ts', typeOnly: true }] },
    { source: "export * from './a.ts';", want: [{ specifier: './a.ts', typeOnly: false }] },
    { source: "const a = await import('x');", want: [{ specifier: 'x', typeOnly: false }] },
    { source: "const a = require('node:fs');", want: [{ specifier: 'node:fs', typeOnly: false }] },
    { source: "type A = import('x').A;", want: [{ specifier: 'x', typeOnly: false }] },
    { source: 'export const from = 1;', want: [] },
  ];
  for (const { source, want } of cases) {
    it(`reads ${JSON.stringify(source)}`, () => assert.deepEqual(importsOf(source), want));
  }

  const codecs = LAYERS['codecs']!;
  const protocols = LAYERS['protocols']!;
  const refused: [Layer, string, Import][] = [
    [codecs, 'codecs/a.ts', { specifier: '../protocols/b.ts', typeOnly: true }],
    [codecs, 'codecs/h264/a.ts', { specifier: '../../gateway/b.ts', typeOnly: false }],
    [codecs, 'codecs/a.ts', { specifier: 'node:fs', typeOnly: false }],
    [codecs, 'codecs/a.ts', { specifier: 'fs', typeOnly: false }],
    [protocols, 'protocols/a.ts', { specifier: 'node:net', typeOnly: true }],
    [protocols, 'protocols/a.ts', { specifier: 'node:stream', typeOnly: false }],
    [protocols, 'protocols/a.ts', { specifier: 'pino', typeOnly: true }],
    [LAYERS['drivers']!, 'drivers/a.ts', { specifier: '../gateway/b.ts', typeOnly: true }],
    [LAYERS['gateway']!, 'gateway/a.ts', { specifier: '../test/b.ts', typeOnly: false }],
    [LAYERS['gateway']!, 'gateway/a.ts', { specifier: 'fs', typeOnly: false }],
  ];
  for (const [layer, path, found] of refused) {
    it(`refuses ${found.specifier} in ${path}`, () => assert.ok(!isAllowed(layer, path, found)));
  }
  it('lets a protocol name the type of a stream', () => {
    assert.ok(isAllowed(protocols, 'protocols/a.ts', { specifier: 'node:stream', typeOnly: true }));
  });
});

function modulesOf(folder: string, ending = /\.ts$/): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/** Specifiers of import and export declarations, of `import()` in code and in types, and of `require()`. */
function importsOf(source: string): Import[] {
  const declaration = /^(?:import|export)\s+(type\s+)?(?:[\w*$\s,{}]+?\sfrom\s+)?'([^']+)'/gm;
  const call = /\b(?:import|require)\(\s*'([^']+)'\s*\)/g;
  return [
    ...Array.from(source.matchAll(declaration), (match) => ({
      specifier: match[2] ?? '',
      typeOnly: match[1] !== undefined,
    })),
    ...Array.from(source.matchAll(call), (match) => ({
      specifier: match[1] ?? '',
      typeOnly: false,
    })),
  ];
}

function isAllowed(layer: Layer, path: string, { specifier, typeOnly }: Import): boolean {
  if (specifier.startsWith('.')) {
    const folder = normalize(join(dirname(path), specifier)).split('/')[0] ?? '';
    return layer.folders.includes(folder);
  }
  if (isBuiltin(specifier) && !specifier.startsWith('node:')) return false;
  if (layer.outside === undefined || layer.outside.includes(specifier)) return true;
  return typeOnly && layer.outsideTypes.includes(specifier);
}
