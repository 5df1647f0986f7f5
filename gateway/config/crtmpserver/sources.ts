/** externalStreams: what the ancestor pulls. */
import { toName } from '../../names.ts';
import type { LuaFields } from './lua-fields.ts';
import { at, type Piece, withoutUndefined } from './piece.ts';

const NEEDLESS: ReadonlyMap<string, string> = new Map([
  [
    'rtcpDetectionInterval',
    'media is passed on at once here, and clocks are set right when reports come',
  ],
  ['emulateUserAgent', 'sources have no such key here'],
  ['tcUrl', 'made from the source’s URL here'],
  ['swfUrl', 'sources have no such key here'],
  ['pageUrl', 'sources have no such key here'],
  ['rangeStart', 'sources are live here'],
  ['rangeEnd', 'sources are live here'],
]);

export function readSource(fields: LuaFields, remarks: string[], application: string): Piece {
  remarks.unshift(at(fields.line, application));
  const source = fields.text('uri');
  const nameLine = fields.lineOf('localStreamName');
  const written = fields.text('localStreamName');
  const name = toName(written ?? '', '');
  const value = withoutUndefined({ source, transport: transportOf(fields, source ?? '', remarks) });
  sayKeepAlive(fields, remarks);
  for (const { key, value: unknown } of fields.rest()) {
    remarks.push(`line ${unknown.line}: ${key}: ${NEEDLESS.get(key) ?? 'no counterpart here'}`);
  }
  if (source === undefined || name === '') {
    remarks.push('left out: uri and localStreamName are needed');
    return { value: undefined, remarks };
  }
  if (written !== name) remarks.push(`line ${nameLine}: "${written}" is called ${name} here`);
  return { name, value, remarks };
}

function transportOf(fields: LuaFields, source: string, remarks: string[]): string | undefined {
  const line = fields.lineOf('forceTcp');
  const forceTcp = fields.flag('forceTcp') ?? false;
  const proxyLine = fields.lineOf('httpProxy');
  const proxy = fields.text('httpProxy');
  if (!/^rtsp:/i.test(source)) return undefined;
  if (proxy === 'self') return 'http';
  if (proxy !== undefined) remarks.push(`line ${proxyLine}: httpProxy: no counterpart here`);
  if (forceTcp) return 'tcp';
  remarks.push(
    `line ${line}: without forceTcp, crtmpserver took UDP only; here TCP is tried first, then UDP (transport: udp for UDP only)`,
  );
  return undefined;
}

function sayKeepAlive(fields: LuaFields, remarks: string[]): void {
  const line = fields.lineOf('keepAlive');
  if (fields.flag('keepAlive') === true) return;
  remarks.push(`line ${line}: without keepAlive, it was pulled once; here it is pulled for ever`);
}
