/** What is kept of one device, and how a file of them is read: version 2, and 1, which knew names only. */
import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { name, oneOf, wholeNumber } from '../config/fields.ts';
import { profile } from '../config/profile-schema.ts';

const VERSION = 2;
/** As many as discovery lists. */
export const MAX_RECORDS = 1024;
export const MAX_PLACES = 4;
/** Under which it was listed while nothing better was known of it. */
export const MAX_IDS = 4;

const shortText = () => z.string().check(z.maxLength(256));
/** No longer ones are kept: one that cannot be read again would take the name with it. */
export const MAX_PLACE_CHARS = 2048;
const place = () => z.string().check(z.maxLength(MAX_PLACE_CHARS));
/** As long as the command takes them. */
const credential = () => z.string().check(z.maxLength(4096));
const counts = z.array(wholeNumber(0, 1_000_000)).check(z.maxLength(64));

const login = z.object({
  /** Of which list of credentials this tells. */
  mark: shortText(),
  worked: z.partialRecord(z.enum(['onvif', 'rtsp', 'http']), wholeNumber(0, 64)),
  refusals: z.partialRecord(z.enum(['onvif', 'rtsp', 'http']), counts),
  heldUntil: z.optional(z.iso.datetime()),
});

const device = z.object({
  /** The stream's name, once given for ever. */
  name: z.optional(name()),
  decision: oneOf(['adopted', 'ignored', 'undecided']),
  decidedAt: z.iso.datetime(),
  seenAt: z.iso.datetime(),
  serial: z.optional(shortText()),
  mac: z.optional(shortText()),
  endpointReference: z.optional(shortText()),
  ids: z.array(shortText()).check(z.maxLength(MAX_IDS)),
  manufacturer: z.optional(shortText()),
  model: z.optional(shortText()),
  /** As the device says it itself; `serial` is left out where many share one. */
  toldSerial: z.optional(shortText()),
  addresses: z.array(shortText()).check(z.maxLength(MAX_PLACES)),
  endpoints: z
    .array(
      z.object({
        host: shortText(),
        port: wholeNumber(1, 65_535),
        path: place(),
        secure: z.boolean(),
      }),
    )
    .check(z.maxLength(MAX_PLACES)),
  /** Of a device without ONVIF: rtsp://, udp://, tcp:// … */
  sourceUrl: z.optional(place()),
  profile: z.optional(profile),
  /** Given by command; those of the configuration are never kept. */
  credentials: z.optional(z.object({ username: credential(), password: credential() })),
  /** Not worth a name: where it makes no sense, it is left out alone. */
  login: z.optional(z.catch(z.optional(login), undefined)),
});

export type AdoptionRecord = z.output<typeof device>;
export type LoginRecord = z.output<typeof login>;

const envelope = z.looseObject({ version: z.number() });
const version1 = z.object({ names: z.record(z.string(), z.unknown()) });
const version2 = z.object({
  /** Of `devices` as JSON; left out by whoever writes one by hand. */
  sha256: z.optional(z.string()),
  devices: z.array(z.unknown()),
});

export type ReadRecords =
  | { readonly at: 'read'; readonly records: AdoptionRecord[]; readonly leftOut: number }
  | { readonly at: 'damaged' }
  /** Written by a later version: not to be overwritten. */
  | { readonly at: 'unknown'; readonly version: number };

export function readRecords(text: string, nowIso: string): ReadRecords {
  const parsed = envelope.safeParse(parseJson(text));
  if (!parsed.success) return { at: 'damaged' };
  const { version } = parsed.data;
  if (version === 1) return readVersion1(parsed.data, nowIso);
  if (version !== VERSION) return { at: 'unknown', version };
  const file = version2.safeParse(parsed.data);
  if (!file.success) return { at: 'damaged' };
  const { devices, sha256 } = file.data;
  if (sha256 !== undefined && sha256 !== sumOf(devices)) return { at: 'damaged' };
  const records = devices.slice(0, MAX_RECORDS).flatMap((each) => {
    const record = device.safeParse(each);
    return record.success ? [record.data] : [];
  });
  return { at: 'read', records, leftOut: devices.length - records.length };
}

export function writeRecords(records: readonly AdoptionRecord[]): string {
  return `${JSON.stringify({ version: VERSION, sha256: sumOf(records), devices: records }, null, 1)}\n`;
}

/** `{"names": {"serial:1": "door", "mac:2": "door"}}` */
function readVersion1(file: unknown, nowIso: string): ReadRecords {
  const parsed = version1.safeParse(file);
  if (!parsed.success) return { at: 'damaged' };
  const byName = new Map<string, AdoptionRecord>();
  for (const [key, value] of Object.entries(parsed.data.names)) {
    const given = name().safeParse(value);
    const [, kind = '', mark = ''] = /^(serial|mac|epr|id):(.{1,256})$/.exec(key) ?? [];
    if (!given.success || kind === '' || byName.size >= MAX_RECORDS) continue;
    const record = byName.get(given.data) ?? newRecord(nowIso, { name: given.data });
    record.decision = 'adopted';
    byName.set(given.data, record);
    if (kind === 'serial') record.serial ??= mark;
    else if (kind === 'mac') record.mac ??= mark;
    else if (kind === 'epr') record.endpointReference ??= mark;
    else if (record.ids.length < MAX_IDS) record.ids.push(mark);
  }
  return { at: 'read', records: [...byName.values()], leftOut: 0 };
}

export function newRecord(nowIso: string, known: Partial<AdoptionRecord> = {}): AdoptionRecord {
  return {
    decision: 'undecided',
    decidedAt: nowIso,
    seenAt: nowIso,
    ids: [],
    addresses: [],
    endpoints: [],
    ...known,
  };
}

function sumOf(devices: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(devices)).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Cut off, or no JSON at all: damaged.
    return undefined;
  }
}
