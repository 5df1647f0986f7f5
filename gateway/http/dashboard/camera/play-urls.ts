/** Where a stream can be played, as whoever looks at the page gets there. */

export interface PlayUrl {
  readonly kind: string;
  readonly url: string;
}

/** The usual first; a newer gateway may have others, which follow. */
const ORDER = [
  'central',
  'page',
  'hls',
  'flv',
  'wsFlv',
  'ts',
  'snapshot',
  'rtsp',
  'rtmp',
  'rtmps',
  'rtmpt',
];
const SCHEMES: Readonly<Record<string, string>> = { http: 'https', ws: 'wss' };

export interface Viewpoint {
  readonly page: { readonly host: string; readonly protocol: string };
  /** What is played over HTTP is at the page's own host, port and scheme. */
  readonly isLocal: boolean;
  /** Fleet view: where the central side has it. */
  readonly central?: string | undefined;
}

const LOOPBACK = /^\w+:\/\/(127\.[\d.]+|localhost|\[::1\])(:|\/|$)/;

export function playUrls(
  urls: Readonly<Record<string, string>>,
  { page, isLocal, central }: Viewpoint,
): readonly PlayUrl[] {
  const rank = (kind: string) => (ORDER.indexOf(kind) + ORDER.length + 1) % (ORDER.length + 1);
  const isOnBox = LOOPBACK.test(`${page.protocol}//${page.host}`);
  return Object.entries({ ...(central && { central }), ...urls })
    .map(([kind, url]) => ({ kind, url: isLocal ? seenFrom(page, url) : url }))
    .filter(({ url }) => isOnBox || !LOOPBACK.test(url))
    .sort((one, other) => rank(one.kind) - rank(other.kind));
}

function seenFrom(page: Viewpoint['page'], url: string): string {
  const parts = /^(http|ws)s?:\/\/[^/]+(.*)$/.exec(url);
  const [, plain = '', path = ''] = parts ?? [];
  if (parts === null) return url;
  const scheme = page.protocol === 'https:' ? SCHEMES[plain] : plain;
  return `${scheme}://${page.host}${path}`;
}
