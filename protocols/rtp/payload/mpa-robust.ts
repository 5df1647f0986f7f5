/**
 * MP3 as ADUs over RTP, RFC 5219: whole ADU frames with a descriptor each, or a piece of one. They become MP3
 * frames again, which come later by as many as their data may lie in (half a second at 8 kbit/s, usually one or
 * two frames). Not handled: interleaving (§5), which is named and refused.
 */
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { AduReassembler } from '../../../codecs/mpeg-audio/adu.ts';
import { parseMpegAudioHeader } from '../../../codecs/mpeg-audio/frame-header.ts';
import type { Mp3Track } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

/** Descriptor: C (a later piece), T (two bytes), size in 6 or 14 bits (§4.2). */
const CONTINUATION = 0x80;
const TWO_BYTES = 0x40;
/** Interleaving replaces the eleven bits of the sync word by an index and a cycle count. */
const SYNC_WORD = 0x7ff;

export class MpaRobustDepacketizer implements Depacketizer {
  damagedUnits = 0;
  refusal: string | undefined;
  track: Mp3Track | undefined;
  readonly #receiver: UnitReceiver;
  readonly #clockRate: number;
  readonly #assembler = new AccessUnitAssembler();
  readonly #reassembler = new AduReassembler((...frame) => this.#deliver(...frame));
  /** An ADU that comes in pieces, and how much of it is missing. */
  #pieces: Uint8Array = new Uint8Array(0);
  #missing = 0;
  #timestamp = 0;

  constructor(receiver: UnitReceiver, clockRate: number) {
    this.#receiver = receiver;
    this.#clockRate = clockRate;
  }

  push({ bytes, start, end, timestamp }: RtpPacket, isGap: boolean): void {
    if (this.refusal !== undefined) return;
    if (isGap) {
      if (this.#missing > 0) this.#damage();
      this.#reassembler.reset();
    }
    if (this.#missing > 0 && timestamp !== this.#timestamp) this.#damage();
    const payload = bytes.subarray(start, end);
    let ticks = 0;
    for (let at = 0; at < payload.length; ) {
      const first = payload[at] ?? 0;
      const isLong = (first & TWO_BYTES) !== 0;
      const size = isLong ? ((first & 0x3f) << 8) | (payload[at + 1] ?? 0) : first & 0x3f;
      at += isLong ? 2 : 1;
      const piece = payload.subarray(at, at + size);
      at += piece.length;
      if ((first & CONTINUATION) !== 0) {
        this.#continue(piece);
        return;
      }
      this.#timestamp = (timestamp + Math.round(ticks)) >>> 0;
      if (piece.length < size) {
        this.#pieces = piece.slice();
        this.#missing = size - piece.length;
        return;
      }
      ticks += this.#adu(piece);
      if (this.refusal !== undefined) return;
    }
  }

  #continue(piece: Uint8Array): void {
    if (this.#missing === 0 || piece.length > this.#missing) {
      this.#damage();
      return;
    }
    this.#pieces = concat(this.#pieces, piece);
    this.#missing -= piece.length;
    if (this.#missing === 0) this.#adu(this.#pieces);
  }

  /** Returns how long it lasts, in ticks of the RTP clock. */
  #adu(adu: Uint8Array): number {
    try {
      const syncWord = ((adu[0] ?? 0) << 3) | ((adu[1] ?? 0) >> 5);
      if (syncWord !== SYNC_WORD && this.track === undefined) {
        this.refusal = 'its MP3 frames are interleaved (RFC 5219 §5)';
        return 0;
      }
      const { samplesPerFrame, sampleRate } = parseMpegAudioHeader(adu);
      this.#reassembler.push(adu, this.#timestamp);
      return (samplesPerFrame * this.#clockRate) / sampleRate;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#damage();
      return 0;
    }
  }

  #deliver(frame: Uint8Array, timestamp: number): void {
    const { sampleRate, channels } = parseMpegAudioHeader(frame);
    if (this.track?.sampleRate !== sampleRate || this.track.channels !== channels) {
      this.track = { kind: 'audio', codec: 'mp3', sampleRate, channels };
    }
    this.#assembler.append(frame);
    const kept = this.#receiver.unit(this.#assembler.take(), timestamp, true, this.track);
    this.#assembler.release(kept);
  }

  #damage(): void {
    this.#missing = 0;
    this.#reassembler.reset();
    this.damagedUnits += 1;
  }
}
