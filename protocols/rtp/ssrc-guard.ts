/**
 * Which packets are of the source that is being received. A sender may begin anew under another SSRC (RFC 3550
 * §8.2), and then all that comes is of the new one; but a stray packet, or a second sender at the same port, must
 * not look like a restart.
 */
import type { RtpPacket } from './rtp-packet.ts';

/** Silent for so long, a source may have been replaced: a restart takes longer, a gap between pictures is shorter. */
const SILENCE_MS = 200;

export class SsrcGuard {
  /** Packets of others that were not taken. */
  strangers = 0;
  #ssrc = -1;
  #nextNumber = 0;
  #heardAtMs = 0;
  #candidate = -1;
  #candidateNext = -1;
  /** The one before. When it comes back there are two, and the one that is received stays until it is silent. */
  #former = -1;

  /** False: the packet is not of this source. */
  admit({ ssrc, sequenceNumber }: RtpPacket, nowMs: number): boolean {
    if (ssrc !== this.#ssrc && !this.#mayReplace(ssrc, sequenceNumber, nowMs)) {
      this.strangers += 1;
      this.#candidate = ssrc;
      this.#candidateNext = (sequenceNumber + 1) & 0xffff;
      return false;
    }
    if (ssrc !== this.#ssrc) this.#former = this.#ssrc;
    this.#ssrc = ssrc;
    this.#nextNumber = (sequenceNumber + 1) & 0xffff;
    this.#heardAtMs = nowMs;
    this.#candidate = -1;
    return true;
  }

  #mayReplace(ssrc: number, sequenceNumber: number, nowMs: number): boolean {
    return (
      this.#ssrc < 0 ||
      // Under another name, but where the old one left off.
      sequenceNumber === this.#nextNumber ||
      nowMs - this.#heardAtMs >= SILENCE_MS ||
      // Two in a row, and none of the old one's between.
      (ssrc === this.#candidate && sequenceNumber === this.#candidateNext && ssrc !== this.#former)
    );
  }
}
