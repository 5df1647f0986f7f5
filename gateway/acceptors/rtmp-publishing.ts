/** A publisher's stream at our RTMP server: its messages → a publication. */
import { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { MediaReader } from '../../protocols/rtmp/media-reader.ts';
import type { RtmpMessage } from '../../protocols/rtmp/message.ts';
import type { StreamUse } from '../../protocols/rtmp/server-stream.ts';
import type { Publication } from './pushed-stream.ts';

export class RtmpPublishing implements StreamUse {
  readonly #publication: Publication;
  readonly #media: MediaReader;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(publication: Publication, now: () => number) {
    this.#publication = publication;
    this.#media = new MediaReader(new FlvDemuxer(publication, now));
  }

  /** Throws UnsupportedError when the picture cannot be taken. */
  media(message: RtmpMessage): void {
    this.#publication.received(message.payload.length);
    this.#media.push(message);
  }

  pause(): void {}

  seek(): void {}

  close(words: string): void {
    this.#publication.close(words);
  }
}
