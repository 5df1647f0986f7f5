/** Which driver serves which kind of source: one explicit table, by the scheme of the source's URL. */
import { parsePlayUrl } from '../protocols/rtmp/play-url.ts';
import { parseSourceUrl } from '../protocols/source-url.ts';
import { RtspCamera } from './camera/rtsp-camera.ts';
import type { Credentials, DriverContext, StreamDriver } from './driver.ts';
import { HttpEncoder } from './encoder/http-encoder.ts';
import { HTTP_PORTS } from './encoder/http-request.ts';
import { RtmpEncoder } from './encoder/rtmp-encoder.ts';
import type { TlsTrust } from './tls-trust.ts';

/** What people set for one source. */
export interface SourceDescription {
  /** May carry credentials; those given separately win. */
  readonly url: string;
  readonly credentials?: Credentials;
  readonly transport: 'auto' | 'tcp' | 'udp';
  /** Which certificate is trusted where the scheme means TLS; left out: those of the system's authorities. */
  readonly tls?: TlsTrust;
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

const SOURCE_KINDS: ReadonlyMap<string, SourceKind> = new Map([
  ['rtsp', RTSP],
  ['rtsps', RTSP],
  ['rtmp', RTMP],
  ['rtmps', RTMP],
  ['http', HTTP],
  ['https', HTTP],
]);

/** Undefined for a scheme that no driver here serves. */
export function sourceKindOf(url: string): SourceKind | undefined {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  return scheme === undefined ? undefined : SOURCE_KINDS.get(scheme);
}
