/** Bitstreams and containers. The seeds are bytes of real encoders, or small ones by the specification. */
import { adtsFrames } from '../../../codecs/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../../codecs/aac/audio-specific-config.ts';
import { parseAmf0, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { flvTags, parseAacTagBody, parseAvcTagBody } from '../../../codecs/flv/tag.ts';
import { annexBNalUnits, annexBToAvcc, avccToAnnexB } from '../../../codecs/h264/annex-b.ts';
import { parseDecoderConfigurationRecord } from '../../../codecs/h264/decoder-configuration-record.ts';
import { nalUnits } from '../../../codecs/h264/nal-unit.ts';
import { parseSps } from '../../../codecs/h264/sps.ts';
import { DECODE_TIME_FIXTURES } from '../../codecs/h264/decode-time-fixtures.ts';
import { hex } from '../../support/hex.ts';
import { parserOf, type Subject } from '../subject.ts';

const HIGH_RECORD = hex`01640028 ff e1 001b 67640028acd940780227e5c044000003000400000300c83c60c658 01 0006 68ebe3cb22c0 fd f8 f8 00`;
const RICH_SPS = hex`6764001eacd940a02ff9701e7010101b700000030010000003032604000f424001e84a4c30078b16cb`;
const AVCC = hex`00000002 09f0 00000003 658801`;
const ANNEX_B = hex`00000001 09f0 000001 658801 0000`;

export const CODEC_SUBJECTS: readonly Subject[] = [
  parserOf('H.264 SPS', parseSps, RICH_SPS, ...DECODE_TIME_FIXTURES.map(({ sps }) => sps)),
  parserOf('AVC decoder configuration record', parseDecoderConfigurationRecord, HIGH_RECORD),
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
  parserOf('AVC tag body', parseAvcTagBody, hex`27 01 fffff6 00000001 41`),
  parserOf('AAC tag body', parseAacTagBody, hex`af 01 21`),
];
