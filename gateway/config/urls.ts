/** Which URLs are taken as a source, a publish target and a broker, and what to say about others. */
import { ParseError } from '../../codecs/errors.ts';
import { sourceKindOf } from '../../drivers/catalog.ts';
import { HTTP_PORTS } from '../../drivers/encoder/http-request.ts';
import { parseMpegtsUrl } from '../../drivers/encoder/mpegts-url.ts';
import { sdpPathOf } from '../../drivers/encoder/sdp-file.ts';
import { parseOnvifUrl } from '../../drivers/onvif/onvif-endpoint.ts';
import { RTMP_PORTS } from '../../protocols/rtmp/variants.ts';
import { parseSourceUrl } from '../../protocols/source-url.ts';
import { parseTargetUri } from '../proxypublish/target-url.ts';
import { type HostPort, parseHostPort } from './fields.ts';

const RTMP_SCHEMES = [...RTMP_PORTS.keys()].map((scheme) => `${scheme}:`);
const SOURCE_SCHEMES = ['rtsp:', 'rtsps:', ...RTMP_SCHEMES, 'http:', 'https:', 'onvif:'];
/** MPEG-TS: without a host where we listen. */
const MPEGTS_SCHEMES = ['udp:', 'rtp:', 'tcp:'];
const BROKER_SCHEMES = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/** Schemes of other worlds, and what to do instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['srt:', insteadOf('SRT')],
  ['rist:', insteadOf('RIST')],
  ['webrtc:', 'use the RTSP or RTMP URL of the same device'],
]);

/** Both carry MPEG-TS. */
function insteadOf(protocol: string): string {
  return `let the encoder send the same MPEG-TS to udp://@:port, or put a relay before it that takes ${protocol}`;
}

export const SOURCE_EXPECTED =
  'a URL rtsp://, rtsps://, rtmp://, rtmps:// (rtmpe, rtmpt, rtmpts, rtmpte), http://, https://, udp://, rtp://, tcp://, sdp:///file or onvif://host';
export const TARGET_EXPECTED =
  'a URL rtmp://host/app or rtmps://host/app (rtmpe, rtmpt, rtmpts, rtmpte)';
export const SNAPSHOT_EXPECTED = 'a URL http://host/path or https://host/path';
export const PTZ_EXPECTED = 'LINE/HEAD of serial, or a URL visca://host or visca://host:port';
export const BROKER_EXPECTED = 'a URL mqtt://host, mqtts://host, ws://host/path or wss://host/path';

/** Of an extension, which alone knows what else is in the URL. */
export function isExtensionSource(value: string): boolean {
  return schemeOf(value).startsWith('x-');
}

export function sourceProblem(value: string): string | undefined {
  const scheme = schemeOf(value);
  if (isExtensionSource(value)) return undefined;
  const instead = INSTEAD.get(scheme);
  if (instead !== undefined) {
    return `another source than ${scheme}//, which this version does not take: ${instead}`;
  }
  if (MPEGTS_SCHEMES.includes(scheme)) return parseProblem(value, parseMpegtsUrl);
  if (scheme === 'sdp:') return parseProblem(value, sdpPathOf);
  return (
    schemeProblem(scheme, SOURCE_SCHEMES, SOURCE_EXPECTED) ??
    readProblem(value, readSource, sourceWords(scheme))
  );
}

export function snapshotProblem(value: string): string | undefined {
  const read = (url: string) => parseSourceUrl(url, HTTP_PORTS);
  return (
    schemeProblem(schemeOf(value), ['http:', 'https:'], SNAPSHOT_EXPECTED) ??
    readProblem(value, read, SNAPSHOT_EXPECTED)
  );
}

/** VISCA over IP, from its URL; its port is 52381 but where it is told. */
export function parseViscaUrl(value: string): HostPort | undefined {
  const rest = /^visca:\/\/([^/?#]+)\/?$/.exec(value)?.[1];
  if (rest === undefined) return undefined;
  return parseHostPort(rest) ?? parseHostPort(`${rest}:52381`);
}

export function ptzProblem(value: string): string | undefined {
  const isHead = /^[a-z0-9-]{1,48}\/[a-z0-9-]{1,48}$/.test(value);
  return isHead || parseViscaUrl(value) !== undefined ? undefined : PTZ_EXPECTED;
}

export function targetProblem(value: string): string | undefined {
  return (
    schemeProblem(schemeOf(value), RTMP_SCHEMES, TARGET_EXPECTED) ??
    readProblem(value, parseTargetUri, TARGET_EXPECTED)
  );
}

export function brokerProblem(value: string): string | undefined {
  return (
    schemeProblem(schemeOf(value), BROKER_SCHEMES, BROKER_EXPECTED) ??
    readProblem(value, (url) => new URL(url), BROKER_EXPECTED)
  );
}

export function schemeOf(value: string): string {
  return /^([a-z][a-z0-9+.-]*:)\/\//i.exec(value)?.[1]?.toLowerCase() ?? '';
}

function parseProblem(value: string, parse: (url: string) => unknown): string | undefined {
  try {
    parse(value);
    return undefined;
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}

function schemeProblem(
  scheme: string,
  supported: readonly string[],
  expected: string,
): string | undefined {
  return supported.includes(scheme) ? undefined : expected;
}

/** Whatever the driver or publisher cannot read; people paste passwords as they are, so it is they who know. */
function readProblem(
  value: string,
  read: (url: string) => unknown,
  expected: string,
): string | undefined {
  try {
    read(value);
  } catch {
    return expected;
  }
  return /\s/.test(value) ? `${expected} without spaces` : undefined;
}

function readSource(url: string): void {
  if (schemeOf(url) === 'onvif:') parseOnvifUrl(url);
  else sourceKindOf(url)?.hostOf(url);
}

function sourceWords(scheme: string): string {
  return RTMP_SCHEMES.includes(scheme)
    ? `a URL ${scheme}//server/application/stream-name`
    : SOURCE_EXPECTED;
}
