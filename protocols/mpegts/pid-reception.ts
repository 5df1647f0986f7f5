/**
 * Whether the packets of one PID are all there, by their continuity counters. ISO/IEC 13818-1 §2.4.3.3:
 * it counts packets with payload, a packet may be sent twice, and a jump may be announced.
 *
 * The same number again is the same packet only when it holds the same: an encoder that was restarted begins
 * with the number of the last packet once in sixteen times.
 */
import type { TsPacket } from './ts-packet.ts';

/** Of a payload, at either end: what entropy coding leaves there does not repeat; tables have their version in front. */
const COMPARED_BYTES = 8;

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
  /** Of the last packet's payload. */
  #mark = 0;
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
    const lastMark = this.#mark;
    this.#mark = markOf(packet, bytes);
    if (this.#isJumpAnnounced) {
      this.#isJumpAnnounced = false;
      if (missing > 0) this.receiver.gap();
    } else if (missing === 15 && !this.#wasDuplicate && this.#mark === lastMark) {
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

/** Differs where payloads do, as far as needed. */
function markOf({ start, end, isUnitStart }: TsPacket, bytes: Uint8Array): number {
  let mark = isUnitStart ? 1 : 0;
  for (let at = start; at < Math.min(start + COMPARED_BYTES, end); at += 1)
    mark = (Math.imul(mark, 31) + (bytes[at] ?? 0)) | 0;
  for (let at = Math.max(start, end - COMPARED_BYTES); at < end; at += 1)
    mark = (Math.imul(mark, 31) + (bytes[at] ?? 0)) | 0;
  return mark;
}
