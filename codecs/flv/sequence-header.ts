/** The tag body that tells a decoder how to begin: FLV 10.1 §E.4.2.2 and §E.4.3.2. */

import { UnsupportedError } from '../errors.ts';
import { serializeDecoderConfigurationRecord } from '../h264/decoder-configuration-record.ts';
import type { AacTrack, H264Track, Track } from '../track.ts';
import {
  AAC_HEADER_BYTES,
  AacPacketType,
  AVC_HEADER_BYTES,
  AvcPacketType,
  writeAacHeader,
  writeAvcHeader,
} from './tag.ts';

/** The whole body: header and decoder configuration. */
export function sequenceHeader(track: Track): Uint8Array {
  if (track.codec === 'h264') return avcSequenceHeader(track);
  if (track.codec === 'aac') return aacSequenceHeader(track);
  throw new UnsupportedError(`FLV tags for ${track.codec} are not written`);
}

function avcSequenceHeader(track: H264Track): Uint8Array {
  const record = serializeDecoderConfigurationRecord([track.sps], [track.pps]);
  const body = new Uint8Array(AVC_HEADER_BYTES + record.length);
  writeAvcHeader(body, 0, AvcPacketType.sequenceHeader, true, 0);
  body.set(record, AVC_HEADER_BYTES);
  return body;
}

function aacSequenceHeader(track: AacTrack): Uint8Array {
  const body = new Uint8Array(AAC_HEADER_BYTES + track.config.length);
  writeAacHeader(body, 0, AacPacketType.sequenceHeader);
  body.set(track.config, AAC_HEADER_BYTES);
  return body;
}
