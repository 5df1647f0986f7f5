/** Which profile of a camera is wanted for a stream. */
import type { ProfileRule } from '../drivers/onvif/profile-choice.ts';
import type { Config, ProfileWanted } from './config/schema.ts';
import { matches } from './proxypublish/proxypublish.ts';

/**
 * H.264 before H.265 where a target takes the stream, unless all that do are known to take H.265 (`videoCodecMode: enhanced`).
 * Only the configuration decides: what masters show later would change the picture of a running stream. Where nothing is
 * published the best profile counts, whatever its codec.
 */
export function profileWish(config: Config, stream: string, wanted?: ProfileWanted): ProfileRule {
  const rule = wanted ?? config.discovery.profile;
  const needsH264 = config.proxypublish.targets.some(
    ({ localStreamName, videoCodecMode }) =>
      videoCodecMode !== 'enhanced' && matches(localStreamName, stream),
  );
  const limits = typeof rule === 'string' ? { size: rule } : rule;
  const known = Object.entries(limits).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known), anyCodec: !needsH264 };
}
