/** Where a device's ONVIF service is. */
import { isIPv6 } from 'node:net';
import { ProtocolError } from '../../codecs/errors.ts';
import type { DiscoveredDevice } from '../discovery/device-registry.ts';

/** ONVIF Core §5.1.1. */
export const DEVICE_SERVICE_PATH = '/onvif/device_service';
const MAX_ENDPOINTS = 8;

export interface OnvifEndpoint {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** HTTPS. */
  readonly secure: boolean;
}

/** Reads `onvif://host[:port][/path]`; `onvifs` speaks HTTPS. Credentials in the URL are not looked at. */
export function parseOnvifUrl(text: string): OnvifEndpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^onvifs?:$/.test(url.protocol) || url.hostname === '') {
    throw new ProtocolError('ONVIF_URL', `expected onvif://host[:port][/path], got "${text}"`);
  }
  return endpointAt(bareHost(url.hostname), url, url.protocol === 'onvifs:');
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
