/** Packets into a video depacketizer, units out; every packet is checked to be left alone, and overwritten behind it. */
import assert from 'node:assert/strict';
import type { Track } from '../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../../protocols/rtp/depacketizer.ts';
import { toHex } from './hex.ts';
import { type RtpFields, rtpPacket } from './rtp-packets.ts';

interface HarnessUnit {
  readonly data: string;
  readonly timestamp: number;
  readonly randomAccess: boolean;
  readonly track: Track;
}

export class DepacketizerHarness {
  readonly units: HarnessUnit[] = [];
  readonly depacketizer: Depacketizer;
  #sequenceNumber = 65_530;

  constructor(open: (receiver: UnitReceiver) => Depacketizer) {
    const unit = (data: Uint8Array, timestamp: number, randomAccess: boolean, track: Track) => {
      this.units.push({ data: toHex(data), timestamp, randomAccess, track });
      return false;
    };
    this.depacketizer = open({ unit });
  }

  /** The packets of one timestamp; the last has the marker unless `marker` is false. */
  push(
    timestamp: number,
    payloads: readonly Uint8Array[],
    fields: RtpFields & { gap?: boolean } = {},
  ): void {
    const { gap = false, marker = true, ...rest } = fields;
    for (const [index, payload] of payloads.entries()) {
      const isLast = index === payloads.length - 1;
      const packet = rtpPacket({
        timestamp,
        payload,
        marker: marker && isLast,
        sequenceNumber: this.#sequenceNumber,
        ...rest,
      });
      this.#sequenceNumber += 1;
      const before = packet.bytes.slice();
      this.depacketizer.push(packet, gap && index === 0);
      assert.deepEqual(packet.bytes, before, 'the packet is left as it was');
      packet.bytes.fill(0xee); // The socket's buffer is read into again.
    }
  }

  /** Each payload with a marker of its own. */
  pushMarked(timestamp: number, payloads: readonly Uint8Array[]): void {
    for (const payload of payloads) this.push(timestamp, [payload]);
  }

  get data(): string[] {
    return this.units.map((unit) => unit.data);
  }

  get timestamps(): number[] {
    return this.units.map((unit) => unit.timestamp);
  }

  get damagedUnits(): number {
    return this.depacketizer.damagedUnits;
  }
}
