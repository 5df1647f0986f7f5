/** The onMetaData object of a stream, FLV 10.1 §E.5. Values that are not known are left out. */
import { describeTrack } from '../describe-track.ts';
import type { Track } from '../track.ts';
import { type Amf0Value, EcmaArray } from './amf0.ts';
import { FLV_AUDIO_CODEC_AAC, FLV_VIDEO_CODEC_AVC } from './tag.ts';

export interface DataRates {
  readonly videoKbps?: number;
  readonly audioKbps?: number;
}

/** `encoder`: who writes this stream, for the people who look at it at the far end. */
export function streamMetadata(
  tracks: readonly Track[],
  encoder: string,
  rates: DataRates = {},
): EcmaArray {
  const entries: Record<string, Amf0Value> = { duration: 0 };
  for (const track of tracks) {
    Object.assign(entries, track.kind === 'video' ? videoEntries(track) : audioEntries(track));
  }
  if (rates.videoKbps !== undefined) entries['videodatarate'] = rates.videoKbps;
  if (rates.audioKbps !== undefined) entries['audiodatarate'] = rates.audioKbps;
  entries['encoder'] = encoder;
  return new EcmaArray(entries);
}

function videoEntries(track: Track): Record<string, Amf0Value> {
  const { width, height, fps } = describeTrack(track);
  const entries: Record<string, Amf0Value> = { videocodecid: FLV_VIDEO_CODEC_AVC };
  if (width !== undefined) entries['width'] = width;
  if (height !== undefined) entries['height'] = height;
  if (fps !== undefined) entries['framerate'] = fps;
  return entries;
}

function audioEntries(track: Track): Record<string, Amf0Value> {
  const { sampleRate, channels } = describeTrack(track);
  const entries: Record<string, Amf0Value> = { audiocodecid: FLV_AUDIO_CODEC_AAC };
  if (sampleRate !== undefined) entries['audiosamplerate'] = sampleRate;
  if (channels !== undefined) {
    entries['audiochannels'] = channels;
    entries['stereo'] = channels > 1;
  }
  entries['audiosamplesize'] = 16;
  return entries;
}
