/**
 * The audio payload formats there are: one row and one file each, best for an RTMP master first. What a
 * description lacks is repaired where everybody means the same; an opener throws ParseError where it cannot be.
 */
import {
  AudioObjectType,
  parseAudioSpecificConfig,
  serializeAudioSpecificConfig,
} from '../../codecs/aac/audio-specific-config.ts';
import {
  parseStreamMuxConfig,
  plainStreamMuxConfig,
  type StreamMuxConfig,
} from '../../codecs/aac/latm.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { OPUS_SAMPLE_RATE } from '../../codecs/opus/identification-header.ts';
import type { MediaFormat } from '../sdp/sdp.ts';
import type { Depacketizer, Opener, UnitReceiver } from './depacketizer.ts';
import { AacDepacketizer } from './payload/aac.ts';
import {
  AC3_FORMAT,
  EAC3_FORMAT,
  FramedAudioDepacketizer,
  type FramedAudioFormat,
  MPEG_AUDIO_FORMAT,
} from './payload/framed-audio.ts';
import { G711Depacketizer } from './payload/g711.ts';
import { LatmDepacketizer } from './payload/latm.ts';
import { MpaRobustDepacketizer } from './payload/mpa-robust.ts';
import { OpusDepacketizer } from './payload/opus.ts';

/** By encoding. A master takes AAC for certain, MP3 and G.711 perhaps, the others if it speaks enhanced RTMP. */
export const AUDIO_OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  ['mpeg4-generic', openAac],
  ['mp4a-latm', openLatm],
  ['mpa', framed(MPEG_AUDIO_FORMAT)],
  ['mpa-robust', (receiver, { clockRate }) => new MpaRobustDepacketizer(receiver, clockRate)],
  ['pcma', openG711],
  ['pcmu', openG711],
  ['opus', openOpus],
  ['ac3', framed(AC3_FORMAT)],
  ['eac3', framed(EAC3_FORMAT)],
]);

/**
 * RTP clocks that are fixed, whatever `rtpmap` says: RFC 7587 §4.1 (Thingino and OpenIPC write
 * `opus/16000/1`), RFC 3551 §4.5.13, RFC 5219 §6.
 */
export const FIXED_CLOCK_RATES: ReadonlyMap<string, number> = new Map([
  ['opus', OPUS_SAMPLE_RATE],
  ['mpa', 90_000],
  ['mpa-robust', 90_000],
]);

/** Fields of AU headers that no camera is known to send, RFC 3640 §4.1. */
const UNREAD_AAC_FIELDS = [
  'ctsdeltalength',
  'dtsdeltalength',
  'randomaccessindication',
  'streamstateindication',
  'auxiliarydatasizelength',
];

/** RFC 3640 §4.1. */
function openAac(receiver: UnitReceiver, format: MediaFormat): Depacketizer {
  const { parameters, clockRate } = format;
  const auxiliary = UNREAD_AAC_FIELDS.find((name) => Number(parameters.get(name) ?? 0) !== 0);
  if (auxiliary !== undefined) throw new ParseError(`its AU headers carry ${auxiliary}`);
  const stated = fromHex(parameters.get('config') ?? '');
  // Object type 0 is none.
  const isConfigAssumed = !tried(parseAudioSpecificConfig, stated)?.objectType;
  const bits = (name: string, fallback: number) => {
    const value = Number(parameters.get(name) ?? fallback);
    return Number.isInteger(value) && value >= 0 && value <= 16 ? value : fallback;
  };
  const isLowBitRate = parameters.get('mode')?.toLowerCase() === 'aac-lbr';
  return new AacDepacketizer(receiver, {
    config: isConfigAssumed ? plainConfig(format) : stated,
    isConfigAssumed,
    clockRate,
    sizeLength: bits('sizelength', isLowBitRate ? 6 : 13),
    indexLength: bits('indexlength', isLowBitRate ? 2 : 3),
    indexDeltaLength: bits('indexdeltalength', isLowBitRate ? 2 : 3),
    // It must be there where interleaving is used (§4.1); indexes of others need not mean anything.
    isInterleaved: Number(parameters.get('maxdisplacement') ?? 0) > 0,
  });
}

/** RFC 6416 §7.3. */
function openLatm(receiver: UnitReceiver, format: MediaFormat): Depacketizer {
  const { parameters, clockRate } = format;
  const stated = latmConfig(fromHex(parameters.get('config') ?? ''));
  // By default it is in band. Who states a configuration and says nothing else means out of band, as ffmpeg reads it.
  const isConfigInBand = parameters.has('cpresent')
    ? parameters.get('cpresent') !== '0'
    : stated === undefined;
  const config = isConfigInBand ? stated : (stated ?? plainStreamMuxConfig(plainConfig(format)));
  return new LatmDepacketizer(receiver, { clockRate, isConfigInBand, config });
}

/** A StreamMuxConfig, as it should be, or an AudioSpecificConfig, which is none: its second bit would be set. */
function latmConfig(bytes: Uint8Array): StreamMuxConfig | undefined {
  return tried(parseStreamMuxConfig, bytes) ?? tried(plainStreamMuxConfig, bytes);
}

/** What a camera sends that names no configuration (some Dahua, Hikvision), or one that is none: AAC-LC as `rtpmap` says. */
function plainConfig({ clockRate, channels = 1 }: MediaFormat): Uint8Array {
  // More than 5.1 needs a config: 7 stands for eight channels (ISO/IEC 14496-3 table 1.19).
  if (channels > 6) throw new ParseError(`${channels} channels without a config`);
  return serializeAudioSpecificConfig({
    objectType: AudioObjectType.lc,
    sampleRate: clockRate,
    channelConfiguration: channels,
  });
}

/** RFC 3551 §4.5.14. */
function openG711(receiver: UnitReceiver, format: MediaFormat): Depacketizer {
  const { encoding, clockRate, channels = 1 } = format;
  return new G711Depacketizer(receiver, {
    kind: 'audio',
    codec: encoding === 'pcma' ? 'pcma' : 'pcmu',
    sampleRate: clockRate,
    channels,
  });
}

/** RFC 7587 §6.1: `rtpmap` always says two channels, `sprop-stereo` how many there are. */
function openOpus(receiver: UnitReceiver, { parameters }: MediaFormat): Depacketizer {
  return new OpusDepacketizer(receiver, parameters.get('sprop-stereo') === '1' ? 2 : 1);
}

function framed(format: FramedAudioFormat): Opener {
  return (receiver, { clockRate }) => new FramedAudioDepacketizer(receiver, clockRate, format);
}

function tried<T>(parse: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof ParseError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim().replace(/^0x/i, ''), 'hex'));
}
