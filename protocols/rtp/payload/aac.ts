/**
 * AAC over RTP, RFC 3640: modes AAC-hbr and AAC-lbr, several access units in a packet, and one
 * access unit over several packets; interleaved ones (§3.3.6) are put back into the order of their times.
 * Tolerated: frames that carry an ADTS header all the same. It is taken off, and where the description has no
 * configuration it tells it.
 */
import { audioSpecificConfigOf, isAdts, parseAdtsHeader } from '../../../codecs/aac/adts.ts';
import { aacTrack, parseAudioSpecificConfig } from '../../../codecs/aac/audio-specific-config.ts';
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import { equalBytes } from '../../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import type { AacTrack } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

/** No AAC frame is longer: 6144 bits a channel (ISO/IEC 14496-3 §4.5.3.1) at 48 channels. */
const MAX_FRAME_BYTES = 36_864;
/** Interleaved frames wait for those before them: more than a second of them is no interleaving. */
const MAX_HELD_FRAMES = 64;

export interface AacPayloadFormat {
  /** AudioSpecificConfig. */
  readonly config: Uint8Array;
  /** The camera did not state it: what an ADTS header says is better. */
  readonly isConfigAssumed: boolean;
  /** The RTP clock. */
  readonly clockRate: number;
  /** Bits of the fields of an AU header, RFC 3640 §3.2.1. */
  readonly sizeLength: number;
  readonly indexLength: number;
  readonly indexDeltaLength: number;
  /** Frames come out of order, and their indexes tell where they belong. */
  readonly isInterleaved: boolean;
}

interface HeldFrame {
  readonly timestamp: number;
  readonly bytes: Uint8Array;
}

export class AacDepacketizer implements Depacketizer {
  damagedUnits = 0;
  readonly #receiver: UnitReceiver;
  readonly #format: AacPayloadFormat;
  readonly #assembler = new AccessUnitAssembler();
  #track: AacTrack;
  #ticksPerFrame: number;
  /** Bytes still missing of a frame that came in pieces. */
  #missing = 0;
  #fragmentTimestamp = 0;
  /** Of a frame that lost a piece: its other pieces are nothing. */
  #droppedTimestamp: number | undefined;
  /** By time. */
  readonly #held: HeldFrame[] = [];

  /** Throws ParseError for a config that is none. */
  constructor(receiver: UnitReceiver, format: AacPayloadFormat) {
    this.#receiver = receiver;
    this.#format = format;
    this.#track = aacTrack(format.config, format.clockRate);
    this.#ticksPerFrame = this.#frameTicks(format.config);
  }

  get track(): AacTrack {
    return this.#track;
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
    // What follows begins later: packets come in the order of their first frames.
    this.#releaseHeld(packet.timestamp);
  }

  #units(packet: RtpPacket, headerBits: number, dataStart: number): void {
    const { bytes, start, end, timestamp } = packet;
    const { sizeLength, indexLength, indexDeltaLength } = this.#format;
    let bit = 0;
    let at = dataStart;
    let place = 0;
    for (let n = 0; at < end; n += 1) {
      const indexBits = n === 0 ? indexLength : indexDeltaLength;
      if (bit + sizeLength + indexBits > headerBits) return;
      const size = readBits(bytes, (start + 2) * 8 + bit, sizeLength);
      const index = readBits(bytes, (start + 2) * 8 + bit + sizeLength, indexBits);
      if (n > 0) place += this.#format.isInterleaved ? index + 1 : 1; // AU-Index-delta
      bit += sizeLength + indexBits;
      if (size === 0 || size > MAX_FRAME_BYTES) {
        this.damagedUnits += 1;
        return;
      }
      const unitTimestamp = (timestamp + Math.round(place * this.#ticksPerFrame)) >>> 0;
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
    if (this.#format.isInterleaved) this.#hold(this.#assembler.take(), timestamp);
    else this.#deliver(timestamp);
  }

  /** The frame in the assembler. */
  #deliver(timestamp: number): void {
    const frame = this.#withoutAdtsHeader(this.#assembler.take());
    const kept = this.#receiver.unit(frame, timestamp, true, this.#track);
    this.#assembler.release(kept);
  }

  #hold(frame: Uint8Array, timestamp: number): void {
    let at = this.#held.length;
    while (at > 0 && isBefore(timestamp, this.#held[at - 1]?.timestamp ?? timestamp)) at -= 1;
    this.#held.splice(at, 0, { timestamp, bytes: frame.slice() });
    this.#assembler.clear();
    const oldest = this.#held[0];
    if (this.#held.length > MAX_HELD_FRAMES && oldest) this.#releaseHeld(oldest.timestamp);
  }

  /** Those up to a time. The assembler is empty unless a frame's pieces are coming in: they then wait. */
  #releaseHeld(until: number): void {
    if (this.#missing > 0) return;
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      if (isBefore(until, first.timestamp)) return;
      this.#held.shift();
      this.#assembler.append(first.bytes);
      this.#deliver(first.timestamp);
    }
  }

  /** A bare frame never begins with 12 set bits: the first three would be the end of its elements. */
  #withoutAdtsHeader(frame: Uint8Array): Uint8Array {
    if (!isAdts(frame)) return frame;
    if (this.#format.isConfigAssumed) this.#learn(frame);
    const hasCrc = ((frame[1] ?? 0) & 1) === 0;
    return frame.subarray(hasCrc ? 9 : 7);
  }

  #learn(frame: Uint8Array): void {
    try {
      const config = audioSpecificConfigOf(parseAdtsHeader(frame));
      if (equalBytes(config, this.#track.config)) return;
      this.#track = aacTrack(config);
      this.#ticksPerFrame = this.#frameTicks(config);
    } catch (error) {
      if (!(error instanceof ParseError || error instanceof UnsupportedError)) throw error;
    }
  }

  #frameTicks(config: Uint8Array): number {
    const { frameLength, sampleRate } = parseAudioSpecificConfig(config);
    return (frameLength * this.#format.clockRate) / sampleRate;
  }

  #dropFragment(): void {
    this.#droppedTimestamp = this.#fragmentTimestamp;
    this.#missing = 0;
    this.#assembler.clear();
    this.damagedUnits += 1;
  }
}

/** RTP timestamps wrap around. */
function isBefore(timestamp: number, other: number): boolean {
  return ((timestamp - other) | 0) < 0;
}

function readBits(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let bit = from; bit < from + count; bit += 1) {
    value = (value << 1) | (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  }
  return value;
}
