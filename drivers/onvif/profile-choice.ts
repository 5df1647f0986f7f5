/** Which of a camera's profiles to pull. */
import { UnsupportedError } from '../../codecs/errors.ts';
import type { OnvifProfile } from './onvif-client.ts';

export type ProfileRule =
  | 'main'
  | 'sub'
  | { readonly maxHeight?: number; readonly maxKbps?: number; readonly codec?: string };

/**
 * `main`: the largest, H.264 before anything else, because RTMP masters take it. `sub`: the smallest
 * likewise. Otherwise the largest within the limits, or the smallest when none is.
 */
export function chooseProfile(profiles: readonly OnvifProfile[], rule: ProfileRule): OnvifProfile {
  const videos = profiles.filter((profile) => profile.codec !== undefined);
  const codec = typeof rule === 'object' ? rule.codec : undefined;
  const wanted = videos.filter((profile) => profile.codec === (codec ?? 'h264'));
  const candidates = wanted.length > 0 || codec !== undefined ? wanted : videos;
  const bySize = [...candidates].sort(
    (a, b) => size(b) - size(a) || b.fps - a.fps || b.kbps - a.kbps,
  );
  const fitting = typeof rule === 'object' ? bySize.filter((each) => fits(each, rule)) : bySize;
  const chosen = rule === 'sub' ? bySize.at(-1) : (fitting[0] ?? bySize.at(-1));
  if (chosen === undefined) {
    const offered = [...new Set(videos.map((profile) => profile.codec))].join(', ');
    throw new UnsupportedError(
      offered === ''
        ? 'the camera has no profile with video'
        : `the camera has no ${codec ?? 'h264'} profile, only ${offered}`,
    );
  }
  return chosen;
}

function size(profile: OnvifProfile): number {
  return profile.width * profile.height;
}

/** A value the camera does not tell is taken to fit. */
function fits(
  profile: OnvifProfile,
  rule: { readonly maxHeight?: number; readonly maxKbps?: number },
): boolean {
  return (
    profile.height <= (rule.maxHeight ?? Number.POSITIVE_INFINITY) &&
    profile.kbps <= (rule.maxKbps ?? Number.POSITIVE_INFINITY)
  );
}
