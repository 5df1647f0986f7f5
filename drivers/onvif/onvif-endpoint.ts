/** Where a device's ONVIF service is. */
import { isIPv6 } from 'node:net';
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import { parseSourceUrl, type SourceUrl } from '../../protocols/source-url.ts';
import type { DiscoveredDevice } from '../discovery/device-registry.ts';
import type { Credentials } from '../driver.ts';

/** ONVIF Core §5.1.1. */
export const DEVICE_SERVICE_PATH = '/onvif/device_service';
const MAX_ENDPOINTS = 8;
const ONVIF_PORTS: ReadonlyMap<string, number> = new Map([
  ['onvif', 80],
  ['onvifs', 443],
]);

export interface OnvifEndpoint {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** HTTPS. */
  readonly secure: boolean;
}

export interface OnvifUrl extends OnvifEndpoint {
  readonly credentials: Credentials | undefined;
}

/** Reads `onvif://[user:password@]host[:port][/path]`; `onvifs` speaks HTTPS. */
export function parseOnvifUrl(text: string): OnvifUrl {
  const { scheme, host, port, url, credentials } = readUrl(text);
  const path = /^[a-z]+:\/\/[^/?#]*(.*)$/s.exec(url)?.[1] ?? '';
  return {
    ...{ host, port, credentials, secure: scheme === 'onvifs' },
    path: path === '' || path === '/' ? DEVICE_SERVICE_PATH : path,
  };
}

function readUrl(text: string): SourceUrl {
  try {
    return parseSourceUrl(text, ONVIF_PORTS);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ProtocolError('ONVIF_URL', error.message);
  }
}

/**
 * Where to try a discovered device, best first. Only hosts that its packets came from: the host in
 * an XAddr may be stale or unreachable, and by now another device's, so just its port and path count.
 */
export function endpointsOf(
  device: Pick<DiscoveredDevice, 'addresses' | 'xaddrs'>,
): OnvifEndpoint[] {
  const services = device.xaddrs.flatMap((xaddr) => (URL.canParse(xaddr) ? [new URL(xaddr)] : []));
  const endpoints = new Map<string, OnvifEndpoint>();
  for (const address of device.addresses) {
    const own = services.filter((url) => bareHost(url.hostname) === address);
    for (const url of own.length > 0 ? own : services) {
      const endpoint = endpointAt(address, url, url.protocol === 'https:');
      endpoints.set(describeEndpoint(endpoint), endpoint);
    }
  }
  return [...endpoints.values()].slice(0, MAX_ENDPOINTS);
}

export function describeEndpoint(endpoint: OnvifEndpoint): string {
  const scheme = endpoint.secure ? 'https' : 'http';
  return `${scheme}://${urlHost(endpoint.host)}:${endpoint.port}${endpoint.path}`;
}

/** As a URL wants it: IPv6 in brackets, without its zone. */
export function urlHost(host: string): string {
  const [address = host] = host.split('%');
  return isIPv6(address) ? `[${address}]` : host;
}

/** The same URL at the host that answered; port, path and query stay byte for byte. */
export function atHost(url: string, host: string): string | undefined {
  const match =
    /^(rtsps?|https?)(:\/\/)(?:[^/@?#]*@)?(?:\[[^\]/]*\]|[^:/?#[\]]*)((?::\d{1,5})?(?:[/?#].*)?)$/i.exec(
      url.trim(),
    );
  if (match === null) return undefined;
  const [, scheme = '', slashes = '', rest = ''] = match;
  return `${scheme.toLowerCase()}${slashes}${urlHost(host)}${rest.replace(/\s/g, '%20')}`;
}

function endpointAt(host: string, url: URL, secure: boolean): OnvifEndpoint {
  return {
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path:
      url.pathname === '' || url.pathname === '/' ? DEVICE_SERVICE_PATH : url.pathname + url.search,
    secure,
  };
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
