/**
 * What onMetaData says will come. A hint and no more: encoders leave entries out, and describe what they
 * were before they were set anew. Enhanced RTMP has FourCCs in the same entries.
 */
import type { Amf0Object } from './amf0.ts';
import { metadataOf } from './script-data.ts';

export interface AnnouncedMedia {
  readonly video: boolean;
  readonly audio: boolean;
}

/** undefined for script data other than onMetaData, and for what says nothing of audio and video. */
export function announcedMedia(scriptData: Uint8Array): AnnouncedMedia | undefined {
  const metadata = metadataOf(scriptData);
  if (metadata === undefined) return undefined;
  const video = isAnnounced(metadata, 'hasVideo', 'videocodecid', 'width');
  const audio = isAnnounced(metadata, 'hasAudio', 'audiocodecid', 'audiosamplerate');
  return video || audio ? { video, audio } : undefined;
}

/** `says`: a boolean; where it is missing, any of the entries that describe. */
function isAnnounced(metadata: Amf0Object, says: string, ...describes: readonly string[]): boolean {
  const said = metadata[says];
  if (typeof said === 'boolean') return said;
  return describes.some((key) => Boolean(metadata[key]));
}
