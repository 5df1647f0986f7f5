/** targetServers of proxypublish: where the ancestor publishes to. */
import { toName } from '../../names.ts';
import type { LuaFields } from './lua-fields.ts';
import { at, type Piece, withoutUndefined } from './piece.ts';

const TYPES: ReadonlySet<string> = new Set(['live', 'record', 'append']);

export function readTarget(fields: LuaFields, remarks: string[], application: string): Piece {
  remarks.unshift(at(fields.line, application));
  const targetUri = fields.text('targetUri');
  const names = namesOf(fields, remarks);
  const value = withoutUndefined({
    targetUri,
    ...names,
    targetStreamType: typeOf(fields, remarks),
    keepAlive: keepAliveOf(fields, remarks),
    emulateUserAgent: fields.text('emulateUserAgent'),
    tcUrl: fields.text('tcUrl'),
    swfUrl: fields.text('swfUrl'),
    pageUrl: fields.text('pageUrl'),
  });
  for (const { key, value: unknown } of fields.rest()) {
    remarks.push(`line ${unknown.line}: ${key}: no counterpart here`);
  }
  if (targetUri === undefined) {
    remarks.push('left out: there is no targetUri');
    return { value: undefined, remarks };
  }
  if (/^rtmps:/i.test(targetUri)) {
    remarks.push(
      `line ${fields.line}: crtmpserver did not check the certificate; here it must be valid for this name (or give caFile or fingerprint)`,
    );
  }
  return { value, remarks };
}

function namesOf(fields: LuaFields, remarks: string[]): Readonly<Record<string, unknown>> {
  const line = fields.lineOf('localStreamName');
  const local = fields.text('localStreamName');
  const target = fields.text('targetStreamName');
  if (local === undefined) {
    remarks.push(
      `line ${fields.line}: without localStreamName, crtmpserver published nothing here; Sluice publishes every stream`,
    );
    return { targetStreamName: target };
  }
  const localStreamName = toName(local, '');
  if (localStreamName === local) return { localStreamName, targetStreamName: target };
  remarks.push(
    `line ${line}: "${local}" is called ${localStreamName} here${target === undefined ? ', and as before at the target' : ''}`,
  );
  return { localStreamName, targetStreamName: target ?? local };
}

function typeOf(fields: LuaFields, remarks: string[]): string | undefined {
  const line = fields.lineOf('targetStreamType');
  const type = fields.text('targetStreamType');
  if (type === undefined || TYPES.has(type)) return type;
  remarks.push(`line ${line}: targetStreamType "${type}" is live, as it was`);
  return undefined;
}

function keepAliveOf(fields: LuaFields, remarks: string[]): boolean {
  const keepAlive = fields.flag('keepAlive');
  if (keepAlive === undefined) {
    remarks.push(
      `line ${fields.line}: keepAlive left out is false, as it was; true is what Sluice does by itself: a lost session is opened again`,
    );
  }
  return keepAlive ?? false;
}
