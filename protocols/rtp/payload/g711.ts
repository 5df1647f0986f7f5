/** G.711 A-law and µ-law over RTP, RFC 3551 §4.5.14: a packet is samples, as they come. */
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import type { G711Track } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

export class G711Depacketizer implements Depacketizer {
  readonly track: G711Track;
  /** No packet needs another one. */
  readonly damagedUnits = 0;
  readonly #receiver: UnitReceiver;
  readonly #assembler = new AccessUnitAssembler();

  constructor(receiver: UnitReceiver, track: G711Track) {
    this.#receiver = receiver;
    this.track = track;
  }

  push({ bytes, start, end, timestamp }: RtpPacket): void {
    if (start === end) return;
    this.#assembler.append(bytes.subarray(start, end));
    const kept = this.#receiver.unit(this.#assembler.take(), timestamp, true, this.track);
    this.#assembler.release(kept);
  }
}
