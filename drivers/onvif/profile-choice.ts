/** Which of a camera's profiles to pull. */
import { UnsupportedError } from '../../codecs/errors.ts';
import type { OnvifProfile } from './onvif-client.ts';

export interface ProfileLimits {
  /** Of those within the limits; left out: `main`. */
  readonly size?: 'main' | 'sub';
  readonly maxHeight?: number;
  readonly maxKbps?: number;
  /** Only this one. Left out: H.264 where the camera has it. */
  readonly codec?: string;
  /** Without `codec`: whatever the codec, the size decides. */
  readonly anyCodec?: boolean;
}

export type ProfileRule = 'main' | 'sub' | ProfileLimits;

/** What can be carried from an ONVIF camera; JPEG and MPEG-4 Part 2 cannot. */
const CARRIED: readonly string[] = ['h264', 'h265'];

/**
 * `main`: the largest, then the most frames, then the highest bit rate. `sub`: the smallest likewise. With limits: the
 * largest of those within them, or the smallest where none is. What the camera does not tell is taken to fit, and comes
 * after what it tells. H.264 goes before H.265, as RTMP masters take it, unless `anyCodec` is set: then it only decides
 * between equals. Where nothing decides, the camera's own order does.
 */
export function chooseProfile(profiles: readonly OnvifProfile[], rule: ProfileRule): OnvifProfile {
  const limits: ProfileLimits = typeof rule === 'string' ? { size: rule } : rule;
  const carried = profiles.filter(({ codec }) => CARRIED.includes(codec ?? ''));
  const wanted = carried.filter(({ codec }) => codec === (limits.codec ?? 'h264'));
  const isFree = limits.codec === undefined && (limits.anyCodec === true || wanted.length === 0);
  const candidates = isFree ? carried : wanted;
  const fitting = candidates.filter((each) => fits(each, limits));
  const isSmallest = limits.size === 'sub' || fitting.length === 0;
  const ofThese = fitting.length === 0 ? candidates : fitting;
  const [chosen] = [...ofThese].sort((a, b) => compare(a, b, isSmallest));
  if (chosen === undefined) throw noneFits(profiles, limits.codec);
  return chosen;
}

function compare(a: OnvifProfile, b: OnvifProfile, isSmallest: boolean): number {
  for (const measure of [size, frames, rate]) {
    const [ofA, ofB] = [measure(a), measure(b)];
    if (ofA === ofB) continue;
    if (ofA === 0 || ofB === 0) return ofA === 0 ? 1 : -1;
    return isSmallest ? ofA - ofB : ofB - ofA;
  }
  return CARRIED.indexOf(a.codec ?? '') - CARRIED.indexOf(b.codec ?? '');
}

/** Zero: the camera does not tell. */
const size = ({ width, height }: OnvifProfile) => width * height;
const frames = ({ fps }: OnvifProfile) => fps;
const rate = ({ kbps }: OnvifProfile) => kbps;

function fits({ height, kbps }: OnvifProfile, { maxHeight, maxKbps }: ProfileLimits): boolean {
  return (
    height <= (maxHeight ?? Number.POSITIVE_INFINITY) &&
    kbps <= (maxKbps ?? Number.POSITIVE_INFINITY)
  );
}

function noneFits(profiles: readonly OnvifProfile[], codec: string | undefined): UnsupportedError {
  const offered = [...new Set(profiles.flatMap((profile) => profile.codec ?? []))].join(', ');
  const wanted = codec ?? 'h264 or h265';
  return new UnsupportedError(
    offered === ''
      ? 'the camera has no profile with video. Make one in its settings.'
      : `the camera has no ${wanted} profile, only ${offered}. Set the encoder of one of its profiles to ${wanted}.`,
  );
}
