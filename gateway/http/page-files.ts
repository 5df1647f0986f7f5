/**
 * The files of the web page, as `deploy/build-dashboard.mjs` writes them: each with `.br` and `.gz` beside it. Only names
 * that were found in the folder are opened; nothing of a request ever becomes part of a path.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { type Answer, problem, sendAnswer } from './answer.ts';
import type { PageConfig } from './page-routes.ts';
import type { HttpCall, Route } from './route.ts';

const INDEX = 'index.html';
/** A page has some dozen files; a folder with more is another. */
const MAX_FILES = 1_000;
/** What waits in memory for a browser that reads slowly. */
const READ_BYTES = 16 * 1024;

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.webmanifest', 'application/manifest+json'],
]);

/** The best first. */
const ENCODINGS = [
  { coding: 'br', ending: '.br' },
  { coding: 'gzip', ending: '.gz' },
] as const;

type Coding = (typeof ENCODINGS)[number]['coding'] | 'identity';

/** esbuild's: such a file never changes. */
const NAME_WITH_DIGEST = /-[A-Z0-9]{8}\.\w+$/;
const IMMUTABLE = 'public, max-age=31536000, immutable';

const NOT_FOUND = problem(404, 'not-found', 'no such file of the web page');
const NO_PAGE = problem(
  404,
  'no-page',
  'the web page is not beside this program: `npm run build` makes it (dist/dashboard). The API is at /api/v1/, see /api/v1/openapi.json',
);

interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly isImmutable: boolean;
  /** Without quotes and coding. */
  readonly mark: string;
  /** Of each form that is there. */
  readonly bytes: ReadonlyMap<Coding, number>;
}

interface PageFolder {
  /** An update replaces the folder as a whole. */
  readonly version: string;
  readonly files: ReadonlyMap<string, PageFile>;
}

export function pageFileRoutes(config: PageConfig, folder: string): Route[] {
  const page = new Page(folder);
  return [
    {
      path: /^\/config\.json$/,
      access: 'everybody',
      handle: ({ response }) => sendAnswer(response, { status: 200, body: config }),
    },
    {
      path: /^\/([^/]*)$/,
      access: 'everybody',
      handle: (call) => page.send(call.captured[0] || INDEX, call),
    },
  ];
}

class Page {
  readonly #path: string;
  #folder: Promise<PageFolder> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async send(name: string, { request, response }: HttpCall): Promise<void> {
    const file = await this.#find(name);
    if (response.destroyed) return;
    if (!('path' in file)) {
      sendAnswer(response, file);
      return;
    }
    const { coding, ending } = chooseForm(file, request.headers['accept-encoding']);
    const etag = `"${file.mark}${ending}"`;
    const headers = headersFor(request, file, etag);
    // `origin` may be there.
    response.appendHeader('vary', 'accept-encoding');
    if (isKnown(request, etag)) {
      response.writeHead(304, headers).end();
      return;
    }
    if (coding !== 'identity') response.setHeader('content-encoding', coding);
    response.writeHead(200, { ...headers, 'content-length': file.bytes.get(coding) ?? 0 });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    await sendFile(file.path + ending, file.bytes.get(coding) ?? 0, response);
  }

  async #find(name: string): Promise<PageFile | Answer> {
    const version = await versionOf(this.#path);
    if (version === undefined) return NO_PAGE;
    const known = await this.#folder?.catch(() => undefined);
    if (known?.version !== version) this.#folder = readFolder(this.#path, version);
    const folder = await this.#folder;
    return folder?.files.get(name) ?? (name === INDEX ? NO_PAGE : NOT_FOUND);
  }
}

/** The last bytes go with the end: a browser asks for the next file as soon as it has this one. */
async function sendFile(path: string, bytes: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let left = bytes;
  if (left === 0) response.end();
  try {
    const chunks = createReadStream(path, { highWaterMark: READ_BYTES, signal: gone.signal });
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      left -= chunk.length;
      if (left <= 0) {
        response.end(chunk);
        return;
      }
      if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal });
    }
  } catch (error) {
    // Who hangs up in the middle is no fault of ours.
    if (!gone.signal.aborted) throw error;
  }
  // Shorter than it was: an update came in between.
  if (left > 0) response.destroy();
}

/** undefined: there is none. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs } = await stat(path);
    return `${ino}-${mtimeMs}`;
  } catch {
    // Not built, or being replaced at this moment.
    return undefined;
  }
}

async function readFolder(path: string, version: string): Promise<PageFolder> {
  const names = (await readdir(path)).slice(0, MAX_FILES);
  const all = new Set(names);
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const type = TYPES.get(extname(name));
    if (type !== undefined) files.set(name, await describeFile(join(path, name), name, type, all));
  }
  return { version, files };
}

async function describeFile(
  path: string,
  name: string,
  type: string,
  all: ReadonlySet<string>,
): Promise<PageFile> {
  const isImmutable = NAME_WITH_DIGEST.test(name);
  const bytes = new Map<Coding, number>([['identity', (await stat(path)).size]]);
  for (const { coding, ending } of ENCODINGS) {
    if (all.has(name + ending)) bytes.set(coding, (await stat(path + ending)).size);
  }
  // Not size and time: images of containers have one time for all their files.
  const mark = isImmutable ? name : digestOf(await readFile(path));
  return { path, type, isImmutable, mark, bytes };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}

/** RFC 9110 §12.5.3. */
function chooseForm(
  { bytes }: PageFile,
  accepted = '',
): { readonly coding: Coding; readonly ending: string } {
  const weights = new Map(
    accepted.split(',').map((item) => {
      const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [coding, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  const isWanted = (coding: string) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0;
  const best = ENCODINGS.find(({ coding }) => bytes.has(coding) && isWanted(coding));
  return best ?? { coding: 'identity', ending: '' };
}

/** RFC 9110 §13.1.2. */
function isKnown({ headers }: IncomingMessage, etag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  return known.trim() === '*' || known.split(',').some((item) => item.trim() === etag);
}

function headersFor(
  request: IncomingMessage,
  { type, isImmutable }: PageFile,
  etag: string,
): Record<string, string> {
  return {
    'content-type': type,
    'cache-control': isImmutable ? IMMUTABLE : 'no-cache',
    etag,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': contentSecurityPolicy(request.headers.host),
    // For browsers that do not know frame-ancestors.
    'x-frame-options': 'DENY',
  };
}

/** Scripts and styles are files of ours; pictures and video also what a script has put together. */
function contentSecurityPolicy(host = ''): string {
  // WebKit before Safari 15.4 did not take 'self' to mean WebSockets of the same host.
  const sockets = /^[\w.:[\]-]{1,255}$/.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    `connect-src 'self'${sockets}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
