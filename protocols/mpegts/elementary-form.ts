/**
 * How a track lies in a transport stream: what the PMT says of it, and what stands before each of its units.
 * ISO/IEC 13818-1 table 2-34; registration as by SMPTE RA; ATSC A/52 annex A. The way in: stream-selection.ts,
 * audio-framing.ts.
 *
 * Not carried: AV1, VP9, G.711, Opus of more than two channels, AAC that ADTS has no header for.
 */
import {
  ADTS_HEADER_BYTES,
  adtsHeaderOf,
  MAX_ADTS_FRAME_BYTES,
  setAdtsFrameBytes,
} from '../../codecs/aac/adts.ts';
import { ParseError } from '../../codecs/errors.ts';
import type { AacTrack, Track } from '../../codecs/track.ts';
import type { Descriptor } from './program-tables.ts';

const StreamId = { privateStream1: 0xbd, audio: 0xc0, video: 0xe0 } as const;
const REGISTRATION = 0x05;
const EXTENSION = 0x7f;
/** Of an extension descriptor, ETSI TS 102 377 (draft of 2014), as ffmpeg and GStreamer write it. */
const OPUS_EXTENSION = 0x80;
/** From here on it is MPEG-1 audio; below, MPEG-2 with its lower rates. */
const MPEG_1_MIN_SAMPLE_RATE = 32_000;
const NOTHING = new Uint8Array(0);

export interface ElementaryForm {
  readonly streamType: number;
  readonly streamId: number;
  readonly descriptors: readonly Descriptor[];
  /** What stands before a unit of sound; valid until the next call. undefined: too large a unit. */
  prefix(unitBytes: number): Uint8Array | undefined;
}

/** undefined: MPEG-TS has no form for it. */
export function elementaryForm(track: Track): ElementaryForm | undefined {
  switch (track.codec) {
    case 'h264':
      return plain(0x1b, StreamId.video);
    case 'h265':
      return plain(0x24, StreamId.video, registration('HEVC'));
    case 'aac':
      return adtsForm(track);
    case 'mp3':
      return plain(track.sampleRate < MPEG_1_MIN_SAMPLE_RATE ? 0x04 : 0x03, StreamId.audio);
    case 'ac3':
      return plain(0x81, StreamId.privateStream1, registration('AC-3'));
    case 'eac3':
      return plain(0x87, StreamId.privateStream1, registration('EAC3'));
    case 'opus':
      return track.channels > 2 ? undefined : opusForm(track.channels);
    case 'av1':
    case 'vp9':
    case 'pcma':
    case 'pcmu':
      return undefined;
  }
}

function plain(
  streamType: number,
  streamId: number,
  ...descriptors: readonly Descriptor[]
): ElementaryForm {
  return { streamType, streamId, descriptors, prefix: () => NOTHING };
}

function registration(identifier: string): Descriptor {
  return {
    tag: REGISTRATION,
    body: Uint8Array.from(identifier, (letter) => letter.charCodeAt(0)),
  };
}

function adtsForm(track: AacTrack): ElementaryForm | undefined {
  const header = adtsHeader(track);
  if (header === undefined) return undefined;
  return {
    ...plain(0x0f, StreamId.audio),
    prefix: (unitBytes) => {
      const frameBytes = ADTS_HEADER_BYTES + unitBytes;
      if (frameBytes > MAX_ADTS_FRAME_BYTES) return undefined;
      setAdtsFrameBytes(header, frameBytes);
      return header;
    },
  };
}

function adtsHeader({ config }: AacTrack): Uint8Array | undefined {
  try {
    return adtsHeaderOf(config);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Behind the control header that audio-framing.ts reads. */
function opusForm(channels: number): ElementaryForm {
  const extension = { tag: EXTENSION, body: Uint8Array.of(OPUS_EXTENSION, channels) };
  return {
    ...plain(0x06, StreamId.privateStream1, registration('Opus'), extension),
    prefix: (unitBytes) => {
      const full = Math.floor(unitBytes / 255);
      const header = new Uint8Array(3 + full).fill(0xff);
      header[0] = 0x7f;
      header[1] = 0xe0;
      header[2 + full] = unitBytes % 255;
      return header;
    },
  };
}
