/** Opus over RTP, RFC 7587: a packet is an Opus packet. The RTP clock is 48 kHz whatever was encoded. */
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../../codecs/opus/identification-header.ts';
import { isOpusStereo } from '../../../codecs/opus/packet.ts';
import type { OpusTrack } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

export class OpusDepacketizer implements Depacketizer {
  /** No packet needs another one. */
  readonly damagedUnits = 0;
  readonly #receiver: UnitReceiver;
  readonly #assembler = new AccessUnitAssembler();
  #track: OpusTrack;

  /** `channels` as the description tells them: `sprop-stereo` (§7.1). */
  constructor(receiver: UnitReceiver, channels: 1 | 2) {
    this.#receiver = receiver;
    this.#track = opusTrack(serializeOpusIdentificationHeader(channels));
  }

  get track(): OpusTrack {
    return this.#track;
  }

  push({ bytes, start, end, timestamp }: RtpPacket): void {
    if (start === end) return; // nothing was said for so long
    const packet = bytes.subarray(start, end);
    // Encoders that leave out sprop-stereo are many. Back to mono it never goes: a decoder of two channels
    // plays mono packets as well.
    if (this.#track.channels === 1 && isOpusStereo(packet)) {
      this.#track = opusTrack(serializeOpusIdentificationHeader(2));
    }
    this.#assembler.append(packet);
    const kept = this.#receiver.unit(this.#assembler.take(), timestamp, true, this.#track);
    this.#assembler.release(kept);
  }
}
