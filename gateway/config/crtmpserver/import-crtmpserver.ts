/**
 * `crtmpserver.lua` → `sluice.yaml`. What cannot be taken over, or means something else here, is a comment with
 * the line. Each entry must pass the checks of a configuration, by itself and beside the acceptors; one that
 * does not stands as a comment too, so that the result can always be run.
 */
import { VERSION } from '../../version.ts';
import { ConfigError } from '../config-error.ts';
import { isMap } from '../describe-issue.ts';
import { parseHostPort } from '../fields.ts';
import { parseConfig } from '../load.ts';
import type { LogLevel } from '../schema.ts';
import { readAcceptor } from './acceptors.ts';
import {
  type Application,
  appsOf,
  readApplications,
  rtmpLoginOf,
  sayTheRest,
} from './applications.ts';
import { LuaError, readLua } from './lua-data.ts';
import { LuaFields } from './lua-fields.ts';
import { readMediaFolders } from './media-folders.ts';
import type { Piece } from './piece.ts';
import { type Entry, RemarkedYaml } from './remarked-yaml.ts';
import { readSource } from './sources.ts';
import { readTarget } from './targets.ts';

export { LuaError };

export interface Imported {
  readonly yaml: string;
  /** Entries taken over, and those that stand as comments. */
  readonly taken: number;
  readonly leftOut: number;
}

/** The ancestor's levels, 0 FATAL to 6 FINEST. */
const LOG_LEVELS: readonly LogLevel[] = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'trace',
];

/** How the checks call the file. */
const CHECKED = 'sluice.yaml';

const ANY_PORT = '127.0.0.1:0';

type Tree = Readonly<Record<string, unknown>>;

/** `file`: its name for people; `folder`: where it is. Throws a LuaError. */
export function importCrtmpserver(bytes: Uint8Array, file: string, folder: string): Imported {
  const remarks: string[] = [];
  const root = readRoot(bytes, remarks);
  root.text('pathSeparator');
  if (root.flag('daemon') === true) {
    remarks.push('daemon: Sluice stays in the foreground; systemd and the like keep it');
  }
  const level = readLogLevel(root, remarks);
  const applications = readApplications(root.table('applications'), folder, remarks);
  const check = (tree: Tree) => problemOf(tree, folder);

  const acceptors = checked(
    applications.flatMap((application) => acceptorsOf(application, applications)),
    (values, piece) => check({ acceptors: [...values, piece.value] }),
  );
  const beside = { acceptors: valuesOf(acceptors) };
  const streams = checked(applications.flatMap(sourcesOf), (_, { name = '', value }) =>
    check({ ...beside, streams: { [name]: value } }),
  );
  const abort = abortOf(applications);
  const targets = checked(applications.flatMap(targetsOf), (values, { value }) =>
    check({ ...beside, proxypublish: { targets: [...values, value] } }),
  );
  const { vod, recording } = readMediaFolders(applications, folder, remarks);
  sayApart(applications, remarks);
  for (const application of applications) sayTheRest(application, remarks);
  for (const { key, value } of root.rest()) {
    remarks.push(`line ${value.line}: ${key}: ${ROOT_WORDS.get(key) ?? 'no counterpart here'}`);
  }

  const yaml = new RemarkedYaml([
    `Made from ${file} by sluice ${VERSION}. What is different here stands beside it, with the line of that file.`,
  ]);
  if (level !== undefined) yaml.add('log', { level: level.level }, [level.remark]);
  yaml.add('discovery', { onvif: false, mdns: false }, [
    'crtmpserver looked for no cameras; without these two keys Sluice does',
  ]);
  yaml.addEntries('streams', 'map', streams);
  yaml.addEntries('acceptors', 'list', acceptors);
  yaml.addEntriesWithin('proxypublish', abort, 'targets', targets);
  if (recording !== undefined) {
    yaml.add('recording', { dir: escaped(recording.dir) }, [recording.remark]);
  }
  if (vod !== undefined) yaml.add('vod', { dir: escaped(vod.dir) }, [vod.remark]);
  keepApart(yaml, portsOf(beside.acceptors), folder);
  const text = yaml.toString(remarks.length > 0 ? ['Not taken over:', ...remarks] : []);
  parseConfig(text, { file: CHECKED, folder, env: {} });
  const entries = [...acceptors, ...streams, ...targets];
  const taken = entries.filter(isTaken).length;
  return { yaml: text, taken, leftOut: entries.length - taken };
}

function readRoot(bytes: Uint8Array, remarks: string[]): LuaFields {
  const { values, unread } = readLua(bytes);
  const configuration = values.get('configuration');
  if (configuration?.kind !== 'table') throw new LuaError('there is no table "configuration"');
  for (const { line, what } of unread) remarks.push(`line ${line}: ${what}: nothing is run`);
  for (const [name, { line }] of values) {
    if (name !== 'configuration') remarks.push(`line ${line}: the variable ${name} is not used`);
  }
  return new LuaFields(configuration, remarks);
}

const ROOT_WORDS: ReadonlyMap<string, string> = new Map([
  ['instancesCount', 'one process serves all'],
]);

function readLogLevel(root: LuaFields, remarks: string[]) {
  const appenders = root.table('logAppenders')?.tables() ?? [];
  let most: { readonly level: LogLevel; readonly remark: string } | undefined;
  let highest = -1;
  for (const appender of appenders) {
    const line = appender.lineOf('level');
    const number = appender.number('level');
    const level = LOG_LEVELS[number ?? -1];
    if (number !== undefined && level !== undefined && number > highest) {
      highest = number;
      most = { level, remark: `line ${line}: level ${number}; info is enough for most` };
    }
    const type = appender.text('type');
    if (type === 'file') {
      remarks.push(`line ${appender.line}: a log file: Sluice writes to stdout; journald keeps it`);
    }
  }
  return most;
}

function acceptorsOf(application: Application, all: readonly Application[]): Piece[] {
  const { name, fields, logins, folders } = application;
  const context = {
    application: name,
    rtmp: rtmpLoginOf(application, all),
    rtsp: logins.rtsp,
    apps: appsOf(application, all),
    folders,
  };
  return pieces(fields.table('acceptors'), (each, remarks) => readAcceptor(each, remarks, context));
}

function sourcesOf({ name, fields }: Application): Piece[] {
  return pieces(fields.table('externalStreams'), (each, remarks) =>
    readSource(each, remarks, name),
  );
}

function targetsOf({ name, fields }: Application): Piece[] {
  return pieces(fields.table('targetServers'), (each, remarks) => readTarget(each, remarks, name));
}

function pieces(
  list: LuaFields | undefined,
  read: (fields: LuaFields, remarks: string[]) => Piece,
): Piece[] {
  const remarks: string[][] = [];
  const remarksFor = () => {
    const own: string[] = [];
    remarks.push(own);
    return own;
  };
  const tables = list?.tables(remarksFor) ?? [];
  return tables.map((fields, index) => read(fields, remarks[index] ?? []));
}

function abortOf(applications: readonly Application[]) {
  const found = applications.flatMap(({ fields }) => {
    const line = fields.lineOf('abortOnConnectError');
    return fields.flag('abortOnConnectError') === true ? [line] : [];
  });
  const [line] = found;
  if (line === undefined) return [];
  const remark = `line ${line}: this did nothing in crtmpserver; here the service ends (exit code 1) when a target refuses at start`;
  return [{ key: 'abortOnConnectError', value: true, remark }];
}

/** `problem`: what is wrong with a piece, beside the values taken before it. */
function checked(
  all: readonly Piece[],
  problem: (values: readonly Tree[], piece: Piece) => string | undefined,
): Entry[] {
  const values: Tree[] = [];
  const names = new Set<string>();
  return all.map((unescaped) => {
    const piece = { ...unescaped, value: escaped(unescaped.value) };
    const { name, value } = piece;
    if (value === undefined) return piece;
    const isDouble = name !== undefined && names.has(name);
    const refusal = isDouble ? `there is another stream called ${name}` : problem(values, piece);
    if (refusal !== undefined) return { ...piece, refusal };
    values.push(value);
    if (name !== undefined) names.add(name);
    return piece;
  });
}

/** A dollar and a brace would ask for the environment. */
function escaped<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${') as T;
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)])) as T;
}

function isTaken({ value, refusal }: Entry): boolean {
  return value !== undefined && refusal === undefined;
}

function valuesOf(entries: readonly Entry[]): Tree[] {
  return entries.flatMap((entry) => (isTaken(entry) && entry.value ? [entry.value] : []));
}

/** JSON is YAML. Our own page and broker have no say in who has which port. */
function problemOf(tree: Tree, folder: string): string | undefined {
  const aside = { http: { listen: ANY_PORT }, mqtt: { embedded: { listen: ANY_PORT } } };
  try {
    parseConfig(JSON.stringify({ ...aside, ...tree }), { file: CHECKED, folder, env: {} });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replace(`${CHECKED}: `, '');
  }
}

function sayApart(applications: readonly Application[], remarks: string[]): void {
  if (applications.length < 2) return;
  remarks.unshift(
    'crtmpserver kept the streams of each application apart: a target got those of its own only. Here a stream of any acceptor goes to every target whose localStreamName is its name.',
  );
}

function portsOf(acceptors: readonly Tree[]): ReadonlySet<number> {
  const listens = acceptors
    .filter(({ protocol }) => protocol !== 'mpegts-udp')
    .map(({ listen }) => parseHostPort(String(listen))?.port ?? 0);
  return new Set(listens);
}

/** What Sluice has and the ancestor had not must not take the ports that others know. */
function keepApart(yaml: RemarkedYaml, ports: ReadonlySet<number>, folder: string): void {
  const { http, mqtt } = parseConfig('', { file: CHECKED, folder, env: {} });
  const taken = new Set(ports);
  const elsewhere = (listen: string): string | undefined => {
    const address = parseHostPort(listen);
    if (address === undefined || !taken.has(address.port)) return undefined;
    let { port } = address;
    while (taken.has(port)) port += 1;
    taken.add(port);
    return `${address.host}:${port}`;
  };
  const httpListen = elsewhere(http.listen);
  const brokerListen = elsewhere(mqtt.embedded.listen);
  const words = 'its usual port is taken by an acceptor above';
  if (httpListen !== undefined) yaml.add('http', { listen: httpListen }, [words]);
  if (brokerListen !== undefined) yaml.add('mqtt', { embedded: { listen: brokerListen } }, [words]);
}
