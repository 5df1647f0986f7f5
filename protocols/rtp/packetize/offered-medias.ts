/** What of a stream's tracks is offered to RTP receivers: the first video and the first audio that RTP carries. */
import type { Track } from '../../../codecs/track.ts';
import type { OfferedMedia } from '../../sdp/serialize-sdp.ts';
import { payloadFormatOf } from './payload-formats.ts';

export interface OfferedTrack {
  readonly track: Track;
  readonly media: OfferedMedia;
}

/** Where a track is found below the stream's URL; the same number whatever else the stream has. */
const CONTROL_OF = { video: 'trackID=0', audio: 'trackID=1' } as const;

/** The picture first: who sets up one after the other then asks for the channels that blocks are written with. */
export function offeredTracks(tracks: readonly Track[]): OfferedTrack[] {
  return (['video', 'audio'] as const).flatMap((kind) => {
    for (const track of tracks) {
      const format = track.kind === kind ? payloadFormatOf(track) : undefined;
      if (format === undefined) continue;
      const { payloadType, rtpmap, fmtp } = format;
      return [{ track, media: { kind, payloadType, rtpmap, fmtp, control: CONTROL_OF[kind] } }];
    }
    return [];
  });
}
