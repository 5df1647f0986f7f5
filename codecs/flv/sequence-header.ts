/** The tag body that tells a decoder how to begin: FLV 10.1 §E.4.2.2 and §E.4.3.2, enhanced RTMP v2. */
import { concat } from '../bytes.ts';
import { serializeDecoderConfigurationRecord } from '../h264/decoder-configuration-record.ts';
import { serializeHevcDecoderConfigurationRecord } from '../h265/decoder-configuration-record.ts';
import type { AudioTrack, Track, VideoTrack } from '../track.ts';
import { audioTagForm } from './audio-tag.ts';
import { type HevcForm, videoSequenceHeader, videoTagForm } from './video-tag.ts';

/** The whole body; undefined for codecs that need none. */
export function sequenceHeader(track: Track, hevcForm: HevcForm): Uint8Array | undefined {
  return track.kind === 'video'
    ? videoSequenceHeader(videoTagForm(track.codec, hevcForm), decoderConfiguration(track))
    : audioSequenceHeader(track);
}

function decoderConfiguration(track: VideoTrack): Uint8Array {
  switch (track.codec) {
    case 'h264':
      return serializeDecoderConfigurationRecord([track.sps], [track.pps]);
    case 'h265':
      return serializeHevcDecoderConfigurationRecord([track.vps], [track.sps], [track.pps]);
    case 'av1':
    case 'vp9':
      return track.config;
  }
}

function audioSequenceHeader(track: AudioTrack): Uint8Array | undefined {
  const header = audioTagForm(track)?.sequenceHeader;
  if (header === undefined) return undefined;
  return 'config' in track ? concat(header, track.config) : header;
}
