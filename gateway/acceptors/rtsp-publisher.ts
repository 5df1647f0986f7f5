/**
 * One RTSP client that publishes: what it announced, the tracks it set up, and from RECORD on its packets on their way
 * into the stream.
 */
import { ProtocolError } from '../../codecs/errors.ts';
import { selectMedias } from '../../protocols/rtp/media-selection.ts';
import { ReorderWindow } from '../../protocols/rtp/reorder-window.ts';
import { RtpPresentation } from '../../protocols/rtp/rtp-presentation.ts';
import type { TrackTransport } from '../../protocols/rtsp/server-host.ts';
import type { SessionDescription } from '../../protocols/sdp/sdp.ts';
import type { Publication } from './pushed-stream.ts';
import type { UdpPair } from './udp-ports.ts';

interface PublishedTrack {
  readonly transport: TrackTransport;
  /** Ours, over UDP. */
  readonly pair: UdpPair | undefined;
  /** Its place among those of the presentation; undefined: it is not taken. */
  index: number | undefined;
}

export interface RtspPublisherOptions {
  readonly name: string;
  readonly description: SessionDescription;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  readonly ssrc: number;
  /** Over the connection. */
  readonly sendInterleaved: (channel: number, packet: Uint8Array) => void;
}

export class RtspPublisher {
  readonly name: string;
  readonly #options: RtspPublisherOptions;
  readonly #selection: ReturnType<typeof selectMedias>;
  readonly #tracks = new Map<number, PublishedTrack>();
  #recording:
    | { readonly publication: Publication; readonly presentation: RtpPresentation }
    | undefined;

  /** Throws UnsupportedError when nothing that is announced can be carried. */
  constructor(options: RtspPublisherOptions) {
    this.name = options.name;
    this.#options = options;
    this.#selection = selectMedias(options.description);
  }

  /** What is not taken of the announced, for the log. */
  get leftOut(): readonly string[] {
    return this.#selection.leftOut.map(({ kind, codec, reason }) => `${kind} ${codec}, ${reason}`);
  }

  setUp(track: number, transport: TrackTransport, pair: UdpPair | undefined): void {
    this.#tracks.get(track)?.pair?.close();
    this.#tracks.set(track, { transport, pair, index: undefined });
  }

  /** False: none of what was set up is taken. */
  get canRecord(): boolean {
    return this.#selected.length > 0;
  }

  record(publication: Publication): void {
    const selected = this.#selected;
    for (const [index, { place }] of selected.entries()) {
      const track = this.#tracks.get(place);
      if (track !== undefined) track.index = index;
    }
    const medias = selected.map(({ media }) => media);
    const { now, ssrc } = this.#options;
    const presentation = new RtpPresentation(medias, publication, now, ssrc);
    this.#recording = { publication, presentation };
  }

  /** One packet, in order; `bytes[start…end)`. May throw what ends the session. */
  rtp(track: number, bytes: Uint8Array, start: number, end: number): void {
    const { publication, presentation } = this.#recording ?? {};
    publication?.received(end - start);
    const index = this.#tracks.get(track)?.index;
    if (index !== undefined) presentation?.rtp(index, bytes, start, end);
  }

  rtcp(track: number, bytes: Uint8Array, start: number, end: number): void {
    const index = this.#tracks.get(track)?.index;
    if (index === undefined || this.#recording === undefined) return;
    if (!this.#recording.presentation.rtcp(index, bytes, start, end)) return;
    throw new ProtocolError('RTSP_BYE', 'the publisher ended the stream (RTCP BYE)');
  }

  /** What its UDP ports do with packets: put them back into order. */
  ordered(track: number): (bytes: Uint8Array, start: number, end: number) => void {
    const window = new ReorderWindow((bytes, start, end) => this.rtp(track, bytes, start, end));
    const { now } = this.#options;
    return (bytes, start, end) => window.push(bytes, start, end, now());
  }

  /** Every few seconds. */
  report(): void {
    for (const { index, transport, pair } of this.#tracks.values()) {
      if (index === undefined) continue;
      const report = this.#recording?.presentation.receiverReport(index, 0);
      if (report === undefined) continue;
      if (transport.lower === 'udp') pair?.media.sendRtcp(report);
      else this.#options.sendInterleaved(transport.rtcpChannel, report);
    }
  }

  close(words: string): void {
    for (const { pair } of this.#tracks.values()) pair?.close();
    this.#tracks.clear();
    this.#recording?.publication.stop();
    this.#recording?.publication.close(words);
    this.#recording = undefined;
  }

  /** Those that are taken and set up, with their places in the description. */
  get #selected() {
    const { medias } = this.#options.description;
    return this.#selection.selected
      .map((media) => ({ media, place: medias.indexOf(media.media) }))
      .filter(({ place }) => this.#tracks.has(place));
  }
}
