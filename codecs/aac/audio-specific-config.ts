/**
 * AudioSpecificConfig: what an AAC decoder must know. ISO/IEC 14496-3 §1.6.2.1, §4.4.1.1
 * (GASpecificConfig and program_config_element), §1.6.5 (signalling of SBR and PS).
 *
 * Not handled: what follows the first fields for object types that are not general audio; an
 * ErrorProtectionSpecificConfig (epConfig 2 and 3).
 */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';
import type { AacTrack } from '../track.ts';

/** ISO/IEC 14496-3 table 1.17, those that matter by name. */
export const AudioObjectType = { main: 1, lc: 2, ssr: 3, ltp: 4, sbr: 5, ps: 29 } as const;

/** Table 1.18; index 15 means that 24 bits with the rate follow. */
export const SAMPLING_FREQUENCIES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];
const EXPLICIT_FREQUENCY = 15;
const ESCAPED_OBJECT_TYPE = 31;
const ER_BSAC = 22;

/** Table 1.19; 0 means that a program_config_element tells. */
const CHANNELS_BY_CONFIGURATION: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 6],
  [7, 8],
  [11, 7],
  [12, 8],
  [13, 24],
  [14, 8],
]);

/** Object types with a GASpecificConfig, §1.6.2.1. Of others the end is not known. */
export const GENERAL_AUDIO_TYPES: ReadonlySet<number> = new Set([
  1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23,
]);
const SCALABLE: ReadonlySet<number> = new Set([6, 20]);
const ERROR_RESILIENT: ReadonlySet<number> = new Set([17, 19, 20, 23]);
/** Those that end with epConfig, as far as they are general audio. */
const ERROR_PROTECTED: ReadonlySet<number> = new Set([17, 19, 20, 21, 22, 23]);

const SYNC_EXTENSION_SBR = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;

export interface AudioSpecificConfig {
  /** Of the core, with SBR and PS taken off: 2 for HE-AAC. */
  readonly objectType: number;
  /** Of the core. A frame lasts frameLength / sampleRate seconds. */
  readonly sampleRate: number;
  readonly channelConfiguration: number;
  /** Of the core; 0 when neither the configuration nor a program_config_element says. */
  readonly channels: number;
  /** The rate after spectral band replication, where it is signalled. */
  readonly sbrSampleRate: number | undefined;
  readonly parametricStereo: boolean;
  readonly frameLength: 1024 | 960;
}

export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
  return readAudioSpecificConfig(new BitReader(bytes));
}

/** Reads a configuration that begins at any bit, and that anything may follow. */
export function readAudioSpecificConfig(reader: BitReader): AudioSpecificConfig {
  const start = reader.position;
  let objectType = readObjectType(reader);
  const sampleRate = readFrequency(reader);
  const channelConfiguration = reader.u(4);
  let sbrSampleRate: number | undefined;
  let parametricStereo = objectType === AudioObjectType.ps;
  const isExplicit = objectType === AudioObjectType.sbr || parametricStereo;
  if (isExplicit) {
    sbrSampleRate = readFrequency(reader); // extensionSamplingFrequencyIndex
    objectType = readObjectType(reader);
    if (objectType === ER_BSAC) reader.u(4); // extensionChannelConfiguration
  }
  let channels = channelsOf(channelConfiguration);
  let frameLength: 1024 | 960 = 1024;
  if (GENERAL_AUDIO_TYPES.has(objectType)) {
    const general = readGeneralAudio(reader, objectType, channelConfiguration, start);
    channels = general.channels ?? channels;
    frameLength = general.frameLength;
    if (ERROR_PROTECTED.has(objectType) && reader.remaining >= 2) reader.u(2); // epConfig
    if (!isExplicit) {
      const extension = readSyncExtension(reader);
      sbrSampleRate = extension.sbrSampleRate;
      parametricStereo = extension.parametricStereo;
    }
  }
  return {
    objectType,
    sampleRate,
    channelConfiguration,
    channels,
    sbrSampleRate,
    parametricStereo,
    frameLength,
  };
}

/** What ADTS headers and SDP attributes tell. */
export type AudioSpecificConfigFields = Pick<
  AudioSpecificConfig,
  'objectType' | 'sampleRate' | 'channelConfiguration'
> &
  Partial<Pick<AudioSpecificConfig, 'sbrSampleRate' | 'parametricStereo'>>;

/** For general audio with frames of 1024 samples; SBR and PS are signalled explicitly, in front. */
export function serializeAudioSpecificConfig(fields: AudioSpecificConfigFields): Uint8Array {
  const { objectType, sampleRate, channelConfiguration, sbrSampleRate, parametricStereo } = fields;
  let bits = '';
  if (sbrSampleRate === undefined) bits += objectTypeBits(objectType);
  else bits += objectTypeBits(parametricStereo ? AudioObjectType.ps : AudioObjectType.sbr);
  bits += frequencyBits(sampleRate) + toBits(channelConfiguration, 4);
  if (sbrSampleRate !== undefined)
    bits += frequencyBits(sbrSampleRate) + objectTypeBits(objectType);
  bits += '000'; // frameLengthFlag, dependsOnCoreCoder, extensionFlag
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  return bytes.map((_, index) => bitsToByte(bits.slice(index * 8, index * 8 + 8)));
}

/**
 * The track that a configuration describes, with rate and channels as they are heard. Implicit signalling
 * of SBR (§1.6.5.3) says nothing: only a clock of twice the core's rate, where there is one, tells.
 */
export function aacTrack(config: Uint8Array, clockRate?: number): AacTrack {
  const { sampleRate, sbrSampleRate, channels, parametricStereo } =
    parseAudioSpecificConfig(config);
  const isImplicitSbr = clockRate === sampleRate * 2;
  return {
    kind: 'audio',
    codec: 'aac',
    config,
    sampleRate: sbrSampleRate ?? (isImplicitSbr ? clockRate : sampleRate),
    channels: parametricStereo && channels === 1 ? 2 : channels,
  };
}

/** Undefined where table 1.18 has none. */
export function samplingFrequencyIndex(sampleRate: number): number | undefined {
  const index = SAMPLING_FREQUENCIES.indexOf(sampleRate);
  return index === -1 ? undefined : index;
}

function readObjectType(reader: BitReader): number {
  const type = reader.u(5);
  return type === ESCAPED_OBJECT_TYPE ? 32 + reader.u(6) : type;
}

function readFrequency(reader: BitReader): number {
  const index = reader.u(4);
  const frequency = index === EXPLICIT_FREQUENCY ? reader.u(24) : SAMPLING_FREQUENCIES[index];
  if (frequency === undefined || frequency === 0) {
    throw new ParseError(`sampling frequency index ${index} is reserved`, reader.position >>> 3);
  }
  return frequency;
}

function channelsOf(configuration: number): number {
  if (configuration === 0) return 0;
  const channels = CHANNELS_BY_CONFIGURATION.get(configuration);
  if (channels === undefined) {
    throw new ParseError(`channel configuration ${configuration} is reserved`);
  }
  return channels;
}

interface GeneralAudio {
  readonly frameLength: 1024 | 960;
  /** From the program_config_element, where there is one. */
  readonly channels: number | undefined;
}

/** GASpecificConfig, §4.4.1.1. */
function readGeneralAudio(
  reader: BitReader,
  objectType: number,
  channelConfiguration: number,
  start: number,
): GeneralAudio {
  const frameLength = reader.flag() ? 960 : 1024; // frameLengthFlag
  if (reader.flag()) reader.u(14); // dependsOnCoreCoder, coreCoderDelay
  const hasExtension = reader.flag();
  const channels = channelConfiguration === 0 ? readProgramConfig(reader, start) : undefined;
  if (SCALABLE.has(objectType)) reader.u(3); // layerNr
  if (hasExtension) {
    if (objectType === ER_BSAC) reader.u(16); // numOfSubFrame, layer_length
    if (ERROR_RESILIENT.has(objectType)) reader.u(3); // resilience flags
    reader.flag(); // extensionFlag3
  }
  return { frameLength, channels };
}

/**
 * program_config_element, §4.4.1.1 table 4.2. Returns the number of channels. Its byte_alignment counts
 * from `start`, the first bit of the configuration.
 */
function readProgramConfig(reader: BitReader, start: number): number {
  reader.u(10); // element_instance_tag, object_type, sampling_frequency_index
  const speakers = reader.u(4) + reader.u(4) + reader.u(4); // front, side, back
  const lfe = reader.u(2);
  const associatedData = reader.u(3);
  const coupling = reader.u(4);
  if (reader.flag()) reader.u(4); // mono_mixdown
  if (reader.flag()) reader.u(4); // stereo_mixdown
  if (reader.flag()) reader.u(3); // matrix_mixdown
  let channels = lfe;
  for (let index = 0; index < speakers; index += 1) {
    channels += reader.flag() ? 2 : 1; // is_cpe
    reader.u(4); // tag_select
  }
  reader.skip(lfe * 4 + associatedData * 4 + coupling * 5);
  reader.skip((8 - ((reader.position - start) % 8)) % 8); // byte_alignment
  reader.skip(reader.u(8) * 8); // comment_field_data
  return channels;
}

/** The backward compatible signalling behind the core's configuration, §1.6.5.2. */
function readSyncExtension(
  reader: BitReader,
): Pick<AudioSpecificConfig, 'sbrSampleRate' | 'parametricStereo'> {
  let sbrSampleRate: number | undefined;
  let parametricStereo = false;
  if (reader.remaining >= 16 && reader.peek(11) === SYNC_EXTENSION_SBR) {
    reader.skip(11);
    const isSbr = readObjectType(reader) === AudioObjectType.sbr;
    if (isSbr && reader.flag()) {
      sbrSampleRate = readFrequency(reader);
      if (reader.remaining >= 12 && reader.peek(11) === SYNC_EXTENSION_PS) {
        reader.skip(11);
        parametricStereo = reader.flag();
      }
    }
  }
  return { sbrSampleRate, parametricStereo };
}

function objectTypeBits(objectType: number): string {
  if (objectType < ESCAPED_OBJECT_TYPE) return toBits(objectType, 5);
  return toBits(ESCAPED_OBJECT_TYPE, 5) + toBits(objectType - 32, 6);
}

function frequencyBits(sampleRate: number): string {
  const index = samplingFrequencyIndex(sampleRate);
  if (index !== undefined) return toBits(index, 4);
  return toBits(EXPLICIT_FREQUENCY, 4) + toBits(sampleRate, 24);
}

function toBits(value: number, length: number): string {
  return value.toString(2).padStart(length, '0');
}

function bitsToByte(bits: string): number {
  return Number.parseInt(bits.padEnd(8, '0'), 2);
}
