/** One source of RTP that we are: numbers, times and counts, shared by all who receive it. RFC 3550 §5.1, §6.4.1. */

export interface RtpSourceOptions {
  /** The interleaved channel that is written into blocks; RTCP has the next one. */
  readonly channel: number;
  readonly payloadType: number;
  readonly clockRate: number;
  /** Random numbers of 32 bits. */
  readonly random: () => number;
}

export class RtpSource {
  readonly channel: number;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly ssrc: number;
  packets = 0;
  /** Of payloads; 32 bits, and then from 0 again. */
  octets = 0;
  readonly #firstTimestamp: number;
  #sequenceNumber: number;

  constructor({ channel, payloadType, clockRate, random }: RtpSourceOptions) {
    this.channel = channel;
    this.payloadType = payloadType;
    this.clockRate = clockRate;
    this.ssrc = random() >>> 0;
    // Both begin anywhere, §5.1. Numbers begin low: some receivers take a wrap within the first packets for a loss.
    this.#firstTimestamp = random() >>> 0;
    this.#sequenceNumber = random() & 0x7fff;
  }

  /** Of the packet that comes next. */
  get nextSequenceNumber(): number {
    return this.#sequenceNumber;
  }

  takeSequenceNumber(): number {
    const number = this.#sequenceNumber;
    this.#sequenceNumber = (number + 1) & 0xffff;
    return number;
  }

  count(payloadBytes: number): void {
    this.packets = (this.packets + 1) >>> 0;
    this.octets = (this.octets + payloadBytes) >>> 0;
  }

  /** From absolute times, never summed; in whole seconds and a rest, so that months of ticks stay exact in a double. */
  timestampAt(streamUs: number): number {
    const seconds = Math.floor(streamUs / 1_000_000);
    const restUs = streamUs - seconds * 1_000_000;
    const ticks = seconds * this.clockRate + Math.round((restUs * this.clockRate) / 1_000_000);
    return (this.#firstTimestamp + ticks) >>> 0;
  }
}
