/**
 * Sample entries, as files have them → what a decoder must know. ISO/IEC 14496-12 §8.5.2 and §12, ISO/IEC 14496-15 §5.4.2 and §8.4.1,
 * ISO/IEC 14496-14 §6.7, Opus in ISOBMFF §4.3; QuickTime File Format "Sound Sample Descriptions" for its versions 1 and 2.
 *
 * Not handled: encrypted entries, sound that is not compressed.
 */
import { aacTrack } from '../aac/audio-specific-config.ts';
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError, UnsupportedError } from '../errors.ts';
import { opusTrack } from '../opus/identification-header.ts';
import type { AudioTrack, PassedVideoTrack } from '../track.ts';
import { vp9RecordOf } from '../vp9/codec-configuration-record.ts';
import { boxes, findBox } from './boxes.ts';

/** Real files have one, or one for each set of parameter sets they were cut together from. */
const MAX_ENTRIES = 64;
const FULL_BOX_BYTES = 4;
/** What all entries begin with, and what those of pictures and sound have behind it. */
const ENTRY_BYTES = 8;
const VISUAL_BYTES = 70;
const AUDIO_BYTES = 20;
/** Of QuickTime's version 1 and 2, behind those. */
const QUICKTIME_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, 16],
  [2, 36],
]);

/** H.264 and H.265: the decoder configuration record, which FLV has, too. All else is a track already. */
export type SampleDescription =
  | { readonly kind: 'video'; readonly codec: 'h264' | 'h265'; readonly record: Uint8Array }
  | { readonly kind: 'video'; readonly codec: 'passed'; readonly track: PassedVideoTrack }
  | { readonly kind: 'audio'; readonly codec: 'audio'; readonly track: AudioTrack };

const Descriptor = { es: 3, decoderConfig: 4, decoderSpecific: 5 } as const;
/** objectTypeIndication, ISO/IEC 14496-1 table 5: MPEG-4 and MPEG-2 AAC, MPEG-2 and MPEG-1 audio. */
const AAC_OBJECT_TYPES: ReadonlySet<number> = new Set([0x40, 0x66, 0x67, 0x68]);
const MP3_OBJECT_TYPES: ReadonlySet<number> = new Set([0x69, 0x6b]);

/** `stsd`: its contents. Throws UnsupportedError on the first entry that we do not do, ParseError on damage. */
export function parseSampleDescriptions(stsd: Uint8Array): SampleDescription[] {
  const reader = new ByteReader(stsd);
  reader.take(FULL_BOX_BYTES);
  const count = reader.u32();
  if (count > MAX_ENTRIES) throw new ParseError(`${count} sample entries`);
  const descriptions: SampleDescription[] = [];
  for (const { type, payload } of boxes(reader.rest())) {
    if (descriptions.length === count) break;
    descriptions.push(descriptionOf(type, payload));
  }
  if (descriptions.length === 0) throw new ParseError('no sample entry');
  return descriptions;
}

function descriptionOf(type: string, payload: Uint8Array): SampleDescription {
  switch (type) {
    case 'avc1':
    case 'avc3':
      return { kind: 'video', codec: 'h264', record: visualBox(payload, 'avcC') };
    case 'hvc1':
    case 'hev1':
      return { kind: 'video', codec: 'h265', record: visualBox(payload, 'hvcC') };
    case 'av01':
      return passed('av1', visualBox(payload, 'av1C'));
    case 'vp09':
      return passed('vp9', vp9RecordOf(visualBox(payload, 'vpcC')));
    case 'mp4a':
    case '.mp3':
    case 'Opus':
    case 'ac-3':
    case 'ec-3':
      return { kind: 'audio', codec: 'audio', track: audioTrack(type, payload) };
    case 'encv':
    case 'enca':
      throw new UnsupportedError('it is encrypted');
    default:
      throw new UnsupportedError(`its codec '${printable(type)}' is not supported`);
  }
}

function passed(codec: PassedVideoTrack['codec'], config: Uint8Array): SampleDescription {
  return { kind: 'video', codec: 'passed', track: { kind: 'video', codec, config } };
}

function visualBox(payload: Uint8Array, type: string): Uint8Array {
  const found = findBox(payload.subarray(ENTRY_BYTES + VISUAL_BYTES), type);
  if (found === undefined) throw new ParseError(`a sample entry without '${type}'`);
  return found;
}

function audioTrack(type: string, payload: Uint8Array): AudioTrack {
  const reader = new ByteReader(payload);
  reader.take(ENTRY_BYTES);
  const version = reader.u16();
  reader.take(6); // revision, vendor
  const channels = reader.u16();
  reader.take(6); // samplesize, compression, packet size
  const sampleRate = reader.u32() >>> 16;
  const further = QUICKTIME_BYTES.get(version);
  if (further === undefined) throw new ParseError(`a sound description of version ${version}`);
  const children = payload.subarray(ENTRY_BYTES + AUDIO_BYTES + further);
  switch (type) {
    case '.mp3':
      return { kind: 'audio', codec: 'mp3', sampleRate, channels };
    case 'Opus':
      return opusTrack(opusHeadOf(childOf(children, 'dOps')));
    case 'ac-3':
      return { kind: 'audio', codec: 'ac3', sampleRate, channels };
    case 'ec-3':
      return { kind: 'audio', codec: 'eac3', sampleRate, channels };
    default:
      return mpegTrack(esdsOf(children), sampleRate, channels);
  }
}

/** QuickTime has it inside `wave`. */
function esdsOf(children: Uint8Array): Uint8Array {
  for (const { type, payload } of boxes(children)) {
    if (type === 'esds') return payload;
    if (type === 'wave') return childOf(payload, 'esds');
  }
  throw new ParseError("a sample entry without 'esds'");
}

function childOf(children: Uint8Array, type: string): Uint8Array {
  const found = findBox(children, type);
  if (found === undefined) throw new ParseError(`a sample entry without '${type}'`);
  return found;
}

/** ES_Descriptor, ISO/IEC 14496-1 §7.2.6.5. */
function mpegTrack(esds: Uint8Array, sampleRate: number, channels: number): AudioTrack {
  const es = new ByteReader(esds.subarray(FULL_BOX_BYTES));
  expectDescriptor(es, Descriptor.es);
  es.u16(); // ES_ID
  const flags = es.u8();
  if ((flags & 0x80) !== 0) es.u16(); // dependsOn_ES_ID
  if ((flags & 0x40) !== 0) es.take(es.u8()); // URLstring
  if ((flags & 0x20) !== 0) es.u16(); // OCR_ES_Id
  expectDescriptor(es, Descriptor.decoderConfig);
  const objectType = es.u8();
  es.take(12); // streamType …, bufferSizeDB, maxBitrate, avgBitrate
  if (MP3_OBJECT_TYPES.has(objectType)) {
    return { kind: 'audio', codec: 'mp3', sampleRate, channels };
  }
  if (!AAC_OBJECT_TYPES.has(objectType)) {
    throw new UnsupportedError(`MPEG-4 object type 0x${objectType.toString(16)} is not supported`);
  }
  return aacTrack(es.take(expectDescriptor(es, Descriptor.decoderSpecific)));
}

/** Its length, in as many groups of seven bits as the writer liked: four at most. */
function expectDescriptor(reader: ByteReader, tag: number): number {
  const found = reader.u8();
  if (found !== tag) throw new ParseError(`descriptor ${found} instead of ${tag}`);
  let length = 0;
  for (let bytes = 0; bytes < 4; bytes += 1) {
    const byte = reader.u8();
    length = (length << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  return length;
}

/** The same fields in the other byte order, RFC 7845 §5.1. */
function opusHeadOf(dOps: Uint8Array): Uint8Array {
  const reader = new ByteReader(dOps);
  reader.u8(); // Version
  const channels = reader.u8();
  const preSkip = reader.u16();
  const inputRate = reader.u32();
  const gain = reader.u16();
  const writer = new ByteWriter();
  for (const letter of 'OpusHead') writer.u8(letter.charCodeAt(0));
  writer
    .u8(1)
    .u8(channels)
    .u8(preSkip & 0xff)
    .u8(preSkip >> 8);
  for (const shift of [0, 8, 16, 24]) writer.u8((inputRate >>> shift) & 0xff);
  return writer
    .u8(gain & 0xff)
    .u8(gain >> 8)
    .bytes(reader.rest())
    .toBytes();
}

function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, '?');
}
