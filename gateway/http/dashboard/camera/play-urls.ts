/** Where a stream can be played, as whoever looks at the page gets there. */

export interface PlayUrl {
  readonly kind: string;
  readonly url: string;
}

/** The usual first; a newer gateway may have others, which follow. */
const ORDER = ['page', 'hls', 'flv', 'wsFlv', 'ts', 'snapshot', 'rtsp', 'rtmp', 'rtmps', 'rtmpt'];
const SCHEMES: Readonly<Record<string, string>> = { http: 'https', ws: 'wss' };

/** `page`: in the local view the page's own address: what is played over HTTP is at the same host, port and scheme. */
export function playUrls(
  urls: Readonly<Record<string, string>>,
  page: { readonly host: string; readonly protocol: string } | undefined,
): readonly PlayUrl[] {
  const rank = (kind: string) => (ORDER.indexOf(kind) + ORDER.length + 1) % (ORDER.length + 1);
  return Object.entries(urls)
    .map(([kind, url]) => ({ kind, url: page === undefined ? url : seenFrom(page, url) }))
    .sort((one, other) => rank(one.kind) - rank(other.kind));
}

function seenFrom(page: { readonly host: string; readonly protocol: string }, url: string): string {
  const parts = /^(http|ws)s?:\/\/[^/]+(.*)$/.exec(url);
  const [, plain = '', path = ''] = parts ?? [];
  if (parts === null) return url;
  const scheme = page.protocol === 'https:' ? SCHEMES[plain] : plain;
  return `${scheme}://${page.host}${path}`;
}
