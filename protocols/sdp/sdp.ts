/**
 * Session descriptions (RFC 8866, formerly RFC 4566), as far as a puller needs them. Cameras bend the
 * grammar in every line, so this reader never throws: what it does not know it leaves out.
 */

/** A camera sends some thirty lines with one to four media; more is an attack or not SDP. */
const MAX_LINES = 10_000;
const MAX_MEDIAS = 256;
const MAX_FORMATS = 64;
const MAX_PARAMETERS = 64;

/** RTP has seven bits for it (RFC 3550 §5.1). */
const MAX_PAYLOAD_TYPE = 127;
const MAX_CLOCK_RATE = 0xffff_ffff;
const MAX_CHANNELS = 255;
const MAX_PORT = 65_535;
const MAX_SOURCES = 16;
/** People are shown it; registered names are shorter. */
const MAX_ENCODING_CHARACTERS = 40;
/** Of a name in the DNS; addresses are shorter. */
const MAX_ADDRESS_CHARACTERS = 253;

export type MediaDirection = 'sendonly' | 'recvonly' | 'sendrecv' | 'inactive';

export interface SessionDescription {
  readonly control: string | undefined;
  readonly medias: readonly MediaDescription[];
}

export interface MediaDescription {
  /** `video`, `audio`, `application` or anything else, in lower case; empty when `m=` named none. */
  readonly kind: string;
  /** As `m=` lists them; when it lists none, those of the `rtpmap` lines. */
  readonly payloadTypes: readonly number[];
  /** As `m=` states it; 0 in RTSP, where SETUP agrees on it. */
  readonly port: number;
  /** `rtp/avp`, `rtp/savp`, … in lower case. */
  readonly protocol: string;
  /** Where it is sent, without TTL: its own `c=` (RFC 8866 §5.7), or the session's. */
  readonly address: string | undefined;
  /** The only senders of a group, `a=source-filter: incl` (RFC 4570). */
  readonly sources: readonly string[];
  readonly control: string | undefined;
  /** Its own, or the session's. */
  readonly direction: MediaDirection | undefined;
  /** A dynamic payload type without `rtpmap` is not in here. */
  readonly formats: ReadonlyMap<number, MediaFormat>;
}

export interface MediaFormat {
  readonly payloadType: number;
  /** In lower case: `h264`, `mpeg4-generic`, `pcmu`. */
  readonly encoding: string;
  readonly clockRate: number;
  readonly channels: number | undefined;
  /** Of `fmtp`: keys in lower case, values as they came. A value without a key is a key without a value. */
  readonly parameters: ReadonlyMap<string, string>;
}

interface Encoding {
  readonly encoding: string;
  readonly clockRate: number | undefined;
  readonly channels: number | undefined;
}

type Parameters = Map<string, string>;

/** What the lines of one `m=`, or those before the first, said. */
interface Section {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly payloadTypes: readonly number[];
  readonly encodings: Map<number, Encoding>;
  readonly parameters: Map<number, Parameters>;
  control: string | undefined;
  direction: MediaDirection | undefined;
  address: string | undefined;
  sources: readonly string[];
}

/** RFC 3551 §6, tables 4 and 5: the payload types that need no `rtpmap`. */
const STATIC_ENCODINGS: ReadonlyMap<number, Encoding> = new Map([
  [0, { encoding: 'pcmu', clockRate: 8000, channels: 1 }],
  [3, { encoding: 'gsm', clockRate: 8000, channels: 1 }],
  [4, { encoding: 'g723', clockRate: 8000, channels: 1 }],
  [8, { encoding: 'pcma', clockRate: 8000, channels: 1 }],
  [9, { encoding: 'g722', clockRate: 8000, channels: 1 }],
  [10, { encoding: 'l16', clockRate: 44_100, channels: 2 }],
  [11, { encoding: 'l16', clockRate: 44_100, channels: 1 }],
  [14, { encoding: 'mpa', clockRate: 90_000, channels: undefined }],
  [18, { encoding: 'g729', clockRate: 8000, channels: 1 }],
  [26, { encoding: 'jpeg', clockRate: 90_000, channels: undefined }],
  [31, { encoding: 'h261', clockRate: 90_000, channels: undefined }],
  [32, { encoding: 'mpv', clockRate: 90_000, channels: undefined }],
  [33, { encoding: 'mp2t', clockRate: 90_000, channels: undefined }],
  [34, { encoding: 'h263', clockRate: 90_000, channels: undefined }],
]);

export function parseSdp(text: string): SessionDescription {
  const session = newSection('');
  const sections: Section[] = [];
  let current = session;
  for (const line of text.split(/\r\n|\n|\r/, MAX_LINES)) {
    const [, letter, value] = /^[\s\0]*([a-z])\s*=([^\0]*)/i.exec(line) ?? [];
    if (letter === undefined || value === undefined) continue;
    if (letter.toLowerCase() === 'm') {
      if (sections.length === MAX_MEDIAS) break;
      current = parseMediaLine(value);
      sections.push(current);
    } else if (letter.toLowerCase() === 'a') {
      parseAttribute(value.trim(), current);
    } else if (letter.toLowerCase() === 'c') {
      current.address ??= parseConnection(value);
    }
  }
  rehomeParameters(session, sections);
  return {
    control: session.control,
    medias: sections.map((section) => describe(section, session)),
  };
}

function newSection(
  kind: string,
  port = 0,
  protocol = '',
  payloadTypes: readonly number[] = [],
): Section {
  return {
    kind,
    port,
    protocol,
    payloadTypes,
    encodings: new Map(),
    parameters: new Map(),
    control: undefined,
    direction: undefined,
    address: undefined,
    sources: [],
  };
}

/** `video 0 RTP/AVP 96 97`, `video 5000/2 …` (RFC 8866 §5.14). */
function parseMediaLine(value: string): Section {
  const [kind = '', port = '', protocol = '', ...formats] = value.trim().split(/\s+/);
  const payloadTypes = new Set<number>();
  for (const format of formats) {
    const payloadType = parsePayloadType(format);
    if (payloadType !== undefined && payloadTypes.size < MAX_FORMATS) payloadTypes.add(payloadType);
  }
  return newSection(
    kind.toLowerCase(),
    parsePositive(port, MAX_PORT) ?? 0,
    protocol.toLowerCase(),
    [...payloadTypes],
  );
}

/** `IN IP4 239.1.1.1/16`. Cameras write IPV4, leave the type out, or write nothing behind `IN`. */
function parseConnection(value: string): string | undefined {
  const last = value.trim().split(/\s+/).at(-1)?.split('/')[0] ?? '';
  if (last.length > MAX_ADDRESS_CHARACTERS) return undefined;
  return /^[\da-f:]*[.:][\da-f:.]*$/i.test(last) || /^[\w-]+(\.[\w-]+)+$/.test(last)
    ? last
    : undefined;
}

/** `incl IN IP4 232.1.1.1 10.0.0.2 10.0.0.3` (RFC 4570 §3). Names, which it allows, are left out. */
function parseSourceFilter(value: string): readonly string[] {
  const [mode = '', , , , ...sources] = value.split(/\s+/);
  const addresses = sources.filter((source) =>
    /^(\d+(\.\d+){3}|[\da-f]*:[\da-f:.]+)$/i.test(source),
  );
  return mode.toLowerCase() === 'incl' ? addresses.slice(0, MAX_SOURCES) : [];
}

function parseAttribute(attribute: string, section: Section): void {
  const colon = attribute.indexOf(':');
  const name = (colon < 0 ? attribute : attribute.slice(0, colon)).trim().toLowerCase();
  const value = colon < 0 ? '' : attribute.slice(colon + 1).trim();
  switch (name) {
    case 'control':
      if (value !== '') section.control ??= value;
      break;
    case 'rtpmap':
      parseRtpmap(value, section);
      break;
    case 'fmtp':
      parseFmtp(value, section);
      break;
    case 'source-filter':
      if (section.sources.length === 0) section.sources = parseSourceFilter(value);
      break;
    case 'sendonly':
    case 'recvonly':
    case 'sendrecv':
    case 'inactive':
      section.direction ??= name;
      break;
  }
}

/** `96 H264/90000`, `97 MPEG4-GENERIC/48000/2` (RFC 8866 §6.6). The first for a payload type counts. */
function parseRtpmap(value: string, section: Section): void {
  const [payloadTypeText = '', rest] = splitOnce(value);
  const payloadType = parsePayloadType(payloadTypeText);
  const [encoding = '', clockRate = '', channels = ''] = rest.split('/', 3);
  if (payloadType === undefined || encoding.trim() === '') return;
  if (section.encodings.has(payloadType) || section.encodings.size === MAX_FORMATS) return;
  section.encodings.set(payloadType, {
    encoding: encoding.trim().toLowerCase().slice(0, MAX_ENCODING_CHARACTERS),
    clockRate: parsePositive(clockRate, MAX_CLOCK_RATE),
    channels: parsePositive(channels, MAX_CHANNELS),
  });
}

/** `96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkA,aMuDyyA=` (RFC 8866 §6.15). */
function parseFmtp(value: string, section: Section): void {
  const [payloadTypeText = '', rest] = splitOnce(value);
  const payloadType = parsePayloadType(payloadTypeText);
  if (payloadType === undefined) return;
  const parameters = section.parameters.get(payloadType) ?? new Map<string, string>();
  if (parameters.size === 0) {
    if (section.parameters.size === MAX_FORMATS) return;
    section.parameters.set(payloadType, parameters);
  }
  for (const piece of splitParameters(rest)) {
    const equals = piece.indexOf('=');
    const key = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase();
    const content = equals < 0 ? '' : piece.slice(equals + 1).trim();
    if (key === '' || (parameters.get(key) ?? '') !== '') continue;
    if (parameters.has(key) || parameters.size < MAX_PARAMETERS) parameters.set(key, content);
  }
}

/** On semicolons, and on the blank before a further `key=value` where the semicolon was forgotten. */
function splitParameters(text: string): string[] {
  return text.replace(/\s+/g, ' ').split(/;|(?<![,;=]) (?=[a-z][\w-]*=[^=;,\s])/i);
}

/** Some cameras write a payload type's `fmtp` below another `m=`, or number it wrongly. */
function rehomeParameters(session: Section, sections: readonly Section[]): void {
  const owners = ownersOf(sections);
  for (const from of [session, ...sections]) {
    for (const [payloadType, parameters] of from.parameters) {
      const named = owners.get(payloadType) ?? new Set();
      if (named.has(from)) continue;
      for (const owner of named) {
        if (!owner.parameters.has(payloadType)) owner.parameters.set(payloadType, parameters);
      }
      const [only, ...others] = payloadTypesOf(from);
      if (named.size > 0 || only === undefined || others.length > 0) continue;
      if (!from.parameters.has(only)) from.parameters.set(only, parameters);
    }
  }
}

function ownersOf(sections: readonly Section[]): ReadonlyMap<number, ReadonlySet<Section>> {
  const owners = new Map<number, Set<Section>>();
  for (const section of sections) {
    for (const payloadType of [...section.payloadTypes, ...section.encodings.keys()]) {
      const named = owners.get(payloadType) ?? new Set();
      owners.set(payloadType, named.add(section));
    }
  }
  return owners;
}

function payloadTypesOf(section: Section): readonly number[] {
  return section.payloadTypes.length > 0 ? section.payloadTypes : [...section.encodings.keys()];
}

function describe(section: Section, session: Section): MediaDescription {
  const formats = new Map<number, MediaFormat>();
  for (const payloadType of [...section.payloadTypes, ...section.encodings.keys()]) {
    const standard = STATIC_ENCODINGS.get(payloadType);
    const found = section.encodings.get(payloadType) ?? standard;
    if (found === undefined || (formats.size === MAX_FORMATS && !formats.has(payloadType)))
      continue;
    formats.set(payloadType, {
      payloadType,
      encoding: found.encoding,
      clockRate: found.clockRate ?? standard?.clockRate ?? defaultClockRate(section.kind),
      channels: found.channels,
      parameters: section.parameters.get(payloadType) ?? new Map(),
    });
  }
  return {
    kind: section.kind,
    payloadTypes: payloadTypesOf(section),
    port: section.port,
    protocol: section.protocol,
    address: section.address ?? session.address,
    sources: section.sources.length > 0 ? section.sources : session.sources,
    control: section.control,
    direction: section.direction ?? session.direction,
    formats,
  };
}

/** RFC 3551: §4.5 audio is telephony unless said otherwise, §5 video counts in 90 kHz. */
function defaultClockRate(kind: string): number {
  return kind === 'audio' ? 8000 : 90_000;
}

function splitOnce(text: string): readonly [string, string] {
  const blank = text.search(/\s/);
  return blank < 0 ? [text, ''] : [text.slice(0, blank), text.slice(blank + 1).trim()];
}

function parsePayloadType(text: string): number | undefined {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= MAX_PAYLOAD_TYPE ? value : undefined;
}

function parsePositive(text: string, most: number): number | undefined {
  const [, digits] = /^\s*(\d{1,10})(?:\D|$)/.exec(text) ?? [];
  const value = Number(digits ?? 0);
  return value > 0 && value <= most ? value : undefined;
}
