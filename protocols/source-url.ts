/**
 * The URL a person pastes for a source: `rtsp://user:password@host:port/path?query`. People paste
 * passwords as they are, so RFC 3986 alone, which ends the authority at the first `/`, `?` or `#`,
 * would take half of a password for the host.
 */
import { ParseError } from '../codecs/errors.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface SourceUrl {
  /** Without user-info: fit for a request line and for a log. */
  readonly url: string;
  readonly scheme: string;
  /** IPv6 addresses have no brackets here. */
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials | undefined;
}

/** Schemes, and the ports they have by default. RFC 7826 §4.2. */
const RTSP_PORTS: ReadonlyMap<string, number> = new Map([
  ['rtsp', 554],
  ['rtsps', 322],
]);

/** A single name before one of these is a host; before another number it may be a user. */
const USUAL_PORTS: ReadonlySet<string> = new Set([
  ...['554', '322', '8554', '8322'],
  ...['1935', '80', '443', '8080'],
]);

/** Longer request lines are refused by many cameras; every real URL is far shorter. */
const MAX_URL_LENGTH = 4096;

const SECRET_NAME = /pass|pwd|token|secret|key|auth|(^|_)sig(n|nature)?$/i;

/** `defaultPorts`: the schemes that will do. Messages never quote the text: it may hold a password. */
export function parseSourceUrl(text: string, defaultPorts = RTSP_PORTS): SourceUrl {
  const trimmed = text.trim();
  if (trimmed.length > MAX_URL_LENGTH) {
    throw new ParseError(`The source's URL is longer than ${MAX_URL_LENGTH} characters`);
  }
  const [, schemeText, rest] =
    /^(?:rtsps?:\/\/)*?([a-z][a-z0-9+.-]*):\/\/(?!rtsps?:\/\/)(.*)$/is.exec(trimmed) ?? [];
  if (schemeText === undefined || rest === undefined) {
    throw new ParseError(`The source's URL must begin with ${schemesOf(defaultPorts)}`);
  }
  const scheme = schemeText.toLowerCase();
  const defaultPort = defaultPorts.get(scheme);
  if (defaultPort === undefined) {
    throw new ParseError(
      `The source's URL begins with ${scheme}://, but must with ${schemesOf(defaultPorts)}`,
    );
  }
  if (/\p{Cc}/u.test(rest)) {
    throw new ParseError("The source's URL holds a line break or another control character");
  }
  const { userInfo, location } = splitUserInfo(rest);
  const { host, port } = parseAuthority(location);
  return {
    url: `${scheme}://${location.replace(/\s/g, (blank) => encodeURIComponent(blank))}`,
    scheme,
    host,
    port: port ?? defaultPort,
    credentials: parseUserInfo(userInfo),
  };
}

/** Names have no case (RFC 3986 §3.2.2); what a server redirects to is often written anew. */
export function isSameHost(a: SourceUrl, b: SourceUrl): boolean {
  return a.host.toLowerCase() === b.host.toLowerCase();
}

/** User and password as they stand behind `scheme://`; empty where there are none. */
export function userInfoOf(rest: string): string {
  return splitUserInfo(rest).userInfo;
}

function schemesOf(ports: ReadonlyMap<string, number>): string {
  return [...ports.keys()].map((scheme) => `${scheme}://`).join(' or ');
}

/** For logs and messages, of any scheme and any text: no user-info, `***` for secrets in the query. */
export function redactUrl(text: string): string {
  if (text.length > MAX_URL_LENGTH) return '***';
  const [, prefix = '', rest = ''] = /^(\s*(?:[a-z][a-z0-9+.-]*:\/\/)*)(.*)$/is.exec(text) ?? [];
  const { location } = splitUserInfo(rest);
  return prefix + location.split('&').map(maskSecret).join('&');
}

/** `a=1` of `path?a=1&b=2`; Xiongmai cameras have `/user=admin_password=…_channel=1` in the path. */
function maskSecret(part: string): string {
  const pieces = part.split('=');
  const secret = pieces.findIndex(
    (piece, index) =>
      index < pieces.length - 1 && SECRET_NAME.test(piece.slice(lastDelimiter(piece) + 1)),
  );
  return secret < 0 ? part : `${pieces.slice(0, secret + 1).join('=')}=***`;
}

function lastDelimiter(text: string): number {
  return Math.max(text.lastIndexOf('?'), text.lastIndexOf('/'), text.lastIndexOf(';'));
}

interface SplitLocation {
  readonly userInfo: string;
  /** Host, port, path and query. */
  readonly location: string;
}

/**
 * At the `@` where RFC 3986 has it; but when what follows it there is no host, or only a single name, and
 * a later `@` comes before an address, before that one. A text that names no host is cut at its last `@`.
 */
function splitUserInfo(rest: string): SplitLocation {
  const authorityEnd = endOfAuthority(rest);
  const strictAt = rest.lastIndexOf('@', authorityEnd - 1);
  const strict = splitAt(rest, authorityEnd > 0 ? strictAt : -1);
  const strictHost = likelihood(strict.location);
  if (strictHost === 'address') return strict;

  // A user's name has none of / ? #, and something before the colon.
  const colon = rest.indexOf(':');
  const mayBeRaw = colon > 0 && colon < authorityEnd;
  let name: SplitLocation | undefined;
  for (let at = authorityEnd; mayBeRaw; ) {
    at = rest.indexOf('@', at + 1);
    if (at < 0) break;
    const raw = splitAt(rest, at);
    const host = likelihood(raw.location);
    if (host === 'address') return raw;
    if (host === 'name') name ??= raw;
  }
  if (strictHost === 'name') return strict;
  return name ?? splitAt(rest, rest.lastIndexOf('@'));
}

function splitAt(rest: string, at: number): SplitLocation {
  return { userInfo: rest.slice(0, Math.max(at, 0)), location: rest.slice(at + 1) };
}

function endOfAuthority(text: string): number {
  const end = text.search(/[/?#]/);
  return end < 0 ? text.length : end;
}

function likelihood(location: string): 'address' | 'name' | 'none' {
  const authority = matchAuthority(location);
  if (authority === undefined || !isHost(authority.host)) return 'none';
  if (authority.port !== '' && parsePort(authority.port) === undefined) return 'none';
  const { host, port } = authority;
  const isAddress = /[.:]/.test(host) || host.toLowerCase() === 'localhost';
  return isAddress || USUAL_PORTS.has(port) ? 'address' : 'name';
}

function parseAuthority(location: string): { host: string; port: number | undefined } {
  const authority = matchAuthority(location);
  if (authority === undefined || !isHost(authority.host)) {
    throw new ParseError(
      "The source's URL names no valid host: write rtsp://host/path, an IPv6 address in brackets, and characters like / ? # @ in a password percent-encoded",
    );
  }
  const port = authority.port === '' ? undefined : parsePort(authority.port);
  if (authority.port !== '' && port === undefined) {
    throw new ParseError("The port in the source's URL must be a number from 1 to 65535");
  }
  return { host: authority.host.replace('%25', '%'), port };
}

function matchAuthority(location: string): { host: string; port: string } | undefined {
  const authority = location.slice(0, endOfAuthority(location));
  const [, v6, name, port = ''] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(authority) ?? [];
  if (v6 !== undefined) return v6.includes(':') ? { host: v6, port } : undefined;
  return name === undefined ? undefined : { host: name, port };
}

function isHost(host: string): boolean {
  if (host.includes(':')) return isIpv6(host);
  if (/^[\d.]+$/.test(host)) {
    const octets = host.split('.');
    return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && +octet <= 255);
  }
  return /^[\p{L}\p{N}_](?:[\p{L}\p{N}\p{M}_.-]*)$/u.test(host) && !host.includes('..');
}

/** With or without a zone (RFC 6874, or a bare `%eth0` as people write it). */
function isIpv6(host: string): boolean {
  const [, address, zone] = /^([\da-f:.]+)(%[\w.-]+)?$/i.exec(host) ?? [];
  if (address === undefined || (zone !== undefined && zone.length > 64)) return false;
  return URL.canParse(`http://[${address}]/`);
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function parseUserInfo(userInfo: string): Credentials | undefined {
  const colon = userInfo.indexOf(':');
  const username = decodePercent(colon < 0 ? userInfo : userInfo.slice(0, colon));
  const password = decodePercent(colon < 0 ? '' : userInfo.slice(colon + 1));
  if (/\p{Cc}/u.test(username + password)) {
    throw new ParseError("The user or the password in the source's URL holds a control character");
  }
  return username === '' && password === '' ? undefined : { username, password };
}

/** A password such as `50%` is no percent-encoding: it stands for itself. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
