/**
 * Sample entries of sound: ISO/IEC 14496-14 §6.7 (mp4a, esds), Opus in ISOBMFF §4.3 (Opus, dOps), ETSI TS 102 366
 * annex F (ac-3, dac3, ec-3, dec3). Names: RFC 6381 §3.3 and §3.4.
 *
 * Not handled: G.711 has a form in QuickTime files only. E-AC-3 with dependent substreams is described by its
 * independent one; decoders find the others in the frames.
 */
import { parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { type Ac3Header, parseAc3Header } from '../ac3/frame-header.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError } from '../errors.ts';
import { parseMpegAudioHeader } from '../mpeg-audio/frame-header.ts';
import { OPUS_SAMPLE_RATE, parseOpusIdentificationHeader } from '../opus/identification-header.ts';
import { opusPacketSamples } from '../opus/packet.ts';
import type { AacTrack, Ac3Track, AudioTrack, Mp3Track, OpusTrack } from '../track.ts';
import { box, fullBox } from './boxes.ts';
import type { TrackForm } from './track-form.ts';

/** objectTypeIndication, ISO/IEC 14496-1 table 5 and RFC 6381 §3.3: MPEG-1 audio has sampling rates from 32 kHz. */
const OBJECT_TYPE = { aac: 0x40, mpeg2Audio: 0x69, mpeg1Audio: 0x6b } as const;
const LOWEST_MPEG1_RATE = 32_000;
const AAC_SBR = 5;
const AAC_PS = 29;
const BITS_PER_SAMPLE = 16;
/** 16.16: more does not fit, and 0 lets the decoder configuration tell. */
const MAX_ENTRY_SAMPLE_RATE = 0xffff;

const Descriptor = { es: 3, decoderConfig: 4, decoderSpecific: 5, slConfig: 6 } as const;
/** streamType 5 (audio), upStream 0, reserved 1. */
const AUDIO_STREAM = 0x15;
/** ISO/IEC 14496-14 §3.1.2: the only one in MP4 files. */
const PREDEFINED_SL = 2;
const MAPPING_TABLE_AT = 19;

export function audioForm(track: AudioTrack, firstUnit?: Uint8Array): TrackForm | undefined {
  switch (track.codec) {
    case 'aac':
      return aacForm(track);
    case 'mp3':
      return mp3Form(track);
    case 'opus':
      return opusForm(track);
    case 'ac3':
    case 'eac3':
      return firstUnit === undefined ? undefined : ac3Form(track, firstUnit);
    case 'pcma':
    case 'pcmu':
      return undefined;
  }
}

function aacForm(track: AacTrack): TrackForm {
  const { config } = track;
  const facts = parseAudioSpecificConfig(config);
  const ticks = Math.round((facts.frameLength * track.sampleRate) / facts.sampleRate);
  let objectType = facts.objectType;
  if (facts.sbrSampleRate !== undefined) objectType = facts.parametricStereo ? AAC_PS : AAC_SBR;
  const codec = `mp4a.40.${objectType}`;
  return form(track, 'mp4a', codec, esds(OBJECT_TYPE.aac, config), () => ticks);
}

function mp3Form(track: Mp3Track): TrackForm {
  const isMpeg1 = track.sampleRate >= LOWEST_MPEG1_RATE;
  const objectType = isMpeg1 ? OBJECT_TYPE.mpeg1Audio : OBJECT_TYPE.mpeg2Audio;
  const codec = `mp4a.${objectType.toString(16).toUpperCase()}`;
  const ticksOf = orUndefined((data) => parseMpegAudioHeader(data).samplesPerFrame);
  return form(track, 'mp4a', codec, esds(objectType, undefined), ticksOf);
}

/** dOps has the fields of the identification header, behind its magic, in the other byte order. */
function opusForm(track: OpusTrack): TrackForm {
  const header = parseOpusIdentificationHeader(track.config);
  const writer = new ByteWriter().u8(0).u8(header.channels).u16(header.preSkip);
  writer.u32(header.inputSampleRate).i16(header.outputGain).u8(header.mappingFamily);
  if (header.mappingFamily !== 0) {
    const end = MAPPING_TABLE_AT + 2 + header.channels;
    writer.bytes(track.config.subarray(MAPPING_TABLE_AT, end));
  }
  const ticksOf = orUndefined(opusPacketSamples);
  return form(track, 'Opus', 'opus', box('dOps', writer.toBytes()), ticksOf);
}

function ac3Form(track: Ac3Track, firstUnit: Uint8Array): TrackForm {
  const header = parseAc3Header(firstUnit);
  const ticksOf = orUndefined((data) => parseAc3Header(data).samplesPerFrame);
  if (header.codec === 'ac3') return form(track, 'ac-3', 'ac-3', dac3(firstUnit), ticksOf);
  return form(track, 'ec-3', 'ec-3', dec3(firstUnit, header), ticksOf);
}

/** ETSI TS 102 366 §F.4: fscod(2) bsid(5) bsmod(3) acmod(3) lfeon(1) bit_rate_code(5) reserved(5). */
function dac3(frame: Uint8Array): Uint8Array {
  const [, , , , b4 = 0, b5 = 0, b6 = 0, b7 = 0] = frame;
  const acmod = b6 >> 5;
  const hasCentreMix = (acmod & 1) !== 0 && acmod !== 1;
  const optional = (hasCentreMix ? 2 : 0) + ((acmod & 4) !== 0 ? 2 : 0) + (acmod === 2 ? 2 : 0);
  const lfeon = (((b6 << 8) | b7) >> (12 - optional)) & 1;
  const bitRateCode = (b4 & 0x3f) >> 1;
  const bits = ((b4 >> 6) << 22) | (b5 << 14) | (acmod << 11) | (lfeon << 10) | (bitRateCode << 5);
  return box('dac3', new ByteWriter().u24(bits).toBytes());
}

/** §F.6: data_rate(13) num_ind_sub(3), fscod(2) bsid(5) reserved(1) asvc(1) bsmod(3) acmod(3) lfeon(1), num_dep_sub. */
function dec3(frame: Uint8Array, header: Ac3Header): Uint8Array {
  const [, , , , b4 = 0, b5 = 0] = frame;
  const kbps = (header.frameBytes * 8 * header.sampleRate) / header.samplesPerFrame / 1000;
  const writer = new ByteWriter().u16(Math.round(kbps) << 3);
  writer
    .u8(((b4 >> 6) << 6) | ((b5 >> 3) << 1))
    .u8(b4 & 0x0f)
    .u8(0);
  return box('dec3', writer.toBytes());
}

function form(
  { sampleRate, channels }: AudioTrack,
  type: string,
  codec: string,
  description: Uint8Array,
  ticksOf: TrackForm['ticksOf'],
): TrackForm {
  const timescale = type === 'Opus' ? OPUS_SAMPLE_RATE : sampleRate;
  return {
    kind: 'audio',
    sampleEntry: audioSampleEntry(type, channels, timescale, description),
    codec,
    timescale,
    width: 0,
    height: 0,
    ticksOf,
  };
}

/** ISO/IEC 14496-12 §12.2.3. */
function audioSampleEntry(
  type: string,
  channels: number,
  sampleRate: number,
  description: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(new Uint8Array(6)).u16(1); // reserved, data_reference_index
  writer.u32(0).u32(0); // reserved
  writer.u16(channels).u16(BITS_PER_SAMPLE).u32(0); // channelcount, samplesize, pre_defined, reserved
  writer.u16(sampleRate > MAX_ENTRY_SAMPLE_RATE ? 0 : sampleRate).u16(0);
  return box(type, writer.toBytes(), description);
}

/** ES_Descriptor, ISO/IEC 14496-1 §7.2.6.5. Buffer size and bit rates are not known. */
function esds(objectType: number, config: Uint8Array | undefined): Uint8Array {
  const decoder = new ByteWriter().u8(objectType).u8(AUDIO_STREAM).u24(0).u32(0).u32(0);
  if (config !== undefined) decoder.bytes(descriptor(Descriptor.decoderSpecific, config));
  const es = new ByteWriter().u16(0).u8(0); // ES_ID, flags
  es.bytes(descriptor(Descriptor.decoderConfig, decoder.toBytes()));
  es.bytes(descriptor(Descriptor.slConfig, Uint8Array.of(PREDEFINED_SL)));
  return fullBox('esds', 0, 0, descriptor(Descriptor.es, es.toBytes()));
}

/** The length in four groups of seven bits, as QuickTime writes it: any length in one form. */
function descriptor(tag: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const writer = new ByteWriter().u8(tag);
  for (const shift of [21, 14, 7]) writer.u8(0x80 | ((length >> shift) & 0x7f));
  return writer
    .u8(length & 0x7f)
    .bytes(payload)
    .toBytes();
}

/** A damaged frame does not say how long it plays. */
function orUndefined(ticksOf: (data: Uint8Array) => number): TrackForm['ticksOf'] {
  return (data) => {
    try {
      return ticksOf(data);
    } catch (error) {
      if (error instanceof ParseError) return undefined;
      throw error;
    }
  };
}
