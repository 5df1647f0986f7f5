/** Audio: configurations, frame headers and multiplexes. The seeds are bytes of real encoders, or small ones. */
import { LatmReader, parseStreamMuxConfig } from '../../../codecs/aac/latm.ts';
import { loasElements } from '../../../codecs/aac/loas.ts';
import { ac3Units } from '../../../codecs/ac3/frame-header.ts';
import { mpegAudioFrames } from '../../../codecs/mpeg-audio/frame-header.ts';
import { parseOpusIdentificationHeader } from '../../../codecs/opus/identification-header.ts';
import { opusPacketSamples } from '../../../codecs/opus/packet.ts';
import { LOAS, RTP_CONFIG } from '../../codecs/aac/latm-fixture.ts';
import { hex } from '../../support/hex.ts';
import { parserOf, type Subject } from '../subject.ts';

/** The first two frames: the second has no configuration of its own. */
const TWO_LOAS_FRAMES = LOAS.subarray(0, 403);
/** audioMuxVersion 1, HE-AAC v2 signalled behind. */
const VERSION_1_CONFIG = hex`8ff800031130856e59d488ff00`;
const MP3_FRAME = hex`fff314c4 ${'5a'.repeat(20)}`;

export const AUDIO_SUBJECTS: readonly Subject[] = [
  parserOf(
    'LOAS and LATM',
    (bytes) => {
      const reader = new LatmReader(true);
      return [...loasElements(bytes)].map((element) => [...reader.frames(element)].length);
    },
    TWO_LOAS_FRAMES,
  ),
  parserOf('StreamMuxConfig', parseStreamMuxConfig, RTP_CONFIG, VERSION_1_CONFIG),
  parserOf('MPEG audio', (bytes) => [...mpegAudioFrames(bytes)], MP3_FRAME),
  parserOf(
    'AC-3',
    (bytes) => [...ac3Units(bytes)],
    hex`0b77000f3287c000 ${'5a'.repeat(24)} 0b7740073287c000 ${'5a'.repeat(8)}`,
  ),
  parserOf(
    'OpusHead',
    parseOpusIdentificationHeader,
    hex`4f70757348656164 01 06 0000 803e0000 00ff 01 04 02 000401020305`,
  ),
  parserOf('Opus packet', opusPacketSamples, hex`fbc3`, hex`78`),
];
