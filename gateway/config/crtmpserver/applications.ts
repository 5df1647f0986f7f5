/** The applications of the ancestor's configuration, and what of each has no counterpart. */
import { resolve } from 'node:path';
import { type ApplicationLogins, type Login, readLogins } from './logins.ts';
import type { LuaFields } from './lua-fields.ts';
import { at } from './piece.ts';

/** More are taken as "every one": the schema's bound. */
const MAX_APPS = 64;

export interface Application {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly fields: LuaFields;
  /** Takes every connection, and hands it to the application that connect names. */
  readonly isDefault: boolean;
  readonly logins: ApplicationLogins;
  /** Where its relative paths may lead. */
  readonly folders: readonly string[];
}

export function readApplications(
  list: LuaFields | undefined,
  folder: string,
  remarks: string[],
): Application[] {
  if (list === undefined) return [];
  const root = list.text('rootDirectory') ?? 'applications';
  for (const { key, value } of list.rest()) {
    remarks.push(`line ${value.line}: applications.${key}: not known`);
  }
  return list.tables().map((fields) => {
    const name = fields.text('name') ?? 'without a name';
    fields.text('description');
    fields.text('protocol');
    const folders = [folder, resolve(folder, root, name)];
    return {
      name,
      aliases: fields.table('aliases')?.texts() ?? [],
      fields,
      isDefault: fields.flag('default') ?? false,
      logins: readLogins(fields, folders, remarks),
      folders,
    };
  });
}

/** The names that clients of its acceptors may say: those of all where it hands connections on; else any. */
export function appsOf(application: Application, all: readonly Application[]): string[] {
  if (!application.isDefault) return ['*'];
  const names = new Set(all.flatMap(({ name, aliases }) => [name, ...aliases]));
  return names.size <= MAX_APPS ? [...names] : ['*'];
}

/** The login of who publishes by RTMP through the acceptors of this one. */
export function rtmpLoginOf(application: Application, all: readonly Application[]): Login {
  const own = application.logins.rtmp;
  if (!application.isDefault || own.kind !== 'open') return own;
  const others = all.filter((other) => other !== application && other.logins.rtmp.kind !== 'open');
  const [first, ...more] = others;
  if (first === undefined) return own;
  const login = first.logins.rtmp;
  if (login.kind !== 'login') return login;
  const words = `the login of the application ${first.name}; here it is asked of all who publish through this acceptor`;
  const left =
    more.length === 0
      ? []
      : [`the logins of ${more.map(({ name }) => name).join(', ')} are left out`];
  return { ...login, remarks: [words, ...left, ...login.remarks] };
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['library', 'programs made for crtmpserver cannot be loaded; see extensions'],
  ['script', 'Lua scripts are not run; see extensions'],
  ['vmType', 'Lua scripts are not run; see extensions'],
  ['rtcpDetectionInterval', 'media is passed on at once here'],
  [
    'maxRtmpOutBuffer',
    'limits.queueMaxBytes bounds each stream to each target, and whole GOPs are dropped',
  ],
  ['maxRtspOutBuffer', 'queues are bounded by themselves here'],
  ['enableCheckBandwidth', 'no counterpart'],
  ['hasStreamAliases', 'no counterpart'],
  ['keyframeSeek', 'seeking goes to keyframes here'],
  ['seekGranularity', 'seeking goes to keyframes here'],
  ['clientSideBuffer', 'no counterpart'],
]);

/** To be called when all that has a counterpart has been read. */
export function sayTheRest({ name, fields }: Application, remarks: string[]): void {
  if (fields.flag('validateHandshake') === true) {
    remarks.push(
      `${at(fields.line, name)}: validateHandshake: clients with a plain handshake are taken too here`,
    );
  }
  for (const { key, value } of fields.rest()) {
    remarks.push(`${at(value.line, name)}: ${key}: ${WORDS.get(key) ?? 'no counterpart here'}`);
  }
}
