/**
 * Where one of a device's services is: path and port from the device, the host always the one that answered. A service on
 * the same port as the device service is on the port we reached that by, whatever a NAT made of it.
 */
import type { ServiceAddress } from './cam.ts';
import type { OnvifEndpoint } from './onvif-endpoint.ts';

/** What may stand in an HTTP request line. */
const REQUEST_PATH = /^\/[\x21-\x7e]{0,1023}$/;

/** Undefined where the address is of no use. `device`: what the device says of its device service, `reached` where that answered. */
export function serviceEndpoint(
  address: ServiceAddress,
  device: ServiceAddress | undefined,
  reached: OnvifEndpoint,
): OnvifEndpoint | undefined {
  // Empty (obs-ptz PR#312): some firmwares have everything at one address.
  const path = address.path ?? reached.path;
  if (!REQUEST_PATH.test(path)) return undefined;
  const port = portOf(address);
  const devicePort = portOf(device);
  if (port === undefined || devicePort === undefined || port === devicePort) {
    return { ...reached, path };
  }
  return { ...reached, path, port, secure: address.protocol === 'https:' };
}

/** Undefined where none is told: the address has no host, or there is no address. */
function portOf(address: ServiceAddress | undefined): number | undefined {
  if (address === undefined || !address.hostname) return undefined;
  const usual = address.protocol === 'https:' ? 443 : 80;
  const port = Number(address.port || usual);
  return port > 0 && port <= 65_535 ? port : undefined;
}
