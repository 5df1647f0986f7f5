/** Bitstreams and containers. The seeds are bytes of real encoders, or small ones by the specification. */
import { adtsFrames } from '../../../codecs/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../../codecs/aac/audio-specific-config.ts';
import { annexBNalUnits, annexBToAvcc, avccToAnnexB } from '../../../codecs/annex-b.ts';
import { parseAv1CodecConfigurationRecord } from '../../../codecs/av1/codec-configuration-record.ts';
import { parseAmf0, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { parseAudioTagBody } from '../../../codecs/flv/audio-tag.ts';
import { flvTags } from '../../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../../codecs/flv/video-tag.ts';
import { parseDecoderConfigurationRecord } from '../../../codecs/h264/decoder-configuration-record.ts';
import { parseSps } from '../../../codecs/h264/sps.ts';
import { parseHevcDecoderConfigurationRecord } from '../../../codecs/h265/decoder-configuration-record.ts';
import { parseSps as parseH265Sps } from '../../../codecs/h265/sps.ts';
import { boxes } from '../../../codecs/mp4/boxes.ts';
import { nalUnits } from '../../../codecs/nal-units.ts';
import { parseVp9CodecConfigurationRecord } from '../../../codecs/vp9/codec-configuration-record.ts';
import { parseVp9FrameSize } from '../../../codecs/vp9/frame-size.ts';
import { DECODE_TIME_FIXTURES } from '../../codecs/decode-time-fixtures.ts';
import * as h265 from '../../codecs/h265/streams.ts';
import { hex } from '../../support/hex.ts';
import { parserOf, type Subject } from '../subject.ts';

const HIGH_RECORD = hex`01640028 ff e1 001b 67640028acd940780227e5c044000003000400000300c83c60c658 01 0006 68ebe3cb22c0 fd f8 f8 00`;
const HEVC_RECORD = hex`01 01 60000000 900000000000 78 f000 fc fd f8 f8 0000 0f 03
  20 0001 0018 40010c01ffff016000000300900000030000030078959809
  21 0001 002a 420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84
  22 0001 0007 4401c172b46240`;
const RICH_SPS = hex`6764001eacd940a02ff9701e7010101b700000030010000003032604000f424001e84a4c30078b16cb`;
const AVCC = hex`00000002 09f0 00000003 658801`;
const ANNEX_B = hex`00000001 09f0 000001 658801 0000`;

export const CODEC_SUBJECTS: readonly Subject[] = [
  parserOf('H.264 SPS', parseSps, RICH_SPS, ...DECODE_TIME_FIXTURES.map(({ sps }) => sps)),
  parserOf('AVC decoder configuration record', parseDecoderConfigurationRecord, HIGH_RECORD),
  parserOf(
    'H.265 SPS',
    parseH265Sps,
    h265.MAIN.sps,
    h265.MAIN_422_10.sps,
    h265.TWO_SUB_LAYERS.sps,
    h265.GSTREAMER_SPS,
  ),
  parserOf('HEVC decoder configuration record', parseHevcDecoderConfigurationRecord, HEVC_RECORD),
  parserOf(
    'AV1 codec configuration record',
    parseAv1CodecConfigurationRecord,
    hex`81010c00 0a0b0000000cc4ff6736be4010`,
    hex`81094c00 0a0b0000004aabbfc3700be101`,
  ),
  parserOf(
    'VP codec configuration record',
    parseVp9CodecConfigurationRecord,
    hex`01000000 0328a40202020000`,
  ),
  parserOf('VP9 keyframe', parseVp9FrameSize, hex`824983420014100b360638241c184a00`),
  parserOf(
    'MP4 boxes',
    (bytes) => [...boxes(bytes)],
    hex`00000010 66747970 69736f36 00000000 00000009 66726565 ff 00000001 6d646174 0000000000000012 0102`,
  ),
  parserOf('AVCC', (bytes) => [...nalUnits(bytes)], AVCC),
  parserOf('AVCC to Annex B', avccToAnnexB, AVCC),
  parserOf('Annex B', (bytes) => [...annexBNalUnits(bytes)], ANNEX_B),
  parserOf('Annex B to AVCC', annexBToAvcc, ANNEX_B),
  parserOf(
    'AudioSpecificConfig',
    parseAudioSpecificConfig,
    hex`1190 56e500`,
    hex`eb098800`,
    hex`118004c4010020000d4c61766335392e33372e31303056e500`,
  ),
  parserOf(
    'ADTS',
    (bytes) => [...adtsFrames(bytes)],
    hex`fff14c80013ffc de02 fff04c80015ffc abcd 21`,
  ),
  parserOf(
    'AMF0',
    parseAmf0,
    serializeAmf0('connect', 1, { app: 'live', a: [1, { b: null }], d: new Date(0) }, undefined),
  ),
  parserOf(
    'FLV file',
    (bytes) => [...flvTags(bytes)],
    hex`464c56 01 05 00000009 00000000 08 000003 000000 00 000000 af0121 0000000e`,
  ),
  parserOf(
    'FLV video tag',
    parseVideoTagBody,
    hex`27 01 fffff6 00000001 41`,
    hex`91 68766331 000050 00000002 2601`,
    hex`97 02 0a0b0c 01 76703039 86004092`,
    hex`96 11 68766331 00 000006 000000 000041 01 000004 00000042`,
  ),
  parserOf(
    'FLV audio tag',
    parseAudioTagBody,
    hex`af 01 21`,
    hex`90 4f707573 4f70757348656164`,
    hex`97 02 0a0b0c 05 21 6d703461 00 000002 2100 2e6d7033 01 000001 ff`,
  ),
];
