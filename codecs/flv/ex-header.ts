/**
 * What audio and video tags of enhanced RTMP have in common behind their first byte: modifiers, the
 * FourCC, and several tracks in one tag. Enhanced RTMP v2, ExAudioTagHeader and ExVideoTagHeader.
 *
 * Of several tracks only that with id 0 is taken: the default track, by recommendation of the
 * specification; encoders send their other tracks with ids from 1.
 */
import { ByteReader } from '../byte-reader.ts';
import { ParseError, UnsupportedError } from '../errors.ts';

const MOD_EX = 7;
/** A size of 256 says that the real one follows in 16 bits. */
const MOD_EX_LONG = 256;
const DEFAULT_TRACK = 0;
const MultitrackType = { oneTrack: 0, manyTracks: 1, manyTracksManyCodecs: 2 } as const;

export interface ExHeader {
  readonly packetType: number;
  readonly fourCc: number;
  /** Stands before the body of the packet, and ends with it. */
  readonly body: ByteReader;
}

/**
 * `packetType`: the lower half of the first byte. `multitrack`: its value that announces tracks: 5 in
 * audio, 6 in video. undefined when the tag has nothing of the default track.
 */
export function readExHeader(
  reader: ByteReader,
  packetType: number,
  multitrack: number,
): ExHeader | undefined {
  let type = packetType;
  while (type === MOD_EX) type = skipModEx(reader);
  if (type !== multitrack) return { packetType: type, fourCc: reader.u32(), body: reader };
  return readDefaultTrack(reader, multitrack);
}

/** Sub-millisecond times and what else may come; returns the packet type behind it. */
function skipModEx(reader: ByteReader): number {
  const size = reader.u8() + 1;
  reader.take(size === MOD_EX_LONG ? reader.u16() + 1 : size);
  return reader.u8() & 0x0f;
}

function readDefaultTrack(reader: ByteReader, multitrack: number): ExHeader | undefined {
  const types = reader.u8();
  const multitrackType = types >>> 4;
  const packetType = types & 0x0f;
  if (multitrackType > MultitrackType.manyTracksManyCodecs) {
    throw new UnsupportedError(`FLV multitrack type ${multitrackType} is not supported`);
  }
  if (packetType === multitrack || packetType === MOD_EX) {
    throw new ParseError(`packet type ${packetType} within a multitrack tag`, reader.offset - 1);
  }
  const isMixed = multitrackType === MultitrackType.manyTracksManyCodecs;
  const commonFourCc = isMixed ? 0 : reader.u32();
  while (reader.remaining > 0) {
    const fourCc = isMixed ? reader.u32() : commonFourCc;
    const trackId = reader.u8();
    const size = multitrackType === MultitrackType.oneTrack ? reader.remaining : reader.u24();
    const bytes = reader.take(size);
    if (trackId === DEFAULT_TRACK) return { packetType, fourCc, body: new ByteReader(bytes) };
  }
  return undefined;
}
