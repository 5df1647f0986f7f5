/**
 * MPEG-TS over RTP, RFC 2250 §2: whole transport packets behind the RTP header. Its tracks have times of their own,
 * so units go out by these and not by RTP timestamps. A loss shows in the continuity counters.
 */
import type { StreamSink } from '../../../codecs/stream-sink.ts';
import type { Track } from '../../../codecs/track.ts';
import { type TsCounters, TsDemuxer } from '../../mpegts/demuxer.ts';
import type { Awaited, Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

export class Mp2tDepacketizer implements Depacketizer {
  readonly #demuxer: TsDemuxer;
  readonly #counters: TsCounters = {
    receivedBytes: 0,
    receivedPackets: 0,
    lostPackets: 0,
    damagedUnits: 0,
    jitterMs: 0,
    awaits: undefined,
    clockPercent: undefined,
  };
  #tracks: readonly Track[] = [];

  constructor(receiver: UnitReceiver) {
    const sink: StreamSink = {
      start: (tracks) => {
        this.#tracks = tracks;
      },
      write: (unit) => receiver.timedUnit?.(unit),
      stop: () => undefined,
    };
    const now = () => receiver.arrivalMs ?? 0;
    this.#demuxer = new TsDemuxer({ sink, now, program: undefined });
  }

  get track(): Track | undefined {
    return this.#tracks[0];
  }

  get furtherTracks(): readonly Track[] {
    return this.#tracks.slice(1);
  }

  get damagedUnits(): number {
    return this.#read().damagedUnits;
  }

  get awaits(): Awaited | undefined {
    return this.#read().awaits;
  }

  get notes(): readonly string[] {
    return this.#demuxer.notes;
  }

  push({ bytes, start, end }: RtpPacket): void {
    this.#demuxer.push(bytes, start, end);
  }

  #read(): TsCounters {
    this.#demuxer.readCounters(this.#counters);
    return this.#counters;
  }
}
