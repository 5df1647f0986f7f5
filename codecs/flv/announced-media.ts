/**
 * What onMetaData says will come. A hint and no more: encoders leave entries out, and describe what they
 * were before they were set anew. Enhanced RTMP has FourCCs in the same entries.
 */
import { ParseError } from '../errors.ts';
import { type Amf0Object, Amf0Reader, type Amf0Value, isAmf0Object } from './amf0.ts';

/** Some servers pass on the publisher's "@setDataFrame" in front. */
const MAX_VALUES = 3;

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

/** The object of onMetaData, as far as it can be read; undefined for other script data. */
export function metadataOf(scriptData: Uint8Array): Amf0Object | undefined {
  const values: Amf0Value[] = [];
  try {
    const reader = new Amf0Reader(scriptData);
    while (!reader.isAtEnd && values.length < MAX_VALUES) values.push(reader.read());
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
  return values.includes('onMetaData') ? values.find(isAmf0Object) : undefined;
}

/** `says`: a boolean; where it is missing, any of the entries that describe. */
function isAnnounced(metadata: Amf0Object, says: string, ...describes: readonly string[]): boolean {
  const said = metadata[says];
  if (typeof said === 'boolean') return said;
  return describes.some((key) => Boolean(metadata[key]));
}
