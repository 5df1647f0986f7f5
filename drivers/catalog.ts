/** Which driver serves which kind of source: one explicit table, by the scheme of the source's URL. */
import { parsePlayUrl } from '../protocols/rtmp/play-url.ts';
import { RTMP_PORTS } from '../protocols/rtmp/variants.ts';
import { parseSourceUrl } from '../protocols/source-url.ts';
import { RtspCamera } from './camera/rtsp-camera.ts';
import type { Credentials, DriverContext, StreamDriver, TransportChoice } from './driver.ts';
import { HttpEncoder } from './encoder/http-encoder.ts';
import { HTTP_PORTS } from './encoder/http-request.ts';
import { MpegtsTcpEncoder } from './encoder/mpegts-tcp-encoder.ts';
import { MpegtsUdpEncoder } from './encoder/mpegts-udp-encoder.ts';
import { parseMpegtsUrl } from './encoder/mpegts-url.ts';
import { RtmpEncoder } from './encoder/rtmp-encoder.ts';
import { RtpEncoder } from './encoder/rtp-encoder.ts';
import type { TlsTrust } from './tls-trust.ts';

/** What people set for one source. */
export interface SourceDescription {
  /** May carry credentials; those given separately win. */
  readonly url: string;
  readonly credentials?: Credentials;
  readonly transport: TransportChoice;
  /** For multicast: the name of a network interface, or one of our addresses. */
  readonly interface?: string | undefined;
  /** Which certificate is trusted where the scheme means TLS; left out: those of the system's authorities. */
  readonly tls?: TlsTrust;
  /** Of MPEG-TS: the number of the programme; left out: the first that can be carried. */
  readonly program?: number | undefined;
}

export interface SourceKind {
  /** Begins sentences about it: "The camera front-door at 10.0.0.20". */
  readonly what: 'camera' | 'encoder' | 'server';
  /** Where the device is; undefined where the address is not the device's (a multicast group, a port of ours). */
  readonly hostOf: (url: string) => string | undefined;
  /** Throws ParseError when the URL is none. */
  readonly open: (source: SourceDescription, context: DriverContext) => StreamDriver;
}

const RTSP: SourceKind = {
  what: 'camera',
  hostOf: (url) => parseSourceUrl(url).host,
  open: (source, context) => new RtspCamera(source, context),
};

const RTMP: SourceKind = {
  what: 'server',
  hostOf: (url) => parsePlayUrl(url).host,
  open: (source, context) => new RtmpEncoder(source, context),
};

const HTTP: SourceKind = {
  what: 'camera',
  hostOf: (url) => parseSourceUrl(url, HTTP_PORTS).host,
  open: (source, context) => new HttpEncoder(source, context),
};

const MPEGTS_UDP: SourceKind = {
  what: 'encoder',
  hostOf: (url) => parseMpegtsUrl(url).sender,
  open: (source, context) => new MpegtsUdpEncoder(source, context),
};

const MPEGTS_TCP: SourceKind = {
  what: 'encoder',
  hostOf: (url) => parseMpegtsUrl(url).host,
  open: (source, context) => new MpegtsTcpEncoder(source, context),
};

const RTP_BY_SDP: SourceKind = {
  what: 'encoder',
  hostOf: () => undefined,
  open: (source, context) => new RtpEncoder(source, context),
};

const SOURCE_KINDS: ReadonlyMap<string, SourceKind> = new Map([
  ['rtsp', RTSP],
  ['rtsps', RTSP],
  ...[...RTMP_PORTS.keys()].map((scheme): [string, SourceKind] => [scheme, RTMP]),
  ['http', HTTP],
  ['https', HTTP],
  ['udp', MPEGTS_UDP],
  ['rtp', MPEGTS_UDP],
  ['tcp', MPEGTS_TCP],
  ['sdp', RTP_BY_SDP],
]);

/** Undefined for a scheme that no driver here serves. */
export function sourceKindOf(url: string): SourceKind | undefined {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  return scheme === undefined ? undefined : SOURCE_KINDS.get(scheme);
}
