/**
 * The bodies of audio tags: FLV 10.1 §E.4.2 for AAC, MP3 and G.711; enhanced RTMP v2 (ExAudioTagHeader)
 * for Opus, AC-3 and E-AC-3. RTMP audio messages carry the same bodies.
 *
 * Not handled: PCM, ADPCM, Nellymoser, Speex, FLAC, channel maps.
 */
import { ByteReader } from '../byte-reader.ts';
import { UnsupportedError } from '../errors.ts';
import type { AudioTrack } from '../track.ts';
import { readExHeader } from './ex-header.ts';
import { AUDIO_FOUR_CCS, audioCodecOf, fourCcNumber, fourCcWords } from './four-cc.ts';

/** How one track looks in a tag. */
export interface AudioTagForm {
  /** As in onMetaData: the number of FLV 10.1, or the FourCC. */
  readonly codecId: number;
  /** What stands before every frame. */
  readonly frameHeader: Uint8Array;
  /** What stands before the decoder's configuration; undefined: there is no such tag. */
  readonly sequenceHeader: Uint8Array | undefined;
}

export interface AudioTagBody {
  readonly codec: AudioTrack['codec'];
  /** `config`: what the decoder must know, empty for AC-3. `end`: the sequence is over. */
  readonly content: 'config' | 'frame' | 'end';
  /** What the tag says: the truth for G.711, a habit for AAC, unknown (1) in the enhanced form. */
  readonly channels: 1 | 2;
  /** A view into the parsed bytes. */
  readonly data: Uint8Array;
}

export const MAX_AUDIO_TAG_HEADER_BYTES = 5;
/** The only rate at which FLV has G.711: readers take it for granted. */
export const FLV_G711_SAMPLE_RATE = 8_000;

const SoundFormat = { mp3: 2, pcma: 7, pcmu: 8, exHeader: 9, aac: 10, mp3At8k: 14 } as const;
const SoundRate = { k5: 0, k11: 1, k22: 2, k44: 3 } as const;
const SIZE_16_BIT = 0x02;
const STEREO = 0x01;
const AacPacketType = { sequenceHeader: 0, raw: 1 } as const;
const ExPacketType = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  multichannelConfig: 4,
  multitrack: 5,
} as const;

const OTHER_FORMATS: ReadonlyMap<number, string> = new Map([
  [0, 'PCM'],
  [1, 'ADPCM'],
  [3, 'PCM'],
  [4, 'Nellymoser'],
  [5, 'Nellymoser'],
  [6, 'Nellymoser'],
  [11, 'Speex'],
  // SRS and lal, before enhanced RTMP had a FourCC for it.
  [13, '13 (Opus in a form of SRS)'],
  [15, 'device-specific sound'],
]);

/** undefined where FLV has no form for the track. */
export function audioTagForm(track: AudioTrack): AudioTagForm | undefined {
  switch (track.codec) {
    case 'aac':
      return AAC_FORM;
    case 'mp3':
      return mp3Form(track.sampleRate, track.channels);
    case 'pcma':
    case 'pcmu':
      return g711Form(SoundFormat[track.codec], track.sampleRate, track.channels);
    case 'opus':
    case 'ac3':
    case 'eac3':
      return enhancedForm(fourCcNumber(AUDIO_FOUR_CCS[track.codec]));
  }
}

/** §E.4.2.1: AAC always says 44 kHz, 16 bit, stereo; the AudioSpecificConfig has the truth. */
const AAC_FORM: AudioTagForm = {
  codecId: SoundFormat.aac,
  frameHeader: Uint8Array.of(0xaf, AacPacketType.raw),
  sequenceHeader: Uint8Array.of(0xaf, AacPacketType.sequenceHeader),
};

/** The rate of the family that the rate belongs to: MPEG-1, 2 or 2.5. The frame's header has the truth. */
function mp3Form(sampleRate: number, channels: number): AudioTagForm {
  if (sampleRate === 8_000) return plainForm(SoundFormat.mp3At8k, SoundRate.k5, channels);
  let rate: number = SoundRate.k11;
  if (sampleRate >= 32_000) rate = SoundRate.k44;
  else if (sampleRate >= 16_000) rate = SoundRate.k22;
  return plainForm(SoundFormat.mp3, rate, channels);
}

function g711Form(format: number, sampleRate: number, channels: number): AudioTagForm | undefined {
  if (sampleRate !== FLV_G711_SAMPLE_RATE || channels < 1 || channels > 2) return undefined;
  return plainForm(format, SoundRate.k5, channels);
}

function plainForm(format: number, rate: number, channels: number): AudioTagForm {
  const first = (format << 4) | (rate << 2) | SIZE_16_BIT | (channels > 1 ? STEREO : 0);
  return { codecId: format, frameHeader: Uint8Array.of(first), sequenceHeader: undefined };
}

/** FFmpeg sends a SequenceStart of AC-3, too, with nothing in it. */
function enhancedForm(fourCc: number): AudioTagForm {
  return {
    codecId: fourCc,
    frameHeader: exHeader(ExPacketType.codedFrames, fourCc),
    sequenceHeader: exHeader(ExPacketType.sequenceStart, fourCc),
  };
}

function exHeader(packetType: number, fourCc: number): Uint8Array {
  const first = (SoundFormat.exHeader << 4) | packetType;
  return Uint8Array.of(first, fourCc >>> 24, fourCc >>> 16, fourCc >>> 8, fourCc);
}

/** undefined for what is no media of the default track: channel maps, other tracks, nothing at all. */
export function parseAudioTagBody(body: Uint8Array): AudioTagBody | undefined {
  // Flash Media Server marks the end of audio so.
  if (body.length === 0) return undefined;
  const reader = new ByteReader(body);
  const first = reader.u8();
  const format = first >>> 4;
  const channels = (first & STEREO) === 0 ? 1 : 2;
  switch (format) {
    case SoundFormat.exHeader:
      return parseEnhanced(reader, first & 0x0f);
    case SoundFormat.aac: {
      const content = aacContentOf(reader.u8());
      return { codec: 'aac', content, channels, data: reader.rest() };
    }
    case SoundFormat.mp3:
    case SoundFormat.mp3At8k:
      return { codec: 'mp3', content: 'frame', channels, data: reader.rest() };
    case SoundFormat.pcma:
      return { codec: 'pcma', content: 'frame', channels, data: reader.rest() };
    case SoundFormat.pcmu:
      return { codec: 'pcmu', content: 'frame', channels, data: reader.rest() };
    default: {
      const name = OTHER_FORMATS.get(format);
      throw new UnsupportedError(`FLV audio format ${name ?? format} is not supported`);
    }
  }
}

function aacContentOf(packetType: number): AudioTagBody['content'] {
  if (packetType === AacPacketType.sequenceHeader) return 'config';
  if (packetType === AacPacketType.raw) return 'frame';
  throw new UnsupportedError(`FLV AAC packet type ${packetType} is not supported`);
}

function parseEnhanced(reader: ByteReader, firstPacketType: number): AudioTagBody | undefined {
  const header = readExHeader(reader, firstPacketType, ExPacketType.multitrack);
  if (header === undefined) return undefined;
  const { packetType, fourCc, body } = header;
  if (packetType === ExPacketType.multichannelConfig) return undefined;
  const codec = audioCodecOf(fourCc);
  if (codec === undefined) {
    throw new UnsupportedError(`FLV audio codec ${fourCcWords(fourCc)} is not supported`);
  }
  return { codec, content: exContentOf(packetType), channels: 1, data: body.rest() };
}

function exContentOf(packetType: number): AudioTagBody['content'] {
  switch (packetType) {
    case ExPacketType.sequenceStart:
      return 'config';
    case ExPacketType.codedFrames:
      return 'frame';
    case ExPacketType.sequenceEnd:
      return 'end';
    default:
      throw new UnsupportedError(`FLV audio packet type ${packetType} is not supported`);
  }
}
