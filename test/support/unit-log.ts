/** What a depacketizer hands over, and a way to feed it: every packet's bytes are gone when it returns. */
import { ACCESS_UNIT_HEADROOM } from '../../codecs/access-unit.ts';
import type { Track } from '../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../../protocols/rtp/depacketizer.ts';
import { toHex } from './hex.ts';
import { type RtpFields, rtpPacket } from './rtp-packets.ts';

export class UnitLog<D extends Depacketizer> {
  readonly units: [data: string, timestamp: number][] = [];
  /** Of the units, each new one. */
  readonly tracks: Track[] = [];
  readonly depacketizer: D;

  constructor(open: (receiver: UnitReceiver) => D) {
    const unit = (data: Uint8Array, timestamp: number, randomAccess: boolean, track: Track) => {
      if (!randomAccess) throw new Error('audio can be decoded from any frame on');
      if (data.byteOffset < ACCESS_UNIT_HEADROOM) throw new Error('no headroom');
      this.units.push([toHex(data), timestamp]);
      if (track !== this.tracks.at(-1)) this.tracks.push(track);
      return false;
    };
    this.depacketizer = open({ unit });
  }

  get data(): string[] {
    return this.units.map(([data]) => data);
  }

  push(payload: Uint8Array, fields: RtpFields & { gap?: boolean } = {}): void {
    const { gap = false, ...rest } = fields;
    const packet = rtpPacket({ payload, ...rest });
    this.depacketizer.push(packet, gap);
    packet.bytes.fill(0xee);
  }
}
