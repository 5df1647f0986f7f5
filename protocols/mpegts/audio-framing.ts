/**
 * How audio lies in PES packets, one row for each format: what a frame's first bytes tell, and the
 * access units in a whole one. All of them are found by a sync word or a length of their own; a PES packet
 * holds any number of frames, and need not end with one.
 */
import {
  ADTS_HEADER_BYTES,
  audioSpecificConfigOf,
  isAdts,
  parseAdtsHeader,
} from '../../codecs/aac/adts.ts';
import { aacTrack } from '../../codecs/aac/audio-specific-config.ts';
import { LatmReader } from '../../codecs/aac/latm.ts';
import { isLoas, LOAS_HEADER_BYTES, loasFrameBytes } from '../../codecs/aac/loas.ts';
import {
  AC3_HEADER_BYTES,
  ac3Track,
  isAc3,
  parseAc3Header,
} from '../../codecs/ac3/frame-header.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import {
  isMpegAudio,
  MPEG_AUDIO_HEADER_BYTES,
  parseMpegAudioHeader,
} from '../../codecs/mpeg-audio/frame-header.ts';
import {
  OPUS_SAMPLE_RATE,
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../codecs/opus/identification-header.ts';
import { opusPacketSamples } from '../../codecs/opus/packet.ts';
import type { AudioTrack } from '../../codecs/track.ts';

const AAC_FRAME_SAMPLES = 1024;
/** A size of up to 4 KiB, far above any packet of two channels, the trims and a small extension. */
const MAX_OPUS_CONTROL_BYTES = 32;
const OPUS_START_TRIM = 0x10;
const OPUS_END_TRIM = 0x08;
const OPUS_EXTENSION = 0x04;

export type AudioFormat = 'adts' | 'loas' | 'mpeg-audio' | 'ac3' | 'opus';

/** What a frame's first bytes tell. */
export interface AudioFrame {
  /** Header included. */
  readonly frameBytes: number;
  /** False: it belongs to the unit before it. */
  readonly beginsUnit: boolean;
}

export interface AudioUnit {
  readonly track: AudioTrack;
  readonly data: Uint8Array;
  readonly samples: number;
  /** Of the clock that `samples` count by. */
  readonly sampleRate: number;
}

export interface AudioFraming {
  /** So many bytes of a frame are needed for `read`, at least and at most. */
  readonly minHeaderBytes: number;
  readonly maxHeaderBytes: number;
  /** Units may consist of several frames: the next frame tells. */
  readonly joinsFrames: boolean;
  /** Units lie without free bytes before them, or several in a frame: they must be copied. */
  readonly movesUnits: boolean;
  /** Whether a frame may begin with these two bytes. */
  mayBegin(bytes: Uint8Array, at: number): boolean;
  /** Undefined: another byte is needed. Throws ParseError where no frame begins. */
  read(header: Uint8Array): AudioFrame | undefined;
  /** The units in the frames of one. Throws UnsupportedError for what cannot be carried. Views, valid until the next is asked for. */
  units(frames: Uint8Array): Iterable<AudioUnit>;
}

/** A framing for one stream: they remember its track. `channels`: of Opus, whose packets do not tell. */
export function openFraming(format: AudioFormat, channels: 1 | 2): AudioFraming {
  switch (format) {
    case 'adts':
      return new AdtsFraming();
    case 'loas':
      return new LoasFraming();
    case 'mpeg-audio':
      return new MpegAudioFraming();
    case 'ac3':
      return new Ac3Framing();
    case 'opus':
      return new OpusFraming(channels);
  }
}

/** ISO/IEC 13818-7: the header, with its sync word, is taken off. */
class AdtsFraming implements AudioFraming {
  readonly minHeaderBytes = ADTS_HEADER_BYTES;
  readonly maxHeaderBytes = ADTS_HEADER_BYTES;
  readonly joinsFrames = false;
  readonly movesUnits = false;
  readonly #tracks = new TrackMemory();

  mayBegin(bytes: Uint8Array, at: number): boolean {
    return isAdts(bytes, at);
  }

  read(header: Uint8Array): AudioFrame {
    return { frameBytes: parseAdtsHeader(header).frameBytes, beginsUnit: true };
  }

  *units(frames: Uint8Array): Generator<AudioUnit> {
    const header = parseAdtsHeader(frames);
    const { objectType, sampleRate, channelConfiguration } = header;
    const track = this.#tracks.recall(`${objectType} ${sampleRate} ${channelConfiguration}`, () =>
      aacTrack(audioSpecificConfigOf(header)),
    );
    yield {
      track,
      data: frames.subarray(header.headerBytes),
      samples: AAC_FRAME_SAMPLES,
      sampleRate,
    };
  }
}

/** LATM behind the sync word of ISO/IEC 14496-3 §1.7.2; it carries its configuration along. */
class LoasFraming implements AudioFraming {
  readonly minHeaderBytes = LOAS_HEADER_BYTES;
  readonly maxHeaderBytes = LOAS_HEADER_BYTES;
  readonly joinsFrames = false;
  readonly movesUnits = true;
  readonly #latm = new LatmReader(true);

  mayBegin(bytes: Uint8Array, at: number): boolean {
    return isLoas(bytes, at);
  }

  read(header: Uint8Array): AudioFrame {
    return { frameBytes: loasFrameBytes(header), beginsUnit: true };
  }

  *units(frames: Uint8Array): Generator<AudioUnit> {
    for (const data of this.#latm.frames(frames.subarray(LOAS_HEADER_BYTES))) {
      const { config } = this.#latm;
      if (config === undefined) return;
      const { frameLength, sampleRate } = config.audio;
      yield { track: config.track, data, samples: frameLength, sampleRate };
    }
  }
}

/** MPEG-1 and MPEG-2 audio: the stream type does not tell the layer, and only layer III can be carried. */
class MpegAudioFraming implements AudioFraming {
  readonly minHeaderBytes = MPEG_AUDIO_HEADER_BYTES;
  readonly maxHeaderBytes = MPEG_AUDIO_HEADER_BYTES;
  readonly joinsFrames = false;
  readonly movesUnits = false;
  readonly #tracks = new TrackMemory();

  mayBegin(bytes: Uint8Array, at: number): boolean {
    return isMpegAudio(bytes, at);
  }

  read(header: Uint8Array): AudioFrame {
    return { frameBytes: parseMpegAudioHeader(header).frameBytes, beginsUnit: true };
  }

  *units(frames: Uint8Array): Generator<AudioUnit> {
    const { layer, sampleRate, channels, samplesPerFrame } = parseMpegAudioHeader(frames);
    if (layer !== 3) throw new UnsupportedError(`MPEG audio layer ${layer === 2 ? 'II' : 'I'}`);
    const track = this.#tracks.recall(`${sampleRate} ${channels}`, () => ({
      kind: 'audio',
      codec: 'mp3',
      sampleRate,
      channels,
    }));
    yield { track, data: frames, samples: samplesPerFrame, sampleRate };
  }
}

/** AC-3, and E-AC-3 with its dependent substreams. */
class Ac3Framing implements AudioFraming {
  readonly minHeaderBytes = AC3_HEADER_BYTES;
  readonly maxHeaderBytes = AC3_HEADER_BYTES;
  readonly joinsFrames = true;
  readonly movesUnits = false;
  readonly #tracks = new TrackMemory();

  mayBegin(bytes: Uint8Array, at: number): boolean {
    return isAc3(bytes, at);
  }

  read(header: Uint8Array): AudioFrame {
    return parseAc3Header(header);
  }

  *units(frames: Uint8Array): Generator<AudioUnit> {
    const header = parseAc3Header(frames);
    const { codec, sampleRate, channels, samplesPerFrame } = header;
    const track = this.#tracks.recall(`${codec} ${sampleRate} ${channels}`, () => ac3Track(header));
    yield { track, data: frames, samples: samplesPerFrame, sampleRate };
  }
}

/**
 * Opus behind a control header, as ffmpeg and GStreamer write it (draft ETSI TS on Opus in MPEG-TS, 2014):
 * 11 bits 0x3ff, three flags, the size in bytes of 255 and a rest, what is to be trimmed, an extension.
 */
class OpusFraming implements AudioFraming {
  readonly minHeaderBytes = 3;
  readonly maxHeaderBytes = MAX_OPUS_CONTROL_BYTES;
  readonly joinsFrames = false;
  readonly movesUnits = false;
  readonly #track: AudioTrack;

  constructor(channels: 1 | 2) {
    this.#track = opusTrack(serializeOpusIdentificationHeader(channels));
  }

  mayBegin(bytes: Uint8Array, at: number): boolean {
    return bytes[at] === 0x7f && ((bytes[at + 1] ?? 0) & 0xe0) === 0xe0;
  }

  read(header: Uint8Array): AudioFrame | undefined {
    if (!this.mayBegin(header, 0)) throw new ParseError('no Opus control header');
    const control = readOpusControl(header);
    return control && { frameBytes: control.headerBytes + control.packetBytes, beginsUnit: true };
  }

  *units(frames: Uint8Array): Generator<AudioUnit> {
    const data = frames.subarray(readOpusControl(frames)?.headerBytes);
    const samples = opusPacketSamples(data);
    yield { track: this.#track, data, samples, sampleRate: OPUS_SAMPLE_RATE };
  }
}

/** Undefined when its end is not there yet. */
function readOpusControl(
  bytes: Uint8Array,
): { readonly headerBytes: number; readonly packetBytes: number } | undefined {
  const flags = bytes[1] ?? 0;
  let at = 2;
  let packetBytes = 0;
  for (let size = 255; size === 255; at += 1) {
    size = bytes[at] ?? 0;
    packetBytes += size;
  }
  if ((flags & OPUS_START_TRIM) !== 0) at += 2;
  if ((flags & OPUS_END_TRIM) !== 0) at += 2;
  if ((flags & OPUS_EXTENSION) !== 0) at += 1 + (bytes[at] ?? 0);
  return at > bytes.length ? undefined : { headerBytes: at, packetBytes };
}

/** A track stays the same object as long as what describes it is the same. */
class TrackMemory {
  #key: string | undefined;
  #track: AudioTrack | undefined;

  recall(key: string, make: () => AudioTrack): AudioTrack {
    if (key !== this.#key || this.#track === undefined) {
      this.#track = make();
      this.#key = key;
    }
    return this.#track;
  }
}
