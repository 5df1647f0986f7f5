/**
 * The onMetaData object of a stream, FLV 10.1 §E.5; enhanced RTMP v2, "Enhancing onMetaData", for codecs
 * with a FourCC. Values that are not known are left out.
 */
import { describeTrack } from '../describe-track.ts';
import type { AudioTrack, Track, VideoTrack } from '../track.ts';
import { type Amf0Value, EcmaArray } from './amf0.ts';
import { audioTagForm } from './audio-tag.ts';
import { type HevcForm, videoTagForm } from './video-tag.ts';

export interface DataRates {
  readonly videoKbps?: number;
  readonly audioKbps?: number;
}

/** `encoder`: who writes this stream, for the people who look at it at the far end. */
export function streamMetadata(
  tracks: readonly Track[],
  hevcForm: HevcForm,
  encoder: string,
  rates: DataRates = {},
): EcmaArray {
  const entries: Record<string, Amf0Value> = { duration: 0 };
  for (const track of tracks) {
    const isVideo = track.kind === 'video';
    Object.assign(entries, isVideo ? videoEntries(track, hevcForm) : audioEntries(track));
  }
  if (rates.videoKbps !== undefined) entries['videodatarate'] = rates.videoKbps;
  if (rates.audioKbps !== undefined) entries['audiodatarate'] = rates.audioKbps;
  entries['encoder'] = encoder;
  return new EcmaArray(entries);
}

function videoEntries(track: VideoTrack, hevcForm: HevcForm): Record<string, Amf0Value> {
  const { width, height, fps } = describeTrack(track);
  const { codecId } = videoTagForm(track.codec, hevcForm);
  const entries: Record<string, Amf0Value> = { videocodecid: codecId };
  if (width !== undefined) entries['width'] = width;
  if (height !== undefined) entries['height'] = height;
  if (fps !== undefined) entries['framerate'] = fps;
  return entries;
}

function audioEntries(track: AudioTrack): Record<string, Amf0Value> {
  const { sampleRate, channels } = describeTrack(track);
  const entries: Record<string, Amf0Value> = {};
  const codecId = audioTagForm(track)?.codecId;
  if (codecId !== undefined) entries['audiocodecid'] = codecId;
  if (sampleRate !== undefined) entries['audiosamplerate'] = sampleRate;
  if (channels !== undefined) {
    entries['audiochannels'] = channels;
    entries['stereo'] = channels > 1;
  }
  entries['audiosamplesize'] = 16;
  return entries;
}
