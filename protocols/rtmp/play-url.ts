/**
 * The address of a stream at an RTMP server, as people write it for a player:
 * `rtmp://user:password@host:port/application/stream?query`. The stream is what is behind the last slash, with its query:
 * Reolink cameras and most servers take passwords and tokens there.
 */
import { ParseError } from '../../codecs/errors.ts';
import { parseSourceUrl, type SourceUrl } from '../source-url.ts';
import { isRtmpScheme, RTMP_PORTS, type RtmpScheme } from './variants.ts';

export interface PlayUrl extends SourceUrl {
  readonly scheme: RtmpScheme;
  readonly app: string;
  /** What connect says; without user and password. */
  readonly tcUrl: string;
  readonly streamName: string;
}

/** Messages never quote the text: it may hold a password. */
export function parsePlayUrl(text: string): PlayUrl {
  const source = parseSourceUrl(text, RTMP_PORTS);
  const { scheme } = source;
  const [, place = '', path = '', query = ''] =
    /^[a-z]+:\/\/([^/?#]*)\/?([^?]*)(.*)$/s.exec(source.url) ?? [];
  const slash = path.lastIndexOf('/');
  const app = path.slice(0, Math.max(slash, 0));
  const name = path.slice(slash + 1);
  if (app === '' || name === '' || !isRtmpScheme(scheme)) {
    throw new ParseError("The source's URL must be rtmp://host/application/stream");
  }
  return {
    ...source,
    scheme,
    app,
    tcUrl: `${scheme}://${place}/${app}`,
    streamName: name + query,
  };
}
