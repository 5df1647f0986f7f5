/** What a video track says beforehand about the order and the pace of its pictures. */
import type { DecodeHints } from './decode-time.ts';
import { ParseError } from './errors.ts';
import { parseSps as parseH264Sps } from './h264/sps.ts';
import { parseSps as parseH265Sps } from './h265/sps.ts';
import type { VideoTrack } from './track.ts';

/** Undefined when its SPS cannot be read: such a track may still decode elsewhere, and the order is learned. */
export function decodeHints(track: VideoTrack): DecodeHints | undefined {
  try {
    return readHints(track);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function readHints(track: VideoTrack): DecodeHints {
  switch (track.codec) {
    case 'h264': {
      const { picOrderCntType, maxNumReorderFrames, fps } = parseH264Sps(track.sps);
      // With type 2 the output order is the decoding order, H.264 §8.2.1.3.
      return { reorderDepth: picOrderCntType === 2 ? 0 : (maxNumReorderFrames ?? 0), fps };
    }
    case 'h265': {
      const { maxNumReorderPics, fps } = parseH265Sps(track.sps);
      return { reorderDepth: maxNumReorderPics, fps };
    }
    case 'av1':
    case 'vp9':
      // A unit holds one picture that is shown, with all that is needed for it and not shown.
      return { reorderDepth: 0, fps: undefined };
  }
}
