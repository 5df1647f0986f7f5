/**
 * What an mDNS service of a camera or an encoder says about the device, whichever backend found it.
 *
 * `_rtsp._tcp` and `_vlc-http._tcp` (VLC's HTTP output) say their `path` in TXT; some put a whole URL there.
 * No encoder was found that advertises plain MPEG-TS, so for `_mpegts._udp` and `_mpegts._tcp` the keys are our own
 * (drivers/README.md): an Avahi service file beside the encoder is enough. The group is `group` in TXT, or the host
 * resolves to it, as ka9q-radio has it for `_rtp._udp`; that type itself is mostly sound and left alone.
 */
import { isIP, isIPv6 } from 'node:net';
import type { MdnsService } from '../../protocols/mdns/service-cache.ts';
import { isMulticastAddress } from '../../protocols/rtsp/transport.ts';
import { parseMac } from '../../protocols/ws-discovery/scopes.ts';
import type { Sighting } from './sighting.ts';

export const SERVICE_TYPES = [
  '_rtsp._tcp',
  '_axis-video._tcp',
  '_onvif._tcp',
  '_mpegts._udp',
  '_mpegts._tcp',
  '_vlc-http._tcp',
] as const;

/** The same for both backends, so that one can take over from the other. */
export function keyOf(serviceKey: string, link: string): string {
  return `${link} ${serviceKey}`;
}

/** `link`: the interface that it was heard on; empty where that is not known. */
export function sightingOf(service: MdnsService, link: string): Sighting {
  const unicast = service.addresses.filter((address) => !isMulticastAddress(address));
  // A link-local IPv6 address means nothing without its interface; the IPv4 one is always there too.
  const usable = unicast.filter((address) => !address.toLowerCase().startsWith('fe80:'));
  const addresses = usable.length > 0 ? usable : unicast;
  const mac =
    parseMac(service.txt.get('macaddress') ?? service.txt.get('mac')) ??
    trailingMac(service.name) ??
    trailingMac(service.host.replace(/\.local\.?$/i, ''));
  const common = {
    via: 'mdns',
    key: keyOf(service.key, link),
    link,
    addresses,
    hostname: service.host,
    mac,
    serial: service.txt.get('serial') ?? service.txt.get('serialnumber'),
    manufacturer: service.txt.get('manufacturer'),
    model: service.txt.get('model'),
    name: service.name,
  } as const;
  const [address] = addresses;
  const host = address === undefined ? undefined : bracketed(address);
  if (service.type === '_mpegts._udp') return { ...common, ...urls(datagramUrl(service, host)) };
  if (host === undefined) return common;
  switch (service.type) {
    case '_axis-video._tcp':
      return {
        ...common,
        manufacturer: 'AXIS',
        // "AXIS M3045-V - ACCC8E000001"
        model: /^AXIS (.+?)( - [0-9A-F]{12})?$/i.exec(service.name)?.[1],
        xaddrs: [`http://${host}:${service.port}/onvif/device_service`],
        rtspUrls: [`rtsp://${host}:554/axis-media/media.amp`],
      };
    case '_onvif._tcp': {
      const url = urlAt(`http://${host}:${service.port}`, service.txt.get('path'));
      const isBare = url === undefined || new URL(url).pathname === '/';
      const xaddr = isBare ? `http://${host}:${service.port}/onvif/device_service` : url;
      return { ...common, xaddrs: [xaddr] };
    }
    case '_mpegts._tcp':
      return { ...common, ...urls(`tcp://${host}:${service.port}`) };
    case '_vlc-http._tcp':
      return {
        ...common,
        ...urls(urlAt(`http://${host}:${service.port}`, service.txt.get('path'))),
      };
    default: {
      const url = urlAt(`rtsp://${host}:${service.port}`, service.txt.get('path'));
      return url === undefined ? common : { ...common, rtspUrls: [url] };
    }
  }
}

function urls(url: string | undefined): { readonly sourceUrls?: readonly string[] } {
  return url === undefined ? {} : { sourceUrls: [url] };
}

/** A group that it sends to; else it sends to us, and nobody else's packets are meant. */
function datagramUrl(service: MdnsService, host: string | undefined): string | undefined {
  const named = service.txt.get('group');
  const group = [named, ...service.addresses].find((each) => isMulticastAddress(each));
  if (group !== undefined && isIP(group) !== 0) return `udp://@${bracketed(group)}:${service.port}`;
  // A group that is none is a mistake in the announcement: listening elsewhere would hear nothing.
  if (named !== undefined || host === undefined) return undefined;
  return `udp://${host}@:${service.port}`;
}

/** A TXT `path` at the host that was resolved. Where it is a whole URL its host is often a name, or wrong. */
function urlAt(origin: string, path = ''): string | undefined {
  const bare = path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const separator = bare === '' || bare.startsWith('/') ? '' : '/';
  const url = `${origin}${separator}${bare}`;
  return URL.canParse(url) ? new URL(url).href : undefined;
}

function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** Names like `axis-accc8e000001` and `AXIS M3045-V - ACCC8E000001` end in the hardware address. */
function trailingMac(name: string): string | undefined {
  return parseMac(/(?:^|[-_ ])([0-9a-f]{12})$/i.exec(name)?.[1]);
}
