/**
 * Bundles the web page: gateway/http/dashboard/ → dist/dashboard/, each file compressed beside itself. Names of scripts and styles
 * hold a digest of their contents, so that browsers may keep them for ever; index.html alone names them.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = 'gateway/http/dashboard';

/**
 * What mqtt.js and what comes with it (readable-stream, buffer) ask for and a page does not have or need, in as few words: Node's globals,
 * its log, timers of workers (made of text, which the page's policy refuses), sockets of Node, its own package.json, the memory for
 * topic aliases, which the page does not use.
 */
const PROCESS = '{ nextTick: (work, ...args) => queueMicrotask(() => work(...args)), env: {} }';
const STAND_INS = {
  'page-globals': `export const process = ${PROCESS}; export { Buffer } from 'buffer'`,
  'process/': `module.exports = ${PROCESS}`,
  debug: 'module.exports = () => () => {}',
  'worker-timers': 'module.exports = {}',
  ws: 'module.exports = {}',
  'lru-cache': 'exports.LRUCache = class extends Map { constructor() { super(); } }',
  '../../package.json': 'exports.version = ""',
};
const standIns = {
  name: 'stand-ins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) =>
      Object.hasOwn(STAND_INS, path) ? { path, namespace: 'stand-in' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'stand-in' }, ({ path }) => ({
      contents: STAND_INS[path],
      resolveDir: ROOT,
    }));
  },
};

/** Returns what a browser that knows gzip fetches for all of it, in bytes. */
export async function bundleDashboard(outputFolder = join(ROOT, 'dist/dashboard')) {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [`${SOURCE}/main.tsx`, `${SOURCE}/main.css`],
    outdir: outputFolder,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome100', 'firefox100', 'safari15.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    inject: ['page-globals'],
    plugins: [standIns],
  });
  const files = new Map(
    result.outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]),
  );
  files.set('index.html', Buffer.from(await page([...files.keys()])));
  // Without its blanks, a seventh smaller with gzip.
  const schema = JSON.parse(await readFile(join(ROOT, 'deploy/config.schema.json'), 'utf8'));
  files.set('config.schema.json', Buffer.from(JSON.stringify(schema)));
  return await write(files, outputFolder);
}

/** The page with the names that the files have now. */
async function page(names) {
  const html = await readFile(join(ROOT, SOURCE, 'index.html'), 'utf8');
  return html.replace(/main\.(js|css)/g, (_, ending) =>
    names.find((name) => name.startsWith('main-') && name.endsWith(`.${ending}`)),
  );
}

/** A folder of its own first: a running gateway serves the old page or the new one. */
async function write(files, outputFolder) {
  const temporary = `${outputFolder}.${process.pid}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  let compressedBytes = 0;
  for (const [name, contents] of files) {
    const gzip = gzipSync(contents, { level: 9 });
    const brotli = brotliCompressSync(contents, {
      params: { [zlib.BROTLI_PARAM_SIZE_HINT]: contents.length },
    });
    compressedBytes += gzip.length;
    await writeFile(join(temporary, name), contents);
    await writeFile(join(temporary, `${name}.gz`), gzip);
    await writeFile(join(temporary, `${name}.br`), brotli);
  }
  await rm(outputFolder, { recursive: true, force: true });
  await rename(temporary, outputFolder);
  return { compressedBytes };
}
