/**
 * Who may publish, as the ancestor has it: `authentication` in an application, and a users file, which is
 * another Lua file with `users` (name = password) and, for RTSP, `realms`, of which it used the first.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LuaError, MAX_LUA_BYTES, readLua } from './lua-data.ts';
import { LuaFields } from './lua-fields.ts';

export type Login =
  /** Everybody may. */
  | { readonly kind: 'open' }
  | {
      readonly kind: 'login';
      readonly username: string;
      readonly password: string;
      readonly remarks: readonly string[];
    }
  /** There is a login, but not which. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface ApplicationLogins {
  readonly rtmp: Login;
  readonly rtsp: Login;
}

const OPEN: Login = { kind: 'open' };

/** `folders`: where a relative users file may be. */
export function readLogins(
  application: LuaFields,
  folders: readonly string[],
  remarks: string[],
): ApplicationLogins {
  const authentication = application.table('authentication');
  if (authentication === undefined) return { rtmp: OPEN, rtsp: OPEN };
  const rtmp = authentication.table('rtmp');
  const rtsp = authentication.table('rtsp');
  for (const { key, value } of authentication.rest()) {
    remarks.push(`line ${value.line}: authentication.${key}: not known`);
  }
  return {
    rtmp: rtmp === undefined ? OPEN : readRtmp(rtmp, folders),
    rtsp: rtsp === undefined ? OPEN : readUsers(rtsp, folders, true),
  };
}

function readRtmp(rtmp: LuaFields, folders: readonly string[]): Login {
  const { line } = rtmp;
  const login = readUsers(rtmp, folders, false);
  const agents = rtmp.table('encoderAgents')?.texts() ?? [];
  if (login.kind !== 'login' || agents.length === 0) return login;
  const words = `line ${line}: encoderAgents: here the login counts, and not what an encoder calls itself; playing needs none, as before`;
  return { ...login, remarks: [...login.remarks, words] };
}

function readUsers(fields: LuaFields, folders: readonly string[], hasRealms: boolean): Login {
  const { line } = fields;
  const path = fields.text('usersFile');
  if (path === undefined) return { kind: 'unknown', why: `line ${line}: it names no usersFile` };
  const bytes = readFirst(folders.map((folder) => resolve(folder, path)));
  if (bytes === undefined) {
    return {
      kind: 'unknown',
      why: `line ${line}: the usersFile ${path} is not there: put it beside the configuration and import again`,
    };
  }
  try {
    return chooseUser(bytes, path, hasRealms);
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    return { kind: 'unknown', why: `the usersFile ${path}: ${error.message}` };
  }
}

function chooseUser(bytes: Uint8Array, path: string, hasRealms: boolean): Login {
  const { values } = readLua(bytes);
  const users = values.get('users');
  if (users?.kind !== 'table') return { kind: 'unknown', why: `${path} has no table "users"` };
  const passwords = new Map<string, string>();
  for (const { key, value } of users.fields) {
    if (key !== undefined && value.kind === 'text') passwords.set(key, value.value);
  }
  const realms = hasRealms ? values.get('realms') : undefined;
  const ofRealm =
    realms?.kind === 'table'
      ? new LuaFields(realms, []).tables()[0]?.table('users')?.texts()
      : undefined;
  const names = (ofRealm ?? [...passwords.keys()]).filter((name) => passwords.has(name));
  const [username, ...others] = names;
  const password = username === undefined ? undefined : passwords.get(username);
  if (username === undefined || password === undefined) {
    return { kind: 'unknown', why: `${path} names no user with a password` };
  }
  const remarks =
    others.length === 0
      ? []
      : [`${path}: an acceptor has one login here: left out ${others.join(', ')}`];
  return { kind: 'login', username, password, remarks };
}

function readFirst(paths: readonly string[]): Uint8Array | undefined {
  for (const path of paths) {
    try {
      return readFileSync(path).subarray(0, MAX_LUA_BYTES + 1);
    } catch {
      // The next folder may have it.
    }
  }
  return undefined;
}
