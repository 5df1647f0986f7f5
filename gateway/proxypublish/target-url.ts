/** The address of a master as users write it: `rtmp://user:password@host:port/application`. */
import type { RtmpCredentials } from '../../protocols/rtmp/authentication.ts';

const DEFAULT_PORTS = { rtmp: 1935, rtmps: 443 } as const;

export interface TargetUrl {
  readonly scheme: 'rtmp' | 'rtmps';
  readonly host: string;
  readonly port: number;
  /** The whole path, parameters included; the stream's name is never part of it. */
  readonly app: string;
  readonly credentials: RtmpCredentials | undefined;
  /** What connect says by default; without user and password. */
  readonly tcUrl: string;
}

/** `rtmp(s)://[user[:password]@]host[:port][/app]`. User and password end at the last @ before the path. */
export function parseTargetUri(targetUri: string): TargetUrl {
  const match = /^(rtmps?):\/\/([^/]*)(?:\/(.*))?$/is.exec(targetUri.trim());
  if (match === null) throw new Error('a target begins with rtmp:// or rtmps://');
  const [, schemeText = '', authority = '', path = ''] = match;
  const scheme = schemeText.toLowerCase() === 'rtmps' ? 'rtmps' : 'rtmp';
  const at = authority.lastIndexOf('@');
  const place = authority.slice(at + 1);
  const { host, port } = parsePlace(place, DEFAULT_PORTS[scheme]);
  const app = path.replace(/\/+$/, '');
  return {
    scheme,
    host,
    port,
    app,
    credentials: at < 0 ? undefined : parseUserInfo(authority.slice(0, at)),
    tcUrl: `${scheme}://${place}/${app}`,
  };
}

/** Cuts the stream's name off a URL that has both, as people write it for a single stream. */
export function splitStreamName(url: string): { targetUri: string; targetStreamName: string } {
  const query = url.indexOf('?');
  const slash = url.lastIndexOf('/', query < 0 ? url.length : query);
  const authority = url.indexOf('://') + 3;
  const targetUri = url.slice(0, slash);
  const targetStreamName = url.slice(slash + 1);
  if (slash <= authority || !targetUri.includes('/', authority) || targetStreamName === '') {
    throw new Error('a target is rtmp://host/application/stream-name');
  }
  return { targetUri, targetStreamName };
}

function parsePlace(place: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(place);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new Error('a target needs a host');
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65_535) throw new Error('a port is a number from 1 to 65535');
  return { host, port };
}

function parseUserInfo(userInfo: string): RtmpCredentials {
  const colon = userInfo.indexOf(':');
  const username = colon < 0 ? userInfo : userInfo.slice(0, colon);
  const password = colon < 0 ? '' : userInfo.slice(colon + 1);
  return { username: percentDecoded(username), password: percentDecoded(password) };
}

/** A password with a bare % is meant literally. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
