/** What a found device is good for, in plain words with what to do: the list of `sluice discover`. */
import type { DiscoveredDevice } from '../drivers/discovery/device-registry.ts';
import { isOnOwnNetwork } from '../drivers/discovery/interfaces.ts';
import { DEVICE_SERVICE_PATH, endpointsOf, urlHost } from '../drivers/onvif/onvif-endpoint.ts';
import { apartWords } from './adoption/apart.ts';
import type { CauseCode } from './report/status.ts';

export interface Finding {
  readonly code: CauseCode;
  /** Empty where there is nothing to do about it. */
  readonly reason: string;
  /** What to set as a stream's source; undefined where it does not say. */
  readonly source?: string;
}

export function findingOf(device: DiscoveredDevice): Finding {
  const source = sourceOf(device);
  const has = source === undefined ? {} : { source };
  const apart = apartWords(device.addresses, device.answered);
  if (apart !== undefined) return { code: 'other-network', reason: apart, ...has };
  if (source === undefined) {
    return {
      code: 'no-source',
      reason:
        'It says neither where its ONVIF service nor where its stream is. Is ONVIF switched on in its settings?',
    };
  }
  if (/^rtsps?:\/\/[^/]+\/?$/.test(source)) {
    return {
      code: 'ok',
      reason: `The path of its stream it does not say: ${source} may need more of it, such as /stream1 (its manual tells), or ONVIF switched on in its settings.`,
      ...has,
    };
  }
  return { code: 'ok', reason: '', ...has };
}

/** ONVIF tells everything else; where the addresses are of several networks, the one that can be reached. */
function sourceOf(device: DiscoveredDevice): string | undefined {
  const endpoints = endpointsOf(device);
  const endpoint = endpoints.find(({ host }) => isOnOwnNetwork(host)) ?? endpoints[0];
  if (endpoint === undefined) return device.rtspUrls[0] ?? device.sourceUrls[0];
  const { host, port, path, secure } = endpoint;
  const usualPort = secure ? 443 : 80;
  const place = `${urlHost(host)}${port === usualPort ? '' : `:${port}`}`;
  return `${secure ? 'onvifs' : 'onvif'}://${place}${path === DEVICE_SERVICE_PATH ? '' : path}`;
}
