/**
 * Keeps secrets out of everything that leaves the process: log lines, topics, API answers. Two
 * nets: every known secret value, and every place where URLs and headers carry one.
 */
import { userInfoOf } from '../protocols/source-url.ts';

const MASK = '***';

/** What stands for one secret in `config/get`, and comes back in `config/set`: see config/secret-marks.ts. */
const MARK = String.raw`\*\*\*[0-9a-f]{10}`;
const IS_MARK = new RegExp(`^${MARK}$`);
/** A secret that stands elsewhere: `$NAME` in braces, as the configuration has it; with or without a user's name before it. */
const IS_REFERENCE = /^(?:[^:$]{1,200}:)?(?:\$\{[A-Za-z_]\w{0,200}\}){1,8}$/;

/** What a piece of text that must not be shown is replaced by. */
export type Masker = (secret: string) => string;
const masked: Masker = (secret) => (isNoSecret(secret) ? secret : MASK);

/** It only stands for one. */
export function isNoSecret(text: string): boolean {
  return IS_MARK.test(text) || IS_REFERENCE.test(text);
}

/** Each mark in a text, by what `replace` gives for it. */
export function replaceMarks(text: string, replace: (mark: string) => string): string {
  return text.replace(new RegExp(MARK, 'g'), replace);
}

/** Shorter values would mask half the log; they are still caught as URL user-info. */
const MIN_SECRET_LENGTH = 4;

/** A URL in a text with an `@`, up to what cannot be in one. Passwords are pasted as they are: they may hold / ? #. */
const URL_WITH_AT = /([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s"'<>]*@[^\s"'<>]*)/gi;
/** Longer texts than any URL are not searched for where user and password end. */
const MAX_URL_LENGTH = 4096;

/** Query parameters under which cameras and masters take passwords and tokens; Xiongmai cameras have them in the path. */
const SECRET_PARAMETER =
  /([?&/;_](?:[\w-]{0,20}(?:pass|pwd|token|secret|key|auth)[\w-]{0,20}|sig|sign|signature)=)([^&\s"'<>#]+)/gi;

/** The credentials of HTTP and RTSP Basic authentication. */
const BASIC = /\b(Basic\s+)([A-Za-z0-9+/=]{4,})/g;

/** URLs with a login have `@`, parameters `=`. */
const NEEDED_BY_PATTERNS = /[@=]|Basic/;

/** Fields that hold a name people chose to show, a word of a closed list, or a time. */
const PUBLIC_FIELDS = new Set([
  'name',
  'stream',
  'streams',
  'device',
  'id',
  'adoptedAs',
  'state',
  'code',
  'type',
  'level',
  'time',
]);

const known = new Set<string>();
let knownPattern: RegExp | undefined;

/** From now on `scrub` masks this value wherever it appears. */
export function registerSecret(value: string): void {
  if (value.length < MIN_SECRET_LENGTH) return;
  for (const form of writtenForms(value)) known.add(form);
  // Longest first, so that a secret within a secret does not leave the rest behind.
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  // A short secret may be by chance within a mark.
  knownPattern = new RegExp([MARK, ...longestFirst.map(escapeForPattern)].join('|'), 'g');
}

/** The text without secrets. Marks are none. */
export function scrub(text: string, mask: Masker = masked): string {
  const known = (secret: string) => (IS_MARK.test(secret) ? secret : mask(secret));
  return scrubPatterns(knownPattern === undefined ? text : text.replace(knownPattern, known), mask);
}

/**
 * The value as JSON without secrets. Only texts change, so that a password of digits leaves numbers
 * alone; public names keep their value even where somebody's password is the same word.
 */
export function scrubbedJson(value: unknown): string {
  const json = JSON.stringify(value);
  return mayHoldSecret(json) ? JSON.stringify(scrubTree(value, '')) : json;
}

/**
 * Most of what is told holds none, and to know that takes one look. Every secret and every character that a pattern cannot do
 * without is in the JSON as it is in the text, or as JSON writes it, which is known, too.
 */
function mayHoldSecret(json: string): boolean {
  return (
    NEEDED_BY_PATTERNS.test(json) || (knownPattern !== undefined && json.search(knownPattern) >= 0)
  );
}

function scrubTree(value: unknown, field: string): unknown {
  if (typeof value === 'string')
    return PUBLIC_FIELDS.has(field) ? scrubPatterns(value) : scrub(value);
  if (Array.isArray(value)) return value.map((item) => scrubTree(item, field));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [scrubPatterns(key), scrubTree(inner, key)]),
  );
}

function scrubPatterns(text: string, mask: Masker = masked): string {
  const last = (_whole: string, before: string, secret: string) => before + mask(secret);
  return maskedUrls(text, mask).replace(SECRET_PARAMETER, last).replace(BASIC, last);
}

/** The user's name is masked too, for some cameras it is half the key. */
function maskedUrls(text: string, mask: Masker): string {
  return text.replace(URL_WITH_AT, (_whole, scheme: string, rest: string) => {
    const userInfo = userInfoIn(rest);
    // Another URL may stand in the rest.
    if (userInfo === '') return scheme + maskedUrls(rest, mask);
    return `${scheme}${mask(userInfo)}@${maskedUrls(rest.slice(userInfo.length + 1), mask)}`;
  });
}

function userInfoIn(rest: string): string {
  return rest.length > MAX_URL_LENGTH ? rest.slice(0, rest.lastIndexOf('@')) : userInfoOf(rest);
}

/** Registers what a URL carries: the password of its user-info, and secret query parameters. */
export function registerUrlSecrets(url: string): void {
  const rest = /^\s*[a-z][a-z0-9+.-]*:\/\/(.*)$/is.exec(url)?.[1] ?? '';
  const userInfo = userInfoIn(rest);
  const colon = userInfo.indexOf(':');
  if (colon >= 0) registerEncoded(userInfo.slice(colon + 1));
  for (const match of url.matchAll(SECRET_PARAMETER)) {
    registerEncoded(match[2] ?? '');
  }
}

function registerEncoded(value: string): void {
  registerSecret(value);
  try {
    registerSecret(decodeURIComponent(value));
  } catch {
    // Not percent-encoded after all: the value as it stands is registered.
  }
}

/** As it is, within JSON, and within a URL. */
function writtenForms(value: string): string[] {
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
