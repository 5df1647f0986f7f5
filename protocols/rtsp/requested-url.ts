/** What a client's request URL names: the stream, a track of it, and perhaps a token. */

export interface RequestedUrl {
  /** The path without slashes at its ends and without `live/`; empty when it names nothing. */
  readonly name: string;
  /** `?token=` */
  readonly token: string | undefined;
  /** The whole URL without user-info and without the track. */
  readonly base: string;
  /** As `trackID=1` at the end says. */
  readonly track: number | undefined;
}

/** Of our own descriptions; it comes behind the query where there is one, because clients append it. */
const TRACK = /\/trackID=(\d{1,3})$/i;

/** Never throws: what is no URL names nothing. */
export function parseRequestedUrl(text: string): RequestedUrl {
  const whole = text.replace(/^(rtsps?:\/\/)[^/?#]*@/i, '$1');
  const track = TRACK.exec(whole)?.[1];
  const base = whole.replace(TRACK, '').replace(/\/+$/, '');
  const [, path = '', query = ''] = /^(?:rtsps?:\/\/[^/?]*)?\/?([^?]*)\??(.*)$/is.exec(base) ?? [];
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '*');
  if (segments.length > 1 && segments[0] === 'live') segments.shift();
  return {
    name: segments.map(decoded).join('/'),
    token: new URLSearchParams(query).get('token') ?? undefined,
    base,
    track: track === undefined ? undefined : Number(track),
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a percent sign that is only one
  }
}
