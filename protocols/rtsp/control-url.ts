/**
 * The URLs of a presentation and of its streams (RFC 2326 §C.1.1). The RFC resolves a relative control
 * against the base as RFC 1808 does, which eats the last segment of a base without a slash; cameras are
 * written against clients that append, so we append.
 */

interface SplitUrl {
  readonly scheme: string;
  /** Host and port, without user-info. */
  readonly authority: string;
  /** Path and query, with the leading slash. */
  readonly path: string;
}

/** Hosts a camera calls itself that mean nothing to us, unless we called it so too. */
const SELF_HOSTS: ReadonlySet<string> = new Set(['0.0.0.0', '127.0.0.1', 'localhost', '::', '::1']);

/** The base for `joinControl`: Content-Base, else Content-Location, else the URL of the request. */
export function baseUrl(
  requestUrl: string,
  contentBase: string | undefined,
  contentLocation: string | undefined,
): string {
  const request = splitUrl(requestUrl);
  for (const header of [contentBase, contentLocation]) {
    const text = header?.trim() ?? '';
    const base = text === '' ? undefined : (absolute(text, request) ?? fromRoot(text, request));
    if (base !== undefined) return write(base);
  }
  return request === undefined ? escapeBlanks(requestUrl) : write(request);
}

/** The URL for SETUP of one stream, or for PLAY of all, from its `a=control`. */
export function joinControl(base: string, control: string | undefined): string {
  const reference = splitUrl(base);
  const start = reference === undefined ? escapeBlanks(base) : write(reference);
  const text = control?.trim() ?? '';
  if (text === '' || text === '*') return start;
  const complete = absolute(text, reference);
  if (complete !== undefined) return write(complete);
  if (reference !== undefined && repeatsPath(text, reference.path)) {
    return write({ ...reference, path: text });
  }
  const relative = escapeBlanks(text);
  if (relative.startsWith('?')) return start + relative;
  const joined = `${start.replace(/\/$/, '')}/${relative.replace(/^\//, '')}`;
  const url = splitUrl(joined);
  // Below a base without a host the control may look like user and password.
  return url === undefined ? joined : write(url);
}

/** A control `/live/trackID=1` or `/live?track=1` below a base `…/live` is a path from the root. */
function repeatsPath(control: string, path: string): boolean {
  const [folder = ''] = path.split(/\/?(?:\?|$)/);
  const rest = control.startsWith(folder) ? control.slice(folder.length) : undefined;
  return folder !== '' && rest !== undefined && /^([/?]|$)/.test(rest);
}

/** A URL with a host, mended by what we know of the request; undefined when the text is none. */
function absolute(text: string, reference: SplitUrl | undefined): SplitUrl | undefined {
  const url = splitUrl(text) ?? withoutScheme(text, reference);
  if (url === undefined) return undefined;
  const authority = bracketed(url.authority, reference);
  if (reference === undefined) return { ...url, authority };
  const isMeaningless =
    hostOf(authority) === '' ||
    (SELF_HOSTS.has(hostOf(authority)) && !SELF_HOSTS.has(hostOf(reference.authority)));
  return { ...url, authority: isMeaningless ? reference.authority : authority };
}

/** `10.0.0.2:554/live/` */
function withoutScheme(text: string, reference: SplitUrl | undefined): SplitUrl | undefined {
  if (reference === undefined) return undefined;
  const url = splitUrl(`${reference.scheme}://${text}`);
  if (url === undefined || url.authority === '') return undefined;
  const isNamed = hostOf(bracketed(url.authority, reference)) === hostOf(reference.authority);
  const isAddress = /^(\d{1,3}(\.\d{1,3}){3}|\[[\da-f:.]+\])(:\d+)?$/i.test(url.authority);
  return isNamed || isAddress ? url : undefined;
}

/** `/live/` */
function fromRoot(text: string, request: SplitUrl | undefined): SplitUrl | undefined {
  return request !== undefined && /^\/(?!\/)/.test(text) ? { ...request, path: text } : undefined;
}

/** Undefined when it has not our scheme. Takes the inner one of `rtsp://rtsp://host/`. */
function splitUrl(text: string): SplitUrl | undefined {
  const [, scheme, authority, path] =
    /^\s*(?:rtsps?:\/\/)*(rtsps?):\/\/([^/?#]*)(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) return undefined;
  return {
    scheme: scheme.toLowerCase(),
    authority: authority.slice(authority.lastIndexOf('@') + 1),
    path,
  };
}

/**
 * Brackets for `fe80::1`. Whether the last group of `fe80::1:554` is a port, only the request's host can
 * tell; without its help the whole is an address, if it can be one.
 */
function bracketed(authority: string, reference: SplitUrl | undefined): string {
  if (authority.startsWith('[') || authority.split(':').length < 3) return authority;
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(authority) ?? [];
  const isPort = reference !== undefined && address.toLowerCase() === hostOf(reference.authority);
  if (!isPort && URL.canParse(`http://[${authority}]/`)) return `[${authority}]`;
  return URL.canParse(`http://[${address}]/`) ? `[${address}]:${port}` : authority;
}

/** In lower case, without brackets and port. */
function hostOf(authority: string): string {
  const [, v6, name] = /^(?:\[([^\]]*)\]|([^:]*))/.exec(authority) ?? [];
  return (v6 ?? name ?? '').toLowerCase();
}

function write({ scheme, authority, path }: SplitUrl): string {
  return escapeBlanks(`${scheme}://${authority}${path}`);
}

/** A blank would end the URL in the request line, a line break the line. */
function escapeBlanks(url: string): string {
  return url.trim().replace(/[\s\p{Cc}]/gu, (character) => encodeURIComponent(character));
}
