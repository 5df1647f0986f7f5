/** What a stream can be asked for, as far as its info tells: one that others push in has no camera that would answer. */
import type { StreamInfo } from '../../../report/status.ts';

export function canReboot(info: StreamInfo | undefined): boolean {
  return info?.source.startsWith('onvif://') === true;
}

/** ONVIF cameras have one also where the gateway serves none over HTTP. */
export function canSnapshot(info: StreamInfo | undefined): boolean {
  return info?.urls?.['snapshot'] !== undefined || canReboot(info);
}
