/** Which URLs are taken as a source, a publish target and a broker, and what to say about others. */

const SOURCE_SCHEMES = ['rtsp:', 'rtsps:', 'onvif:'];
const TARGET_SCHEMES = ['rtmp:', 'rtmps:'];
const BROKER_SCHEMES = ['mqtt:', 'mqtts:'];

/** Schemes that are planned but do nothing in this version. */
const LATER_SOURCES = [
  'rtmp:',
  'rtmps:',
  'rtmpe:',
  'rtmpt:',
  'rtmpte:',
  'udp:',
  'tcp:',
  'http:',
  'https:',
];
const LATER_TARGETS = ['rtmpe:', 'rtmpt:', 'rtmpte:'];

export const SOURCE_EXPECTED = 'a URL rtsp://, rtsps:// or onvif://host';
export const TARGET_EXPECTED = 'a URL rtmp://host/app or rtmps://host/app';
export const BROKER_EXPECTED = 'a URL mqtt://host or mqtts://host';

export function sourceProblem(value: string): string | undefined {
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
