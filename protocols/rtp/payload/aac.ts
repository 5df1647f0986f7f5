/**
 * AAC over RTP, RFC 3640: modes AAC-hbr and AAC-lbr, several access units in a packet, and one
 * access unit over several packets. Interleaving is not undone: units leave in order of arrival.
 * Tolerated: frames that carry an ADTS header all the same, which is taken off.
 */
import { aacTrack, parseAudioSpecificConfig } from '../../../codecs/aac/audio-specific-config.ts';
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import type { AacTrack } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

/** No AAC frame is longer: 6144 bits a channel (ISO/IEC 14496-3 §4.5.3.1) at 48 channels. */
const MAX_FRAME_BYTES = 36_864;

export interface AacPayloadFormat {
  /** AudioSpecificConfig. */
  readonly config: Uint8Array;
  /** The RTP clock. */
  readonly clockRate: number;
  /** Bits of the fields of an AU header, RFC 3640 §3.2.1. */
  readonly sizeLength: number;
  readonly indexLength: number;
  readonly indexDeltaLength: number;
}

export class AacDepacketizer implements Depacketizer {
  readonly track: AacTrack;
  damagedUnits = 0;
  readonly #receiver: UnitReceiver;
  readonly #format: AacPayloadFormat;
  readonly #assembler = new AccessUnitAssembler();
  readonly #ticksPerFrame: number;
  /** Bytes still missing of a frame that came in pieces. */
  #missing = 0;
  #fragmentTimestamp = 0;
  /** Of a frame that lost a piece: its other pieces are nothing. */
  #droppedTimestamp: number | undefined;

  /** Throws ParseError for a config that is none. */
  constructor(receiver: UnitReceiver, format: AacPayloadFormat) {
    this.#receiver = receiver;
    this.#format = format;
    this.track = aacTrack(format.config);
    const config = parseAudioSpecificConfig(format.config);
    this.#ticksPerFrame = Math.round((config.frameLength * format.clockRate) / config.sampleRate);
  }

  push(packet: RtpPacket, isGap: boolean): void {
    if (this.#missing > 0 && (isGap || packet.timestamp !== this.#fragmentTimestamp)) {
      this.#dropFragment();
    }
    if (packet.timestamp === this.#droppedTimestamp) return;
    const { bytes, start, end } = packet;
    const headerBits = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
    const dataStart = start + 2 + Math.ceil(headerBits / 8);
    if (end - start < 2 || dataStart > end) {
      this.damagedUnits += 1;
      return;
    }
    this.#units(packet, headerBits, dataStart);
  }

  #units(packet: RtpPacket, headerBits: number, dataStart: number): void {
    const { bytes, start, end, timestamp } = packet;
    const { sizeLength, indexLength, indexDeltaLength } = this.#format;
    let bit = 0;
    let at = dataStart;
    for (let n = 0; at < end; n += 1) {
      const indexBits = n === 0 ? indexLength : indexDeltaLength;
      if (bit + sizeLength + indexBits > headerBits) return;
      const size = readBits(bytes, (start + 2) * 8 + bit, sizeLength);
      bit += sizeLength + indexBits;
      if (size === 0 || size > MAX_FRAME_BYTES) {
        this.damagedUnits += 1;
        return;
      }
      const unitTimestamp = (timestamp + n * this.#ticksPerFrame) >>> 0;
      this.#piece(bytes.subarray(at, Math.min(end, at + size)), size, unitTimestamp);
      at += size;
    }
  }

  /** A whole frame, or the next piece of one: every piece's header states the whole size (§3.2.3). */
  #piece(piece: Uint8Array, size: number, timestamp: number): void {
    if (this.#missing > 0 && piece.length > this.#missing) this.#dropFragment();
    if (this.#missing === 0) {
      this.#missing = size;
      this.#fragmentTimestamp = timestamp;
    }
    this.#assembler.append(piece);
    this.#missing -= piece.length;
    if (this.#missing > 0) return;
    this.#droppedTimestamp = undefined;
    const frame = withoutAdtsHeader(this.#assembler.take());
    const kept = this.#receiver.unit(frame, timestamp, true, this.track);
    this.#assembler.release(kept);
  }

  #dropFragment(): void {
    this.#droppedTimestamp = this.#fragmentTimestamp;
    this.#missing = 0;
    this.#assembler.clear();
    this.damagedUnits += 1;
  }
}

/** A bare frame never begins with 12 set bits: the first three would be the end of its elements. */
function withoutAdtsHeader(frame: Uint8Array): Uint8Array {
  if (frame[0] !== 0xff || ((frame[1] ?? 0) & 0xf6) !== 0xf0) return frame;
  const hasCrc = ((frame[1] ?? 0) & 1) === 0;
  return frame.subarray(hasCrc ? 9 : 7);
}

function readBits(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let bit = from; bit < from + count; bit += 1) {
    value = (value << 1) | (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  }
  return value;
}
