/**
 * Sample entries of pictures: ISO/IEC 14496-15 §5.4.2 (avc1) and §8.4.1 (hvc1), AV1 ISOBMFF §2.2 (av01), VP Codec
 * ISO Media File Format Binding (vp09). Names: RFC 6381 §3.3, ISO/IEC 14496-15 annex E, and those bindings.
 *
 * avc1 and hvc1, although cameras repeat parameter sets in their pictures: Apple's players refuse hev1, and
 * those that take avc1 do not mind the repetition.
 */
import { parseAv1CodecConfigurationRecord } from '../av1/codec-configuration-record.ts';
import { ByteWriter } from '../byte-writer.ts';
import { serializeDecoderConfigurationRecord } from '../h264/decoder-configuration-record.ts';
import { parseSps } from '../h264/sps.ts';
import { serializeHevcDecoderConfigurationRecord } from '../h265/decoder-configuration-record.ts';
import { parseSps as parseHevcSps, type SequenceParameterSet } from '../h265/sps.ts';
import type { H264Track, H265Track, PassedVideoTrack, VideoTrack } from '../track.ts';
import {
  parseVp9CodecConfigurationRecord,
  vp9RecordOf,
} from '../vp9/codec-configuration-record.ts';
import { parseVp9FrameSize } from '../vp9/frame-size.ts';
import { box, fullBox } from './boxes.ts';
import type { TrackForm } from './track-form.ts';

/** As RTP and MPEG-TS have it: a microsecond is lost nowhere else. */
const VIDEO_TIMESCALE = 90_000;
const PIXELS_PER_INCH_72 = 0x0048_0000;
const COMPRESSOR_NAME_BYTES = 32;
const NO_COLOR_TABLE = -1;
const DEPTH_24 = 24;
/** Where a VP9 record does not state the level: 1.0. */
const VP9_LOWEST_LEVEL = 10;

interface Size {
  readonly width: number;
  readonly height: number;
}

export function videoForm(track: VideoTrack, firstUnit?: Uint8Array): TrackForm | undefined {
  switch (track.codec) {
    case 'h264':
      return avcForm(track);
    case 'h265':
      return hevcForm(track);
    case 'av1':
      return av1Form(track);
    case 'vp9':
      return firstUnit === undefined ? undefined : vp9Form(track, firstUnit);
  }
}

function avcForm({ sps, pps }: H264Track): TrackForm {
  const facts = parseSps(sps);
  const { profileIdc, constraintFlags, levelIdc } = facts;
  const codec = `avc1.${[profileIdc, constraintFlags, levelIdc].map(twoHexDigits).join('')}`;
  const record = box('avcC', serializeDecoderConfigurationRecord([sps], [pps]));
  return form('avc1', codec, facts, record);
}

function hevcForm({ vps, sps, pps }: H265Track): TrackForm {
  const facts = parseHevcSps(sps);
  // Two fields are one picture to the box: it has the size of what is shown.
  const size = { width: facts.width, height: facts.height * (facts.fieldSequence ? 2 : 1) };
  const record = box('hvcC', serializeHevcDecoderConfigurationRecord([vps], [sps], [pps], true));
  return form('hvc1', hevcName(facts), size, record);
}

/** ISO/IEC 14496-15 §E.3: hvc1.1.6.L93.90 */
function hevcName(facts: SequenceParameterSet): string {
  const { profileSpace, profileIdc, compatibilityFlags, highTier, levelIdc } = facts;
  const space = ['', 'A', 'B', 'C'][profileSpace] ?? '';
  const compatibility = reverse32(compatibilityFlags).toString(16).toUpperCase();
  const constraints = constraintBytes(facts).map((byte) => `.${byte.toString(16).toUpperCase()}`);
  const level = `${highTier ? 'H' : 'L'}${levelIdc}`;
  return `hvc1.${space}${profileIdc}.${compatibility}.${level}${constraints.join('')}`;
}

/** The six bytes, without the zeros at their end. */
function constraintBytes({ constraintFlagsHigh, constraintFlagsLow }: SequenceParameterSet) {
  const writer = new ByteWriter().u16(constraintFlagsHigh).u32(constraintFlagsLow);
  const bytes = [...writer.toBytes()];
  return bytes.slice(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

function reverse32(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((value >>> bit) & 1);
  return reversed;
}

function av1Form({ config }: PassedVideoTrack): TrackForm {
  const { profile, levelIdx, highTier, bitDepth, size } = parseAv1CodecConfigurationRecord(config);
  const level = `${twoDigits(levelIdx)}${highTier ? 'H' : 'M'}`;
  const codec = `av01.${profile}.${level}.${twoDigits(bitDepth)}`;
  return form('av01', codec, size ?? { width: 0, height: 0 }, box('av1C', config));
}

function vp9Form({ config }: PassedVideoTrack, firstUnit: Uint8Array): TrackForm {
  const { profile, level, bitDepth } = parseVp9CodecConfigurationRecord(config);
  const codec = `vp09.${[profile, level || VP9_LOWEST_LEVEL, bitDepth].map(twoDigits).join('.')}`;
  const record = fullBox('vpcC', 1, 0, vp9RecordOf(config));
  return form('vp09', codec, parseVp9FrameSize(firstUnit), record);
}

function form(type: string, codec: string, { width, height }: Size, record: Uint8Array): TrackForm {
  return {
    kind: 'video',
    sampleEntry: visualSampleEntry(type, width, height, record),
    codec,
    timescale: VIDEO_TIMESCALE,
    width,
    height,
    ticksOf: () => undefined,
  };
}

/** ISO/IEC 14496-12 §12.1.3. */
function visualSampleEntry(
  type: string,
  width: number,
  height: number,
  record: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(new Uint8Array(6)).u16(1); // reserved, data_reference_index
  writer.bytes(new Uint8Array(16)); // pre_defined, reserved
  writer.u16(width).u16(height);
  writer.u32(PIXELS_PER_INCH_72).u32(PIXELS_PER_INCH_72).u32(0); // resolutions, reserved
  writer.u16(1).bytes(new Uint8Array(COMPRESSOR_NAME_BYTES)); // frame_count, compressorname
  writer.u16(DEPTH_24).i16(NO_COLOR_TABLE);
  return box(type, writer.toBytes(), record);
}

function twoHexDigits(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
