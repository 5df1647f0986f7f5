/** The bodies of audio tags → frames, and the track: told by a sequence header, or by the frames themselves. */
import { aacTrack } from '../aac/audio-specific-config.ts';
import { ac3Track, parseAc3Header } from '../ac3/frame-header.ts';
import { equalBytes } from '../bytes.ts';
import { parseMpegAudioHeader } from '../mpeg-audio/frame-header.ts';
import { opusTrack } from '../opus/identification-header.ts';
import type { AudioTrack } from '../track.ts';
import { type AudioTagBody, FLV_G711_SAMPLE_RATE } from './audio-tag.ts';

export class FlvSound {
  /** Another object when it has changed. */
  track: AudioTrack | undefined;

  /** True when the tag is a frame of the track. Throws ParseError on what is not what it says it is. */
  read(tag: AudioTagBody): boolean {
    switch (tag.codec) {
      case 'aac':
      case 'opus':
        return this.#readConfigured(tag);
      case 'mp3':
      case 'ac3':
      case 'eac3':
      case 'pcma':
      case 'pcmu':
        if (tag.content !== 'frame' || tag.data.length === 0) return false;
        this.#take(trackOfFrame(tag));
        return true;
    }
  }

  #readConfigured({ codec, content, data }: AudioTagBody): boolean {
    if (content === 'frame') return this.track?.codec === codec && data.length > 0;
    if (content === 'end') return false;
    const { track } = this;
    // Many servers repeat it.
    const isKnown = track?.codec === codec && 'config' in track && equalBytes(track.config, data);
    if (isKnown) return false;
    const config = data.slice();
    this.track = codec === 'aac' ? aacTrack(config) : opusTrack(config);
    return false;
  }

  #take(track: AudioTrack): void {
    const before = this.track;
    const isSame =
      before?.codec === track.codec &&
      before.sampleRate === track.sampleRate &&
      before.channels === track.channels;
    if (!isSame) this.track = track;
  }
}

function trackOfFrame({ codec, channels, data }: AudioTagBody): AudioTrack {
  switch (codec) {
    case 'mp3': {
      const header = parseMpegAudioHeader(data);
      return { kind: 'audio', codec, sampleRate: header.sampleRate, channels: header.channels };
    }
    case 'ac3':
    case 'eac3':
      return ac3Track(parseAc3Header(data));
    case 'pcma':
    case 'pcmu':
      return { kind: 'audio', codec, sampleRate: FLV_G711_SAMPLE_RATE, channels };
    case 'aac':
    case 'opus':
      throw new TypeError(`${codec} has a sequence header`);
  }
}
