/** Audio without any payload header: G.711 (RFC 3551 §4.5.14) and Opus (RFC 7587 §4.2). No packet begins a talkspurt. */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { MAX_PAYLOAD_BYTES, MAX_WHOLE_PAYLOAD_BYTES, type PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';

/** A byte a sample and channel, of which a packet may hold any number. */
export class G711Packetizer implements Packetizer {
  readonly #channels: number;

  constructor(channels: number) {
    this.#channels = channels;
  }

  packetize({ data }: AccessUnit, timestamp: number, out: PacketBlock): void {
    const most = MAX_PAYLOAD_BYTES - (MAX_PAYLOAD_BYTES % this.#channels);
    for (let at = 0; at < data.length; at += most) {
      out.packet((timestamp + at / this.#channels) >>> 0);
      out.bytes(data, at, Math.min(data.length, at + most));
    }
  }
}

/** An Opus packet must not be split; the largest of real ones, 120 ms at 128 kbit/s, have 1.9 KB. */
export class OpusPacketizer implements Packetizer {
  packetize({ data }: AccessUnit, timestamp: number, out: PacketBlock): void {
    if (data.length === 0 || data.length > MAX_WHOLE_PAYLOAD_BYTES) return;
    out.packet(timestamp);
    out.bytes(data);
  }
}
