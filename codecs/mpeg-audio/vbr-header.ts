/**
 * What encoders put into a first, silent frame of a MP3 file: how many frames follow. "Xing" (variable rate) and "Info"
 * (constant) of Xing and LAME stand where the data of a frame begins; "VBRI" of Fraunhofer 32 bytes behind the header.
 * Neither is in a standard. Not handled: their tables of places, which are coarse; encoder delays.
 */
import { ByteReader } from '../byte-reader.ts';
import { MPEG_AUDIO_HEADER_BYTES, type MpegAudioHeader } from './frame-header.ts';

const VBRI_OFFSET = MPEG_AUDIO_HEADER_BYTES + 32;
/** Version, delay, quality, bytes. */
const VBRI_BEFORE_FRAMES = 2 + 2 + 2 + 4;
const HAS_FRAMES = 1;
const XING = 0x58696e67;
const INFO = 0x496e666f;
const VBRI = 0x56425249;

export interface VbrHeader {
  /** Of the file, this one not counted; undefined: not said. */
  readonly frames: number | undefined;
}

/** `frame`: a whole frame of layer III. undefined: it is a frame like any other. */
export function parseVbrHeader(frame: Uint8Array, header: MpegAudioHeader): VbrHeader | undefined {
  const at = MPEG_AUDIO_HEADER_BYTES + sideInformationBytes(header);
  // With a checksum in the header, some writers count it and some do not.
  for (const offset of new Set([at, at + header.headerBytes - MPEG_AUDIO_HEADER_BYTES])) {
    const reader = new ByteReader(frame.subarray(offset));
    if (reader.remaining < 12) continue;
    const name = reader.u32();
    if (name !== XING && name !== INFO) continue;
    const flags = reader.u32();
    return { frames: (flags & HAS_FRAMES) === 0 ? undefined : reader.u32() };
  }
  const reader = new ByteReader(frame.subarray(VBRI_OFFSET));
  if (reader.remaining < 4 + VBRI_BEFORE_FRAMES + 4 || reader.u32() !== VBRI) return undefined;
  reader.take(VBRI_BEFORE_FRAMES);
  return { frames: reader.u32() };
}

/** ISO/IEC 11172-3 §2.4.1.7, ISO/IEC 13818-3 §2.4.1.7. */
function sideInformationBytes({ version, channels }: MpegAudioHeader): number {
  if (version === 1) return channels === 1 ? 17 : 32;
  return channels === 1 ? 9 : 17;
}
