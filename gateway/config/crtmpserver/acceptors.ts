/** Acceptors: where the ancestor listens, and for what. */
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { toName } from '../../names.ts';
import type { Login } from './logins.ts';
import type { LuaFields } from './lua-fields.ts';
import { at, type Piece, withoutUndefined } from './piece.ts';

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['inboundRtmp', 'rtmp'],
  ['inboundRtmps', 'rtmps'],
  ['inboundRtmpt', 'rtmpt'],
  ['inboundLiveFlv', 'liveflv'],
  ['inboundTcpTs', 'mpegts-tcp'],
  ['inboundUdpTs', 'mpegts-udp'],
  ['inboundRtsp', 'rtsp'],
]);

const RTMP_FAMILY: ReadonlySet<string> = new Set(['rtmp', 'rtmps', 'rtmpt']);

const INSTEAD: readonly (readonly [pattern: RegExp, words: string])[] = [
  [
    /JsonCli$/,
    'its commands are answered over HTTP (/api/v1/) and MQTT here, and there is nothing to listen on',
  ],
  [/Variant$/, 'typed messages for programs made with crtmpserver; see extensions'],
  [/echoProtocol$/i, 'a sample of crtmpserver; see extensions'],
];

/** Keys without which the same happens, or something better. */
const NEEDLESS: ReadonlyMap<string, string> = new Map([
  ['cipherSuite', 'the ciphers are chosen by Node'],
  ['fireOnlyOnce', 'the acceptor stays open here'],
]);

export interface AcceptorContext {
  readonly application: string;
  readonly rtmp: Login;
  readonly rtsp: Login;
  /** What clients may name in connect. */
  readonly apps: readonly string[];
  /** Where a relative key or certificate may be. */
  readonly folders: readonly string[];
}

/** `remarks`: what the fields' reader has complained about. */
export function readAcceptor(
  fields: LuaFields,
  remarks: string[],
  context: AcceptorContext,
): Piece {
  const where = at(fields.line, context.application);
  const ip = fields.text('ip');
  const port = fields.number('port');
  const ancestor = fields.text('protocol') ?? 'no protocol';
  const protocol = PROTOCOLS.get(ancestor);
  if (protocol === undefined) {
    const words = INSTEAD.find(([pattern]) => pattern.test(ancestor))?.[1] ?? 'no counterpart here';
    const place = `${ip ?? 'no ip'}:${port ?? 'no port'}`;
    return { value: undefined, remarks: [`${where}: ${ancestor} on ${place}: ${words}`] };
  }
  remarks.unshift(where);
  const login = loginFor(protocol, context);
  const value = withoutUndefined({
    protocol,
    listen: `${bracketed(ip ?? '0.0.0.0')}:${port ?? 0}`,
    certFile: fileOf(fields, 'sslCert', remarks, context),
    keyFile: fileOf(fields, 'sslKey', remarks, context),
    apps: RTMP_FAMILY.has(protocol) ? context.apps : undefined,
    localStreamName: nameOf(fields, remarks),
    publish: login?.kind === 'login' ? credentials(login) : undefined,
    play: login?.kind === 'login' && protocol === 'rtsp' ? credentials(login) : undefined,
  });
  sayMetadata(fields, protocol, remarks);
  for (const { key, value: unknown } of fields.rest()) {
    remarks.push(`line ${unknown.line}: ${key}: ${NEEDLESS.get(key) ?? 'no counterpart here'}`);
  }
  if (port === undefined) remarks.push(`line ${fields.line}: there is no port`);
  if (login?.kind === 'login') remarks.push(...login.remarks);
  if (login?.kind === 'unknown') {
    remarks.push(`left out, so that nobody publishes without a login: ${login.why}`);
    return { value: undefined, remarks };
  }
  return { value, remarks };
}

function loginFor(protocol: string, { rtmp, rtsp }: AcceptorContext): Login | undefined {
  if (RTMP_FAMILY.has(protocol)) return rtmp;
  return protocol === 'rtsp' ? rtsp : undefined;
}

function credentials({ username, password }: Extract<Login, { kind: 'login' }>) {
  return { username, password };
}

function nameOf(fields: LuaFields, remarks: string[]): string | undefined {
  const line = fields.lineOf('localStreamName');
  const written = fields.text('localStreamName');
  if (written === undefined) return undefined;
  const name = toName(written, '');
  if (name !== written) remarks.push(`line ${line}: "${written}" is called ${name} here`);
  return name;
}

function sayMetadata(fields: LuaFields, protocol: string, remarks: string[]): void {
  const line = fields.lineOf('waitForMetadata');
  const waits = fields.flag('waitForMetadata');
  if (protocol !== 'liveflv' || waits === true) return;
  remarks.push(
    `line ${line}: without waitForMetadata, streamName in onMetaData was not looked at; here it is, and comes first`,
  );
}

/** The first place where it is; a file that is not there yet is waited for by the acceptor. */
function fileOf(
  fields: LuaFields,
  key: string,
  remarks: string[],
  { folders }: AcceptorContext,
): string | undefined {
  const line = fields.lineOf(key);
  const path = fields.text(key);
  if (path === undefined) return undefined;
  const paths = folders.map((folder) => resolve(folder, path));
  const found = paths.find((each) => existsSync(each));
  if (found === undefined) {
    remarks.push(`line ${line}: there is no file ${path} beside the configuration: give its place`);
  }
  return found ?? paths[0];
}

function bracketed(ip: string): string {
  return isIPv6(ip) ? `[${ip}]` : ip;
}
