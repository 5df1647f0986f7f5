/**
 * A stream as all its RTP receivers get it: every access unit packetized once, with the same SSRC, numbers and times
 * for everybody. Sender reports ride in front of units: every five seconds, and where a GOP begins, so that
 * whoever begins there has them first. What a receiver has not set up is left out where the blocks are sent.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { ParseError } from '../../../codecs/errors.ts';
import type { Track } from '../../../codecs/track.ts';
import type { PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';
import { isSameFormat, type PayloadFormat, payloadFormatOf } from './payload-formats.ts';
import { RtpSource } from './rtp-source.ts';
import { serializeSenderReport } from './sender-report.ts';

/** The channel in the blocks, RTCP on the next: what receivers ask for that set up the picture first. */
export const CHANNEL_OF = { video: 0, audio: 2 } as const;

interface PacketizedTrack {
  readonly track: Track;
  readonly source: RtpSource;
  readonly packetizer: Packetizer;
}

const REPORT_US = 5_000_000;
/** Sound alone: every frame begins a GOP, so to speak. */
const SOUND_REPORT_US = 500_000;

export interface StreamPacketizerOptions {
  /** May be shared with other streams. */
  readonly block: PacketBlock;
  /** Milliseconds since 1970, on a clock that is never set. */
  readonly wallMs: () => number;
  /** The stream's time of its latest unit: the first that is packetized may be a GOP old. */
  readonly newestUs: () => number | undefined;
  /** Random numbers of 32 bits. */
  readonly random: () => number;
  /** Who we are in reports, RFC 3550 §6.5.1. */
  readonly cname: string;
}

export class StreamPacketizer {
  readonly #options: StreamPacketizerOptions;
  /**
   * Wall clock minus the stream's clock, as of the first unit: one for all tracks and for good. Were it to follow what
   * arrives, a stall of the source would move what players show, ffmpeg for one.
   */
  #wallOffsetUs: number | undefined;
  /** Keep their numbers and times when the source returns, as long as the format is the same. */
  readonly #tracks = new Map<Track['kind'], PacketizedTrack>();
  /** On the stream's clock: a GOP may be replayed faster than it was. */
  #reportedAtUs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamPacketizerOptions) {
    this.#options = options;
  }

  start(tracks: readonly Track[]): void {
    const kinds = new Set(tracks.map(({ kind }) => kind));
    for (const kind of this.#tracks.keys()) if (!kinds.has(kind)) this.#tracks.delete(kind);
    for (const track of tracks) this.#trackFor(track);
  }

  /** Parameter sets and reports come in the frames. */
  header(): undefined {
    return undefined;
  }

  /** The unit's packets, each behind an interleaved header; undefined when it is not carried. */
  frame(unit: AccessUnit): Uint8Array | undefined {
    const track = this.#trackFor(unit.track);
    if (track === undefined) return undefined;
    const { block, wallMs, newestUs } = this.#options;
    const nowMs = wallMs();
    this.#wallOffsetUs ??= nowMs * 1000 - (newestUs() ?? unit.dtsUs);
    block.open(track.source);
    if (this.#wantsReports(unit)) {
      this.#reportedAtUs = unit.dtsUs;
      this.#writeReports(nowMs, nowMs * 1000 - this.#wallOffsetUs);
    }
    try {
      track.packetizer.packetize(unit, track.source.timestampAt(unit.ptsUs), block);
    } catch (error) {
      // A publisher's damaged unit: what has been written of it is not taken.
      if (error instanceof ParseError) return undefined;
      throw error;
    }
    return block.take();
  }

  #wantsReports({ randomAccess, track, dtsUs }: AccessUnit): boolean {
    if (track.kind === 'video' && randomAccess) return true;
    const periodUs = this.#tracks.has('video') ? REPORT_US : SOUND_REPORT_US;
    return Math.abs(dtsUs - this.#reportedAtUs) >= periodUs;
  }

  /** Of all tracks for the same moment. */
  #writeReports(wallMs: number, streamUs: number): void {
    const { block, cname } = this.#options;
    for (const { source } of this.#tracks.values()) {
      const rtpTimestamp = source.timestampAt(streamUs);
      const report = serializeSenderReport(source, { wallMs, rtpTimestamp }, cname);
      block.rtcp(source.channel + 1, report);
    }
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
