/** A publisher's stream at our RTMP server: its messages → a publication. */
import { UnsupportedError } from '../../codecs/errors.ts';
import { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { MediaReader } from '../../protocols/rtmp/media-reader.ts';
import type { RtmpMessage } from '../../protocols/rtmp/message.ts';
import type { StreamUse } from '../../protocols/rtmp/server-stream.ts';
import type { Publication } from './pushed-stream.ts';

export class RtmpPublishing implements StreamUse {
  readonly #publication: Publication;
  readonly #media: MediaReader;
  readonly #refuse: (words: string) => void;

  /** `now`: milliseconds on a clock that never goes back. `refuse`: its picture cannot be taken. */
  constructor(publication: Publication, now: () => number, refuse: (words: string) => void) {
    this.#publication = publication;
    this.#refuse = refuse;
    this.#media = new MediaReader(new FlvDemuxer(publication, now));
  }

  media(message: RtmpMessage): void {
    this.#publication.received(message.payload.length);
    try {
      this.#media.push(message);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      this.#refuse(error.message);
    }
  }

  pause(): void {}

  seek(): void {}

  close(words: string): void {
    this.#publication.close(words);
  }
}
