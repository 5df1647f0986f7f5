/**
 * The Transport, Session, RTP-Info and Public headers. RFC 2326 §12.39, §12.37, §12.33, §12.28.
 */

export type TransportRequest =
  | { readonly lower: 'tcp'; readonly channel: number }
  | { readonly lower: 'udp'; readonly port: number }
  | { readonly lower: 'multicast' };

export interface TransportAnswer {
  readonly lower: TransportRequest['lower'];
  /** The first interleaved channel; RTCP goes over `rtcpChannel`. */
  readonly channel: number | undefined;
  readonly rtcpChannel: number | undefined;
  readonly serverPort: number | undefined;
  readonly serverRtcpPort: number | undefined;
  /** The group's ports. */
  readonly port: number | undefined;
  readonly rtcpPort: number | undefined;
  /** The group, where it is one. */
  readonly destination: string | undefined;
  readonly source: string | undefined;
}

export function serializeTransport(transport: TransportRequest): string {
  switch (transport.lower) {
    case 'tcp':
      return `RTP/AVP/TCP;unicast;interleaved=${transport.channel}-${transport.channel + 1}`;
    case 'udp':
      return `RTP/AVP;unicast;client_port=${transport.port}-${transport.port + 1}`;
    case 'multicast':
      return 'RTP/AVP;multicast';
  }
}

/** The first transport of the answer; what cannot be read is left out. */
export function parseTransport(text: string): TransportAnswer {
  const [profile = '', ...rest] = (text.split(',')[0] ?? '').split(';').map((part) => part.trim());
  const parameters = new Map(rest.map(splitParameter));
  const channels = parseRange(parameters.get('interleaved'), 255);
  const serverPorts = parseRange(parameters.get('server_port'), 65_535);
  const ports = parseRange(parameters.get('port'), 65_535);
  const destination = parameters.get('destination') || undefined;
  // Some cameras leave /TCP out of the profile but name the channels.
  const isTcp = /\/TCP$/i.test(profile) || channels !== undefined;
  // Some answer multicast to a request for unicast, and leave the word out but name the group.
  const isMulticast = parameters.has('multicast') || isMulticastAddress(destination);
  return {
    lower: isTcp ? 'tcp' : isMulticast ? 'multicast' : 'udp',
    channel: channels?.[0],
    rtcpChannel: channels?.[1],
    // 0 is what some write who do not know.
    serverPort: serverPorts?.[0] || undefined,
    serverRtcpPort: serverPorts?.[1] || undefined,
    port: ports?.[0] || undefined,
    rtcpPort: ports?.[1] || undefined,
    destination,
    source: parameters.get('source') || undefined,
  };
}

/** What a client offers that a server can do: RTP over its connection, or over UDP to the client itself. */
export type TransportOffer =
  | { readonly lower: 'tcp'; readonly channels: readonly [number, number] | undefined }
  | { readonly lower: 'udp'; readonly ports: readonly [number, number] };

const MAX_OFFERS = 16;

/** In the client's order (§12.39). Encrypted RTP, groups and what cannot be read are left out. */
export function parseTransportOffers(text: string): TransportOffer[] {
  const offers: TransportOffer[] = [];
  for (const part of text.split(',', MAX_OFFERS)) {
    const [profile = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const parameters = new Map(rest.map(splitParameter));
    const match = /^RTP\/AVP(?:\/(TCP|UDP))?$/i.exec(profile);
    if (match === null || parameters.has('multicast')) continue;
    const channels = parseRange(parameters.get('interleaved'), 255);
    const ports = parseRange(parameters.get('client_port'), 65_535);
    if (match[1]?.toUpperCase() === 'TCP' || channels !== undefined) {
      offers.push({ lower: 'tcp', channels });
    } else if (ports !== undefined && ports[0] > 0 && ports[1] > 0) {
      offers.push({ lower: 'udp', ports });
    }
  }
  return offers;
}

/** RFC 5771: 224.0.0.0/4; RFC 4291 §2.7: ff00::/8. */
export function isMulticastAddress(address: string | undefined): boolean {
  return /^(2(2[4-9]|3\d)(\.\d{1,3}){3}|ff[\da-f]{2}:[\da-f:.]+)$/i.test(address ?? '');
}

/** When the Session header does not say: RFC 2326 §12.37. */
const DEFAULT_TIMEOUT_S = 60;
/** What is shorter would be a keepalive storm, what is longer nobody's router remembers. */
const MIN_TIMEOUT_S = 4;
const MAX_TIMEOUT_S = 3600;

export interface SessionHeader {
  readonly id: string;
  readonly timeoutMs: number;
}

/** `id ; timeout = 60` with any spacing. */
export function parseSession(text: string): SessionHeader {
  const [id = '', ...rest] = text.split(';').map((part) => part.trim());
  const timeout = new Map(rest.map(splitParameter)).get('timeout') ?? '';
  const seconds = /^\d{1,9}/.test(timeout) ? Number.parseInt(timeout, 10) : DEFAULT_TIMEOUT_S;
  const bounded = seconds === 0 ? DEFAULT_TIMEOUT_S : seconds;
  return { id, timeoutMs: Math.min(Math.max(bounded, MIN_TIMEOUT_S), MAX_TIMEOUT_S) * 1000 };
}

export interface RtpInfo {
  readonly url: string;
  readonly seq: number | undefined;
  readonly rtpTimestamp: number | undefined;
}

const MAX_RTP_INFOS = 32;

/** One entry per stream. URLs may hold commas and semicolons, so entries are found by their `url=`. */
export function parseRtpInfo(text: string): RtpInfo[] {
  return text
    .split(/(?<![^,;\s])url\s*=/i)
    .slice(1, 1 + MAX_RTP_INFOS)
    .map((entry) => ({
      url: bareUrl(entry.replace(/;\s*(?:seq|rtptime|ssrc)\s*=.*$/is, '')),
      seq: numberAfter(entry, /;\s*seq\s*=\s*(\d+)/i, 0xffff),
      rtpTimestamp: numberAfter(entry, /;\s*rtptime\s*=\s*(\d+)/i, 0xffffffff),
    }));
}

/** Without quotes, blanks and what is between two entries. By hand: a pattern would try every run of blanks anew. */
function bareUrl(text: string): string {
  let end = text.length;
  while (end > 0 && /[",;\s]/.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end).replace(/^["\s]+/, '');
}

function numberAfter(text: string, pattern: RegExp, max: number): number | undefined {
  const digits = pattern.exec(text)?.[1];
  if (digits === undefined || digits.length > 10 || Number(digits) > max) return undefined;
  return Number(digits);
}

function splitParameter(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals === -1) return [text.toLowerCase(), ''];
  const value = text.slice(equals + 1).trim();
  return [text.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1')];
}

/** `2-3`, or `2` alone, which leaves the second to be the next. */
function parseRange(text: string | undefined, max: number): [number, number] | undefined {
  const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?/.exec(text ?? '');
  if (match?.[1] === undefined) return undefined;
  const first = Number(match[1]);
  const second = match[2] === undefined ? first + 1 : Number(match[2]);
  return first > max || second > max ? undefined : [first, second];
}
