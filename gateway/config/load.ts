/**
 * From a YAML file to a frozen `Config`: syntax, `${ENV}`, schema, checks between keys, secrets
 * from files. Relative paths are relative to the file's folder (without a file: where we run).
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { registerSecret, registerUrlSecrets, scrub } from '../secrets.ts';
import { ConfigError, failAt, type KeyPath } from './config-error.ts';
import { checkBetweenKeys } from './cross-checks.ts';
import { describeIssues, isMap } from './describe-issue.ts';
import {
  type AcceptorConfig,
  type Config,
  configSchema,
  type HttpConfig,
  type LoginConfig,
  type TargetConfig,
} from './schema.ts';

/** No configuration is longer; a wrong file (a video, a core) is refused before it is parsed. */
export const MAX_FILE_BYTES = 1024 * 1024;
const MAX_SECRET_BYTES = 4096;

/** What programs send can be long; ten guesses a minute find nothing in it. */
const MIN_TOKEN_LENGTH = 16;

/** The schema is 5 deep; an alias to itself is endless. */
const MAX_DEPTH = 16;

export interface LoadOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Instead of gateway.dataDir: the command line's --data-dir, relative to where we run. */
  readonly dataDir?: string | undefined;
}

/** Throws a `ConfigError` whose message is one line. Without a path: all defaults. */
export function loadConfig(path: string | undefined, options: LoadOptions = {}): Config {
  const file = path ?? 'configuration';
  const source = path === undefined ? '' : readConfigText(path);
  const folder = path === undefined ? process.cwd() : dirname(resolve(path));
  const dataDir = options.dataDir === undefined ? undefined : resolve(options.dataDir);
  return parseConfig(source, { file, folder, env: options.env ?? process.env, dataDir });
}

/** Throws a `ConfigError`. */
export function readConfigText(path: string): string {
  return readText(path, [], path, MAX_FILE_BYTES);
}

export interface ParseContext {
  /** As the error line names it. */
  readonly file: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Instead of gateway.dataDir. */
  readonly dataDir?: string | undefined;
}

export function parseConfig(source: string, context: ParseContext): Config {
  const tree = substitute(readTree(source, context.file), [], context);
  registerUrls(tree);
  const result = configSchema.safeParse(tree);
  if (!result.success) {
    const { path, words } = describeIssues(result.error.issues, tree);
    failAt(context.file, path, words);
  }
  checkBetweenKeys(result.data, tree, context.file);
  return deepFreeze(resolveFiles(result.data, context));
}

/** What the text says, as it says it. A key with nothing after it counts as left out. */
export function readTree(source: string, file: string): unknown {
  return withoutEmpty(parseYaml(source, file), [], file);
}

function withoutEmpty(node: unknown, path: KeyPath, file: string): unknown {
  if (path.length > MAX_DEPTH) failAt(file, path.slice(0, 3), 'nested too deep');
  if (Array.isArray(node)) {
    return node.map((item, index) => withoutEmpty(item, [...path, index], file));
  }
  if (!isMap(node)) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, withoutEmpty(value, [...path, key], file)]),
  );
}

/** Tells configurations apart without telling secrets. */
export function configHash(config: Config): string {
  const text = JSON.stringify(config, (key, value: unknown) =>
    key === 'password' || key === 'token' || key === 'streamKey' ? undefined : value,
  );
  return createHash('sha256').update(scrub(text)).digest('hex').slice(0, 12);
}

function parseYaml(source: string, file: string): unknown {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(source, {
      lineCounter,
      prettyErrors: false,
      logLevel: 'error',
    });
    const error = document.errors[0];
    if (error === undefined) return document.toJS() ?? {};
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new ConfigError(`${file}:${line}:${col}: not valid YAML: ${oneLine(error.message)}`);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // Aliases that multiply without end or name nothing; nesting too deep to parse.
    failAt(file, [], `not valid YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function oneLine(text: string): string {
  return scrub(text).replace(/\s*\n\s*/g, ' ');
}

/** `${NAME}` in every text; `$${` stands for `${`. */
function substitute(node: unknown, path: KeyPath, context: ParseContext): unknown {
  if (typeof node === 'string') return substituteText(node, path, context);
  if (Array.isArray(node)) {
    return node.map((item, index) => substitute(item, [...path, index], context));
  }
  if (!isMap(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, substitute(value, [...path, key], context)]),
  );
}

function substituteText(text: string, path: KeyPath, { file, env }: ParseContext): string {
  return text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (whole, name: string | undefined) => {
    if (name === undefined) return '${';
    if (!whole.endsWith('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      failAt(file, path, 'expected the name of an environment variable in braces after the $');
    }
    const value = env[name];
    if (value === undefined) failAt(file, path, `the environment variable ${name} is not set`);
    return value;
  });
}

/** Before validation already, so that no error line shows what a URL carries. */
function registerUrls(node: unknown): void {
  if (typeof node === 'string') registerUrlSecrets(node);
  else if (Array.isArray(node)) for (const item of node) registerUrls(item);
  else if (isMap(node)) for (const value of Object.values(node)) registerUrls(value);
}

function resolveFiles(config: Config, context: ParseContext): Config {
  const { gateway, discovery, streams, acceptors, extensions, proxypublish, vod, mqtt, http } =
    config;
  const credentials = discovery.credentials.map((entry, index) =>
    withPassword(entry, ['discovery', 'credentials', index], context),
  );
  const resolvedStreams = Object.fromEntries(
    Object.entries(streams).map(([name, stream]) => [
      name,
      withCaFile(withPassword(stream, ['streams', name], context), ['streams', name], context),
    ]),
  );
  const resolvedAcceptors = acceptors.map((acceptor, index) =>
    withLogins(acceptor, ['acceptors', index], context),
  );
  const targets = proxypublish.targets.map((target, index) =>
    withStreamKey(
      withCaFile(target, ['proxypublish', 'targets', index], context),
      ['proxypublish', 'targets', index],
      context,
    ),
  );
  return {
    ...config,
    gateway: { ...gateway, dataDir: context.dataDir ?? resolve(context.folder, gateway.dataDir) },
    discovery: { ...discovery, credentials },
    streams: resolvedStreams,
    acceptors: resolvedAcceptors,
    extensions: extensions.map((extension) => ({
      ...extension,
      module: resolve(context.folder, extension.module),
    })),
    proxypublish: { ...proxypublish, targets },
    vod: vod.dir === undefined ? vod : { dir: resolve(context.folder, vod.dir) },
    mqtt: withCertificate(
      withCaFile(withPassword(mqtt, ['mqtt'], context), ['mqtt'], context),
      context,
    ),
    http: resolvedHttp(http, context),
  };
}

function resolvedHttp(http: HttpConfig, context: ParseContext): HttpConfig {
  const { admin, play, tokens } = http;
  return {
    ...withCertificate(http, context),
    admin: admin && withPassword(admin, ['http', 'admin'], context),
    tokens: tokens.map((entry, index) => machineToken(entry, ['http', 'tokens', index], context)),
    play: typeof play === 'object' ? withLogin(play, ['http', 'play'], context) : play,
  };
}

/** Looked at here, where the error does not show what is wrong with it. */
function machineToken(entry: MachineToken, path: KeyPath, context: ParseContext): MachineToken {
  const resolved = withToken(entry, path, context);
  if ((resolved.token ?? '').length < MIN_TOKEN_LENGTH) {
    const key = entry.tokenFile === undefined ? 'token' : 'tokenFile';
    const words = `expected a token of at least ${MIN_TOKEN_LENGTH} characters`;
    failAt(context.file, [...path, key], words);
  }
  return resolved;
}

interface MayHavePassword {
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** The same with the secret in `password`, wherever it came from; it is masked from now on. */
function withPassword<T extends MayHavePassword>(
  entry: T,
  path: KeyPath,
  context: ParseContext,
): T {
  const { passwordFile, ...rest } = entry;
  if (entry.password !== undefined) registerSecret(entry.password);
  if (passwordFile === undefined) return entry;
  const password = readSecret(passwordFile, [...path, 'passwordFile'], context);
  // What is left is T without one optional key, plus another optional key of T.
  return { ...rest, password } as T;
}

/** `publish` and `play` of an acceptor, with their secrets read, and the paths of its certificate. */
function withLogins(entry: AcceptorConfig, path: KeyPath, context: ParseContext): AcceptorConfig {
  const { publish, play } = entry;
  return {
    ...withCertificate(entry, context),
    publish: publish && withLogin(publish, [...path, 'publish'], context),
    play: play && withLogin(play, [...path, 'play'], context),
  };
}

interface MayHaveCertificate {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** They may come later than this service, and change: only the paths are looked at. */
function withCertificate<T extends MayHaveCertificate>(entry: T, context: ParseContext): T {
  const { certFile, keyFile } = entry;
  const at = (file: string | undefined) =>
    file === undefined ? undefined : resolve(context.folder, file);
  return { ...entry, certFile: at(certFile), keyFile: at(keyFile) };
}

function withLogin(entry: LoginConfig, path: KeyPath, context: ParseContext): LoginConfig {
  return withToken(withPassword(entry, path, context), path, context);
}

type MachineToken = HttpConfig['tokens'][number];

interface MayHaveToken {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

function withToken<T extends MayHaveToken>(entry: T, path: KeyPath, context: ParseContext): T {
  const { tokenFile, ...rest } = entry;
  if (entry.token !== undefined) registerSecret(entry.token);
  if (tokenFile === undefined) return entry;
  const token = readSecret(tokenFile, [...path, 'tokenFile'], context);
  // What is left is T without one optional key, plus another optional key of T.
  return { ...rest, token } as T;
}

function withStreamKey(entry: TargetConfig, path: KeyPath, context: ParseContext): TargetConfig {
  const { streamKeyFile, ...rest } = entry;
  if (rest.streamKey !== undefined) registerSecret(rest.streamKey);
  if (streamKeyFile === undefined) return rest;
  return { ...rest, streamKey: readSecret(streamKeyFile, [...path, 'streamKeyFile'], context) };
}

/** A trailing newline is not part of it. */
function readSecret(name: string, path: KeyPath, context: ParseContext): string {
  const whole = readText(context.file, path, resolve(context.folder, name), MAX_SECRET_BYTES);
  const secret = whole.replace(/\r?\n$/, '');
  if (secret === '') failAt(context.file, path, `the file ${name} is empty`);
  registerSecret(secret);
  return secret;
}

function withCaFile<T extends { readonly caFile?: string | undefined }>(
  entry: T,
  path: KeyPath,
  context: ParseContext,
): T {
  if (entry.caFile === undefined) return entry;
  const caFile = resolve(context.folder, entry.caFile);
  const pem = readText(context.file, [...path, 'caFile'], caFile, MAX_FILE_BYTES);
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    failAt(context.file, [...path, 'caFile'], `the file ${entry.caFile} holds no PEM certificate`);
  }
  return { ...entry, caFile };
}

function readText(file: string, path: KeyPath, name: string, maxBytes: number): string {
  try {
    const bytes = readAtMost(name, maxBytes + 1);
    if (bytes.length > maxBytes) failAt(file, path, `the file ${name} is over ${maxBytes} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    failAt(file, path, `cannot read the file ${name}: ${reasonOf(error)}`);
  }
}

/** A device may have no end, and a file be larger than memory. */
function readAtMost(name: string, maxBytes: number): Buffer {
  const bytes = Buffer.alloc(maxBytes);
  const file = openSync(name, 'r');
  try {
    let length = 0;
    let read: number;
    do {
      read = readSync(file, bytes, length, maxBytes - length, null);
      length += read;
    } while (read > 0 && length < maxBytes);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) return String(error);
  switch (error.code) {
    case 'ENOENT':
      return 'there is none';
    case 'EACCES':
      return 'no permission';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return String(error.code);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
