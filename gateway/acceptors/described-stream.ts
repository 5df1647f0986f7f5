/** The stream that a RTSP client was told of: what it sets up afterwards is of this one, as it was told then. */
import type { Track } from '../../codecs/track.ts';
import { type OfferedTrack, offeredTracks } from '../../protocols/rtp/packetize/offered-medias.ts';
import { RtspError } from '../../protocols/rtsp/rtsp-error.ts';
import type { PlayedStream } from '../../protocols/rtsp/server-host.ts';
import { serializeSdp } from '../../protocols/sdp/serialize-sdp.ts';
import type { Hub } from '../hub/hub.ts';
import { toName } from '../names.ts';

/** A publisher that has just come back, or comes with its players, is there within so long. */
const STREAM_WAIT_MS = 3_000;

export class DescribedStream {
  /** Both empty before the first. */
  streamName = '';
  offered: readonly OfferedTrack[] = [];
  readonly #hub: Hub;
  readonly #address: string;
  #giveUp: () => void = () => undefined;

  /** `address`: ours, as the client sees it. */
  constructor(hub: Hub, address: string) {
    this.#hub = hub;
    this.#address = address;
  }

  /** Throws RtspError. */
  async describe(name: string): Promise<PlayedStream> {
    const streamName = toName(name, '');
    const tracks = streamName === '' ? [] : await this.#tracksOf(streamName);
    if (tracks.length === 0) throw new RtspError(404);
    const offered = offeredTracks(tracks);
    if (offered.length === 0) throw new RtspError(406);
    this.streamName = streamName;
    this.offered = offered;
    return this.#told();
  }

  /** As it was described, if it was. */
  async lookUp(name: string): Promise<PlayedStream> {
    const isTold = this.streamName !== '' && this.streamName === toName(name, '');
    return isTold ? this.#told() : await this.describe(name);
  }

  /** Who waits for a stream is told that it is not there. */
  giveUp(): void {
    this.#giveUp();
  }

  #told(): PlayedStream {
    const sdp = serializeSdp({
      name: this.streamName,
      version: Date.now(),
      address: this.#address,
      medias: this.offered.map(({ media }) => media),
    });
    return { sdp, tracks: this.offered.length };
  }

  /** Waits a little for a stream that is not there yet. Empty: it is not. */
  async #tracksOf(streamName: string): Promise<readonly Track[]> {
    const stream = this.#hub.get(streamName);
    if (stream?.isOnline === true) return stream.tracks;
    return await new Promise((resolve) => {
      let following: Disposable | undefined;
      const settle = (tracks: readonly Track[]) => {
        clearTimeout(timer);
        following?.[Symbol.dispose]();
        resolve(tracks);
      };
      const timer = setTimeout(() => settle([]), STREAM_WAIT_MS);
      this.#giveUp = () => settle([]);
      const ignore = () => undefined;
      following = this.#hub.follow(streamName, { start: settle, write: ignore, stop: ignore });
    });
  }
}
