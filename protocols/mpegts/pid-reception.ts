/**
 * Whether the packets of one PID are all there, by their continuity counters. ISO/IEC 13818-1 §2.4.3.3:
 * it counts packets with payload, a packet may be sent twice, and a jump may be announced.
 */
import type { TsPacket } from './ts-packet.ts';

/** What takes the payloads of one PID. */
export interface PidReceiver {
  payload(bytes: Uint8Array, from: number, to: number, isUnitStart: boolean): void;
  /** Packets are missing before the next payload. */
  gap(): void;
}

export class PidReception {
  readonly pid: number;
  readonly receiver: PidReceiver;
  /** Jumps of the counter that were not announced. */
  continuityErrors = 0;
  /** At least so many: the counter has four bits. */
  lostPackets = 0;
  duplicatePackets = 0;
  #last = -1;
  #wasDuplicate = false;
  #isJumpAnnounced = false;

  constructor(pid: number, receiver: PidReceiver) {
    this.pid = pid;
    this.receiver = receiver;
  }

  /** Takes the packet; its payload goes on unless it has been there before. */
  take(packet: TsPacket, bytes: Uint8Array): void {
    // An announcement may come in a packet without payload.
    if (packet.isDiscontinuity) this.#isJumpAnnounced = true;
    if (!packet.hasPayload) return;
    const counter = packet.continuityCounter;
    const missing = this.#last < 0 ? 0 : (counter - this.#last - 1) & 0x0f;
    if (this.#isJumpAnnounced) {
      this.#isJumpAnnounced = false;
      if (missing > 0) this.receiver.gap();
    } else if (missing === 15 && !this.#wasDuplicate) {
      this.duplicatePackets += 1;
      this.#wasDuplicate = true;
      return;
    } else if (missing > 0) {
      this.continuityErrors += 1;
      this.lostPackets += missing;
      this.receiver.gap();
    }
    this.#wasDuplicate = false;
    this.#last = counter;
    this.receiver.payload(bytes, packet.start, packet.end, packet.isUnitStart);
  }
}
