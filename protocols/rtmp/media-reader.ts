/** Audio, video and script data messages → access units, aggregates taken apart: what pulled and published streams have in common. */
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import type { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { aggregatedMessages } from './aggregate.ts';
import { MessageType, type RtmpMessage } from './message.ts';

export class MediaReader {
  readonly #demuxer: FlvDemuxer;
  /** Holds the payload, which is a view into what was read: the one copy on the way in. */
  readonly #body = new AccessUnitAssembler();

  constructor(demuxer: FlvDemuxer) {
    this.#demuxer = demuxer;
  }

  /** Returns how many messages it was. Throws ParseError on a broken aggregate, and what the demuxer throws. */
  push(message: RtmpMessage): number {
    if (message.typeId !== MessageType.aggregate) {
      this.#demux(message);
      return 1;
    }
    let count = 0;
    for (const part of aggregatedMessages(message)) {
      this.#demux(part);
      count += 1;
    }
    return count;
  }

  #demux({ typeId, timestampMs, payload }: RtmpMessage): void {
    this.#body.append(payload);
    if (this.#body.overflowed) this.#body.clear();
    else this.#body.release(this.#demuxer.push(typeId, timestampMs, this.#body.take()));
  }
}
