/**
 * What a receiver knows of one RTP source: extended sequence number, loss and jitter, as receiver
 * reports need them (RFC 3550 §6.4.1, appendix A.1, A.3 and A.8).
 */
import type { RtpPacket } from './rtp-packet.ts';

/** Further behind than this is a restarted sender, not a late packet (RFC 3550 §A.1). */
const MAX_MISORDER = 100;
/** Further ahead than this is a restarted sender, not a gap. */
const MAX_DROPOUT = 3000;

export type Arrival =
  /** The next packet, or the first. */
  | 'next'
  /** Packets are missing before it. */
  | 'gap'
  /** A duplicate, or one that comes after its place has been given up. */
  | 'late'
  /** The sender began a new sequence. */
  | 'restart';

export class Reception {
  receivedPackets = 0;
  lostPackets = 0;
  ssrc = 0;
  /** In units of the RTP clock. */
  jitter = 0;
  #cycles = 0;
  #highest = -1;
  #base = 0;
  #lastTransit: number | undefined;
  #expectedBefore = 0;
  #receivedBefore = 0;

  /** `arrivalTicks`: time of arrival in units of the RTP clock, from any origin. */
  note(packet: RtpPacket, arrivalTicks: number): Arrival {
    const arrival = this.#place(packet.sequenceNumber);
    this.ssrc = packet.ssrc;
    if (arrival === 'late') return arrival;
    this.receivedPackets += 1;
    if (arrival === 'restart') this.#lastTransit = undefined;
    this.#measureJitter(packet.timestamp, arrivalTicks);
    return arrival;
  }

  /** RFC 3550 §A.8; packets of one picture share a timestamp and would count the burst as jitter only once. */
  #measureJitter(timestamp: number, arrivalTicks: number): void {
    const transit = (arrivalTicks - timestamp) | 0;
    if (this.#lastTransit !== undefined) {
      const difference = Math.abs((transit - this.#lastTransit) | 0);
      this.jitter += (difference - this.jitter) / 16;
    }
    this.#lastTransit = transit;
  }

  get extendedHighest(): number {
    return this.#highest < 0 ? 0 : this.#cycles + this.#highest;
  }

  /** The share of packets lost since the last call, in 1/256 (RFC 3550 §A.3). */
  takeFractionLost(): number {
    const expected = this.extendedHighest - this.#base + 1;
    const expectedNow = expected - this.#expectedBefore;
    const receivedNow = this.receivedPackets - this.#receivedBefore;
    this.#expectedBefore = expected;
    this.#receivedBefore = this.receivedPackets;
    const lost = expectedNow - receivedNow;
    return expectedNow <= 0 || lost <= 0
      ? 0
      : Math.min(255, Math.floor((lost * 256) / expectedNow));
  }

  #place(sequenceNumber: number): Arrival {
    if (this.#highest < 0) {
      this.#highest = sequenceNumber;
      this.#base = sequenceNumber;
      return 'next';
    }
    const ahead = (sequenceNumber - this.#highest) & 0xffff;
    if (ahead !== 0 && ahead < MAX_DROPOUT) {
      if (sequenceNumber < this.#highest) this.#cycles += 0x10000;
      this.#highest = sequenceNumber;
      this.lostPackets += ahead - 1;
      return ahead === 1 ? 'next' : 'gap';
    }
    if (0x10000 - ahead <= MAX_MISORDER || ahead === 0) return 'late';
    this.#highest = sequenceNumber;
    this.#base = sequenceNumber;
    this.#cycles = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = this.receivedPackets;
    return 'restart';
  }
}
