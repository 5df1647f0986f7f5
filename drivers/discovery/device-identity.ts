/** Who a device is: what tells it from others, cleaned of what factories forgot to fill in. */
import { bareUuid } from '../../protocols/ws-discovery/message.ts';
import { parseMac } from '../../protocols/ws-discovery/scopes.ts';

const MAX_TEXT_CHARS = 128;
export const MAX_ID_CHARS = 48;
/** Serial numbers that factories forgot to fill in, shared by many devices. */
const PLACEHOLDER_SERIAL =
  /^(n\/?a|none|null|unknown|default|serial(number)?|(.)\3*|0*1?23456\d*)$/i;

export const IDENTITY_FIELDS = [
  'endpointReference',
  'serial',
  'mac',
  'hostname',
  'manufacturer',
  'model',
  'name',
] as const;

const TELLING_FIELDS = ['mac', 'serial', 'endpointReference', 'hostname'] as const;
const HARD_FIELDS = ['serial', 'mac'] as const;

export type Identity = { [Field in (typeof IDENTITY_FIELDS)[number]]?: string | undefined };

export function cleanIdentity(raw: Identity & { readonly link?: string | undefined }): Identity {
  const serial = cleanText(raw.serial);
  const reference = cleanText(raw.endpointReference);
  const isUsefulSerial =
    serial !== undefined && serial.length >= 4 && !PLACEHOLDER_SERIAL.test(serial);
  return {
    endpointReference: reference === undefined ? undefined : bareUuid(reference),
    serial: isUsefulSerial ? serial : undefined,
    // Axis and others use the hardware address as the serial number.
    mac: parseMac(raw.mac) ?? parseMac(serial) ?? macOfUuid(reference),
    hostname: onLink(cleanText(raw.hostname)?.toLowerCase(), raw.link),
    manufacturer: cleanText(raw.manufacturer),
    model: cleanText(raw.model),
    name: cleanText(raw.name),
  };
}

export function sharesIdentity(a: Identity, b: Identity): boolean {
  const isShared = TELLING_FIELDS.some((field) => a[field] !== undefined && a[field] === b[field]);
  return isShared && !contradicts(a, b);
}

/** Factories clone endpoint references; a different serial or hardware address is another device. */
export function contradicts(a: Identity, b: Identity): boolean {
  return differsIn(HARD_FIELDS, a, b);
}

/** Whether two that were seen at one address are two devices: the channels of an encoder rack, or one after the other. */
export function areTwoAtOnePlace(a: Identity, b: Identity): boolean {
  return differsIn(TELLING_FIELDS, a, b);
}

/** Whether it says nothing that would tell it from others at its address. */
export function isWeak({ serial, mac, endpointReference }: Identity): boolean {
  return serial === undefined && mac === undefined && endpointReference === undefined;
}

export function fillIdentity(known: Identity, more: Identity): void {
  for (const field of IDENTITY_FIELDS) known[field] ??= more[field];
}

/** Matches `[a-z0-9-]{1,48}`, by the best that is known. */
export function idFrom(identity: Identity, addresses: readonly string[], key: string): string {
  const best =
    identity.mac ??
    identity.serial ??
    identity.endpointReference ??
    identity.hostname?.replace(/(\.local)?\.?(%.*)?$/, '') ??
    addresses[0] ??
    key;
  const slug = best
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_ID_CHARS)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'device' : slug;
}

/** Two cameras on two links may both be `ipcam.local`. */
function onLink(hostname: string | undefined, link = ''): string | undefined {
  return hostname === undefined || link === '' ? hostname : `${hostname}%${link}`;
}

function differsIn(fields: readonly (keyof Identity)[], a: Identity, b: Identity): boolean {
  return fields.some(
    (field) => a[field] !== undefined && b[field] !== undefined && a[field] !== b[field],
  );
}

/** A time-based UUID ends in the hardware address of who made it (RFC 4122 §4.1.6). */
function macOfUuid(reference: string | undefined): string | undefined {
  const uuid = reference === undefined ? '' : bareUuid(reference);
  const match = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-([0-9a-f]{12})$/.exec(
    uuid,
  );
  return parseMac(match?.[1]);
}

function cleanText(text: string | undefined): string | undefined {
  const cleaned = text
    ?.replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT_CHARS);
  return cleaned === '' ? undefined : cleaned;
}
