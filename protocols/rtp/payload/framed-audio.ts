/**
 * Audio whose frames tell their own length, over RTP: MPEG audio (RFC 2250 §3.5), AC-3 (RFC 4184 §4) and
 * E-AC-3 (RFC 4598 §4). A packet has a short header, and behind it whole frames, or a piece of one.
 *
 * Of those headers only what tells a later piece from a beginning is looked at: how long a frame is, and so
 * when its pieces are all there, its own header tells better.
 */

import { ac3Track, ac3UnitBytes, parseAc3Header } from '../../../codecs/ac3/frame-header.ts';
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { parseMpegAudioHeader } from '../../../codecs/mpeg-audio/frame-header.ts';
import type { AudioTrack } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

/** What is known of the frame that begins here, from its first bytes. */
interface FoundFrame {
  readonly track: AudioTrack;
  /** Of the unit; may exceed what the packet has. */
  readonly byteLength: number;
  readonly samples: number;
}

export interface FramedAudioFormat {
  /** Of the header in front of the frames. */
  readonly headerBytes: number;
  /** Whether a payload is a later piece of a frame, as far as its header tells. */
  readonly isContinuation: (bytes: Uint8Array, start: number) => boolean;
  /** The frame at an offset; throws ParseError where none is. A string: why it cannot be carried. */
  readonly find: (bytes: Uint8Array, offset: number) => FoundFrame | string;
}

/** MBZ (16 bits), Frag_offset (16 bits). Only layer III has a place in FLV. */
export const MPEG_AUDIO_FORMAT: FramedAudioFormat = {
  headerBytes: 4,
  isContinuation: (bytes, start) => bytes[start + 2] !== 0 || bytes[start + 3] !== 0,
  find: (bytes, offset) => {
    const { layer, sampleRate, channels, frameBytes, samplesPerFrame } = parseMpegAudioHeader(
      bytes,
      offset,
    );
    if (layer !== 3) return `it is MPEG layer ${'I'.repeat(layer)}, not MP3`;
    const track = { kind: 'audio', codec: 'mp3', sampleRate, channels } as const;
    return { track, byteLength: frameBytes, samples: samplesPerFrame };
  },
};

/** MBZ (6 bits), FT (2 bits): 3 for a later piece; NF (8 bits). */
export const AC3_FORMAT: FramedAudioFormat = {
  headerBytes: 2,
  isContinuation: (bytes, start) => ((bytes[start] ?? 0) & 3) === 3,
  find: findAc3,
};

/** MBZ (7 bits), F (1 bit): 1 for any piece; NF (8 bits). */
export const EAC3_FORMAT: FramedAudioFormat = {
  headerBytes: 2,
  isContinuation: () => false,
  find: findAc3,
};

function findAc3(bytes: Uint8Array, offset: number): FoundFrame {
  const header = parseAc3Header(bytes, offset);
  const byteLength = ac3UnitBytes(bytes, offset);
  return { track: ac3Track(header), byteLength, samples: header.samplesPerFrame };
}

export class FramedAudioDepacketizer implements Depacketizer {
  damagedUnits = 0;
  refusal: string | undefined;
  track: AudioTrack | undefined;
  readonly #receiver: UnitReceiver;
  readonly #clockRate: number;
  readonly #format: FramedAudioFormat;
  readonly #assembler = new AccessUnitAssembler();
  /** Bytes still missing of a frame that comes in pieces. */
  #missing = 0;
  #timestamp = 0;
  /** Of a frame that lost a piece: its other pieces are nothing. */
  #droppedTimestamp: number | undefined;

  constructor(receiver: UnitReceiver, clockRate: number, format: FramedAudioFormat) {
    this.#receiver = receiver;
    this.#clockRate = clockRate;
    this.#format = format;
  }

  push(packet: RtpPacket, isGap: boolean): void {
    if (this.refusal !== undefined) return;
    const { bytes, start, end, timestamp } = packet;
    if (this.#missing > 0 && (isGap || timestamp !== this.#timestamp)) this.#drop(this.#timestamp);
    if (timestamp === this.#droppedTimestamp) return;
    const from = start + this.#format.headerBytes;
    if (from >= end) this.#drop(timestamp);
    else if (this.#missing > 0) this.#piece(bytes.subarray(from, end));
    else if (this.#format.isContinuation(bytes, start)) this.#drop(timestamp);
    else this.#frames(bytes.subarray(from, end), timestamp);
  }

  #frames(payload: Uint8Array, timestamp: number): void {
    let offset = 0;
    let samples = 0;
    while (offset < payload.length) {
      const frame = this.#find(payload, offset);
      if (frame === undefined) {
        if (this.refusal === undefined) this.#drop(timestamp);
        return;
      }
      const ticks = Math.round((samples * this.#clockRate) / frame.track.sampleRate);
      this.#timestamp = (timestamp + ticks) >>> 0;
      this.#missing = frame.byteLength;
      this.#piece(payload.subarray(offset, offset + frame.byteLength));
      offset += frame.byteLength;
      samples += frame.samples;
    }
  }

  #find(payload: Uint8Array, offset: number): FoundFrame | undefined {
    try {
      const frame = this.#format.find(payload, offset);
      if (typeof frame !== 'string') {
        if (!isSameTrack(this.track, frame.track)) this.track = frame.track;
        return frame;
      }
      // Behind frames that can be carried it is junk that looks like one.
      if (this.track === undefined) this.refusal = frame;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
    return undefined;
  }

  #piece(piece: Uint8Array): void {
    if (piece.length > this.#missing || this.track === undefined) {
      this.#drop(this.#timestamp);
      return;
    }
    this.#assembler.append(piece);
    this.#missing -= piece.length;
    if (this.#missing > 0) return;
    const data = this.#assembler.take();
    const kept = this.#receiver.unit(data, this.#timestamp, true, this.track);
    this.#assembler.release(kept);
  }

  #drop(timestamp: number): void {
    this.#droppedTimestamp = timestamp;
    this.#missing = 0;
    this.#assembler.clear();
    this.damagedUnits += 1;
  }
}

function isSameTrack(track: AudioTrack | undefined, found: AudioTrack): boolean {
  if (track === undefined) return false;
  const { codec, sampleRate, channels } = track;
  return codec === found.codec && sampleRate === found.sampleRate && channels === found.channels;
}
