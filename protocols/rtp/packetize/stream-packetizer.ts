/**
 * A stream as all its RTP receivers get it: every access unit packetized once, with the same SSRC, numbers and times
 * for everybody, and RTCP beside it. What a receiver has not set up is left out where the blocks are sent.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { ParseError } from '../../../codecs/errors.ts';
import type { Track } from '../../../codecs/track.ts';
import { DOLLAR, type PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';
import { isSameFormat, type PayloadFormat, payloadFormatOf } from './payload-formats.ts';
import { ReportClock } from './report-clock.ts';
import { RtpSource } from './rtp-source.ts';
import { serializeBye, serializeSenderReport } from './sender-report.ts';

/** The channel in the blocks, RTCP on the next: what receivers ask for that set up the picture first. */
export const CHANNEL_OF = { video: 0, audio: 2 } as const;

interface PacketizedTrack {
  readonly track: Track;
  readonly source: RtpSource;
  readonly packetizer: Packetizer;
}

export interface StreamPacketizerOptions {
  /** May be shared with other streams. */
  readonly block: PacketBlock;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Random numbers of 32 bits. */
  readonly random: () => number;
}

export class StreamPacketizer {
  readonly #options: StreamPacketizerOptions;
  readonly #clock = new ReportClock();
  /** Keep their numbers and times when the source returns, as long as the format is the same. */
  readonly #tracks = new Map<Track['kind'], PacketizedTrack>();

  constructor(options: StreamPacketizerOptions) {
    this.#options = options;
  }

  start(tracks: readonly Track[]): void {
    for (const track of tracks) this.#trackFor(track);
  }

  /** The unit's packets, each behind an interleaved header; undefined when it is not carried. */
  frame(unit: AccessUnit): Uint8Array | undefined {
    const track = this.#trackFor(unit.track);
    if (track === undefined) return undefined;
    this.#clock.note(unit.dtsUs, this.#options.wallMs());
    const { block } = this.#options;
    block.open(track.source);
    try {
      track.packetizer.packetize(unit, track.source.timestampAt(unit.ptsUs), block);
    } catch (error) {
      // A publisher's damaged unit: what has been written of it is not taken.
      if (error instanceof ParseError) return undefined;
      throw error;
    }
    return block.take();
  }

  /** The number of a track's next packet, and the time of its clock now: what RTP-Info tells. */
  nextOf(kind: Track['kind']): { seq: number; rtpTimestamp: number | undefined } | undefined {
    const source = this.#tracks.get(kind)?.source;
    if (source === undefined) return undefined;
    const streamUs = this.#clock.streamUsAt(this.#options.wallMs());
    return {
      seq: source.nextSequenceNumber,
      rtpTimestamp: streamUs === undefined ? undefined : source.timestampAt(streamUs),
    };
  }

  /** Sender reports of all tracks, each behind an interleaved header; undefined before the first unit. */
  reports(): Uint8Array | undefined {
    const wallMs = this.#options.wallMs();
    const streamUs = this.#clock.streamUsAt(wallMs);
    if (streamUs === undefined) return undefined;
    return this.#rtcp((source, cname) =>
      serializeSenderReport(source, { wallMs, rtpTimestamp: source.timestampAt(streamUs) }, cname),
    );
  }

  /** To be called with every round of reports. */
  adjustClock(): void {
    this.#clock.adjust();
  }

  byes(): Uint8Array {
    return this.#rtcp(serializeBye);
  }

  #rtcp(serialize: (source: RtpSource, cname: string) => Uint8Array): Uint8Array {
    const sources = [...this.#tracks.values()].map(({ source }) => source);
    const cname = `${(sources[0]?.ssrc ?? 0).toString(16)}@sluice`;
    return Buffer.concat(
      sources.flatMap((source) => {
        const report = serialize(source, cname);
        const { length } = report;
        return [Uint8Array.of(DOLLAR, source.channel + 1, length >> 8, length & 0xff), report];
      }),
    );
  }

  #trackFor(track: Track): PacketizedTrack | undefined {
    const known = this.#tracks.get(track.kind);
    if (known?.track === track) return known;
    const format = payloadFormatOf(track);
    if (format === undefined) {
      this.#tracks.delete(track.kind);
      return undefined;
    }
    // Receivers that know its description go on with what comes in band.
    const isSame = known !== undefined && isSameFormat(known.track, track);
    const packetized = {
      track,
      source: isSame ? known.source : this.#newSource(track.kind, format),
      packetizer: isSame ? known.packetizer : format.newPacketizer(),
    };
    this.#tracks.set(track.kind, packetized);
    return packetized;
  }

  #newSource(kind: Track['kind'], { payloadType, clockRate }: PayloadFormat): RtpSource {
    const { random } = this.#options;
    return new RtpSource({ channel: CHANNEL_OF[kind], payloadType, clockRate, random });
  }
}
