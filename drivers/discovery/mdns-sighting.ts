/** What an mDNS service of a camera says about the device, whichever backend found it. */
import { isIPv6 } from 'node:net';
import type { MdnsService } from '../../protocols/mdns/service-cache.ts';
import { parseMac } from '../../protocols/ws-discovery/scopes.ts';
import type { Sighting } from './sighting.ts';

export const SERVICE_TYPES = ['_rtsp._tcp', '_axis-video._tcp', '_onvif._tcp'] as const;

export function sightingOf(service: MdnsService): Sighting {
  // A link-local IPv6 address means nothing without its interface; the IPv4 one is always there too.
  const usable = service.addresses.filter((address) => !address.toLowerCase().startsWith('fe80:'));
  const addresses = usable.length > 0 ? usable : service.addresses;
  const mac =
    parseMac(service.txt.get('macaddress') ?? service.txt.get('mac')) ??
    trailingMac(service.name) ??
    trailingMac(service.host.replace(/\.local\.?$/i, ''));
  const common = {
    via: 'mdns',
    key: service.key,
    addresses,
    hostname: service.host,
    mac,
    serial: service.txt.get('serial') ?? service.txt.get('serialnumber'),
    name: service.name,
  } as const;
  const [address] = addresses;
  if (address === undefined) return common;
  const host = isIPv6(address) ? `[${address}]` : address;
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
    case '_onvif._tcp':
      return { ...common, xaddrs: [`http://${host}:${service.port}/onvif/device_service`] };
    default: {
      const path = service.txt.get('path') ?? '';
      const separator = path === '' || path.startsWith('/') ? '' : '/';
      const url = `rtsp://${host}:${service.port}${separator}${path}`;
      return URL.canParse(url) ? { ...common, rtspUrls: [new URL(url).href] } : common;
    }
  }
}

/** Names like `axis-accc8e000001` and `AXIS M3045-V - ACCC8E000001` end in the hardware address. */
function trailingMac(name: string): string | undefined {
  return parseMac(/(?:^|[-_ ])([0-9a-f]{12})$/i.exec(name)?.[1]);
}
