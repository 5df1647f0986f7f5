/** The address of a master as users write it: `rtmp://user:password@host:port/application`. */

import { ParseError } from '../../codecs/errors.ts';
import type { RtmpCredentials } from '../../protocols/rtmp/authentication.ts';
import { isRtmpScheme, RTMP_PORTS, type RtmpScheme } from '../../protocols/rtmp/variants.ts';
import { parseSourceUrl, type SourceUrl, userInfoOf } from '../../protocols/source-url.ts';
import { toName } from '../names.ts';

const TARGET_WORDS =
  'a target is rtmp://host[:port]/application, or begins with rtmps, rtmpe, rtmpt, rtmpts or rtmpte';

export interface TargetUrl {
  readonly scheme: RtmpScheme;
  readonly host: string;
  readonly port: number;
  /** The whole path, parameters included; the stream's name is never part of it. */
  readonly app: string;
  readonly credentials: RtmpCredentials | undefined;
  /** What connect says by default; without user and password. */
  readonly tcUrl: string;
}

/** `rtmp(s|e|t|ts|te)://[user[:password]@]host[:port][/app]`; a password may be written as it is. */
export function parseTargetUri(targetUri: string): TargetUrl {
  const { url, scheme, host, port, credentials } = read(targetUri);
  const [, place = '', path = ''] = /^[a-z]+:\/\/([^/?#]*)\/?(.*)$/s.exec(url) ?? [];
  const app = path.replace(/\/+$/, '');
  if (!isRtmpScheme(scheme)) throw new Error(TARGET_WORDS);
  return {
    ...{ scheme, host, port, app, credentials },
    tcUrl: `${scheme}://${place}/${app}`,
  };
}

/** What it is called in topics and lists: without its query, which may hold a token. */
export function targetName(targetUri: string): string {
  const { host, app } = parseTargetUri(targetUri);
  return toName(`${host}-${app.replace(/\?.*$/s, '')}`, 'target');
}

/** Cuts the stream's name off a URL that has both, as people write it for a single stream. */
export function splitStreamName(url: string): { targetUri: string; targetStreamName: string } {
  const start = url.indexOf('://') + 3;
  const authority = start + userInfoOf(url.slice(start)).length;
  const query = url.indexOf('?', authority);
  const slash = url.lastIndexOf('/', query < 0 ? url.length : query);
  const targetUri = url.slice(0, slash);
  const targetStreamName = url.slice(slash + 1);
  if (slash <= authority || !targetUri.includes('/', authority) || targetStreamName === '') {
    throw new Error('a target is rtmp://host/application/stream-name');
  }
  return { targetUri, targetStreamName };
}

function read(targetUri: string): SourceUrl {
  try {
    return parseSourceUrl(targetUri, RTMP_PORTS);
  } catch (error) {
    // Its words are about sources.
    if (!(error instanceof ParseError)) throw error;
    throw new Error(TARGET_WORDS);
  }
}
