/** Which URLs are taken as a source, a publish target and a broker, and what to say about others. */
import { ParseError } from '../../codecs/errors.ts';
import { parseMpegtsUrl } from '../../drivers/encoder/mpegts-url.ts';
import { sdpPathOf } from '../../drivers/encoder/sdp-file.ts';

const SOURCE_SCHEMES = ['rtsp:', 'rtsps:', 'rtmp:', 'rtmps:', 'http:', 'https:', 'onvif:'];
/** MPEG-TS: without a host where we listen. */
const MPEGTS_SCHEMES = ['udp:', 'rtp:', 'tcp:'];
const TARGET_SCHEMES = ['rtmp:', 'rtmps:'];
const BROKER_SCHEMES = ['mqtt:', 'mqtts:'];

/** Schemes that are planned but do nothing in this version. */
const LATER_SOURCES = ['rtmpe:', 'rtmpt:', 'rtmpte:'];
const LATER_TARGETS = ['rtmpe:', 'rtmpt:', 'rtmpte:'];

/** Schemes of other worlds, and what to do instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['srt:', 'let the encoder send RTMP, or put a relay before it that speaks SRT and RTMP'],
  ['rist:', 'let the encoder send RTMP, or put a relay before it that speaks RIST and RTMP'],
  ['webrtc:', 'use the RTSP or RTMP URL of the same device'],
]);

export const SOURCE_EXPECTED =
  'a URL rtsp://, rtsps://, rtmp://, rtmps://, http://, https://, udp://, rtp://, tcp://, sdp:///file or onvif://host';
export const TARGET_EXPECTED = 'a URL rtmp://host/app or rtmps://host/app';
export const BROKER_EXPECTED = 'a URL mqtt://host or mqtts://host';

export function sourceProblem(value: string): string | undefined {
  const scheme = schemeOf(value);
  const instead = INSTEAD.get(scheme);
  if (instead !== undefined) return `${SOURCE_EXPECTED} (${scheme}// is not taken: ${instead})`;
  if (MPEGTS_SCHEMES.includes(scheme)) return parseProblem(value, parseMpegtsUrl);
  if (scheme === 'sdp:') return parseProblem(value, sdpPathOf);
  return urlProblem(value, SOURCE_SCHEMES, LATER_SOURCES, SOURCE_EXPECTED);
}

export function targetProblem(value: string): string | undefined {
  return urlProblem(value, TARGET_SCHEMES, LATER_TARGETS, TARGET_EXPECTED);
}

export function brokerProblem(value: string): string | undefined {
  return urlProblem(value, BROKER_SCHEMES, [], BROKER_EXPECTED);
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

function urlProblem(
  value: string,
  supported: readonly string[],
  later: readonly string[],
  expected: string,
): string | undefined {
  const scheme = schemeOf(value);
  if (later.includes(scheme)) return `${expected} (${scheme}// is not supported in this version)`;
  if (!supported.includes(scheme)) return expected;
  // The authority only: a path of a camera need not be a valid URL path (some hold spaces and %).
  const authority = /^[^:]+:\/\/([^/?#]*)/.exec(value)?.[1] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (!/^(\[[0-9a-fA-F:.%]+\]|[^\s:[\]]+)(:\d{1,5})?$/.test(host)) return expected;
  return /\s/.test(value) ? `${expected} without spaces` : undefined;
}
