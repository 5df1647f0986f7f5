/**
 * One RTSP player that plays: the blocks that all players of a stream share go to its connection as they are, where it
 * uses the usual channels for all tracks; else without what it has not set up, on its own channels; or over UDP.
 */
import type { Socket } from 'node:net';
import type { Track } from '../../codecs/track.ts';
import { type Beginning, beginningOf } from '../../protocols/rtp/packetize/beginning.ts';
import { nextInBlock } from '../../protocols/rtp/packetize/packet-block.ts';
import { isSameFormat, payloadFormatOf } from '../../protocols/rtp/packetize/payload-formats.ts';
import { serializeBye } from '../../protocols/rtp/packetize/sender-report.ts';
import { CHANNEL_OF } from '../../protocols/rtp/packetize/stream-packetizer.ts';
import { RtpPacket } from '../../protocols/rtp/rtp-packet.ts';
import type { TrackTransport } from '../../protocols/rtsp/server-host.ts';
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import type { Viewer } from '../viewers/fan-out.ts';
import { UdpPacer } from './udp-pacer.ts';
import type { UdpPair } from './udp-ports.ts';

/** As links to masters are held: a source that is away for longer ends the session, and the player may begin anew. */
const SOURCE_PATIENCE_MS = 15_000;
const NOWHERE = -1;

/** A track that the player has set up. */
export interface ViewedTrack {
  readonly track: Track;
  readonly transport: TrackTransport;
  /** Ours, over UDP. */
  readonly pair: UdpPair | undefined;
}

export interface RtspViewerOptions {
  readonly socket: Socket;
  readonly isEncrypted: boolean;
  readonly hub: Hub;
  readonly streamName: string;
  readonly tracks: readonly ViewedTrack[];
  readonly cname: string;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  /** The session cannot go on. */
  readonly over: (words: string) => void;
}

export class RtspViewer implements Viewer {
  readonly holdsCopies: boolean;
  readonly #options: RtspViewerOptions;
  /** By the channel in a block: the player's own, or NOWHERE. */
  readonly #channels = new Int16Array(256).fill(NOWHERE);
  readonly #pacer: UdpPacer | undefined;
  /** Until the answer to PLAY is out. */
  #held: Uint8Array[] | undefined = [];
  /** Of the stream when they were last looked at. */
  #seenTracks: readonly Track[] | undefined;
  #isAsItIs = false;
  /** By channel in a block; for BYE. */
  readonly #ssrcs = new Map<number, number>();
  #awaitsSource: NodeJS.Timeout | undefined;

  constructor(options: RtspViewerOptions) {
    const { tracks, isEncrypted } = options;
    this.#options = options;
    this.holdsCopies = isEncrypted;
    for (const { track, transport } of tracks) {
      const channel = CHANNEL_OF[track.kind];
      const isUdp = transport.lower === 'udp';
      this.#channels[channel] = isUdp ? channel : transport.channel;
      this.#channels[channel + 1] = isUdp ? channel + 1 : transport.rtcpChannel;
    }
    if (tracks.some(({ transport }) => transport.lower === 'udp')) {
      this.#pacer = new UdpPacer((channel, packet) => this.#sendUdp(channel, packet), options.now);
    }
  }

  get backlogBytes(): number {
    return this.#pacer?.queuedBytes ?? this.#options.socket.writableLength;
  }

  /** Where what it begins with begins, for each track; to be asked before `begin`. */
  get beginnings(): readonly Beginning[] {
    const tracks = this.#options.tracks.map(({ track }) => ({
      channel: CHANNEL_OF[track.kind],
      clockRate: payloadFormatOf(track)?.clockRate ?? 1,
    }));
    return beginningOf(this.#held ?? [], tracks);
  }

  /** The answer to PLAY is out. */
  begin(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    const { socket } = this.#options;
    socket.cork();
    for (const block of held) this.send(block);
    socket.uncork();
    if (this.#onlineStream() === undefined) this.sourceChanged(false);
  }

  send(block: Uint8Array): void {
    if (this.#held !== undefined) {
      this.#held.push(block);
      return;
    }
    const { socket, tracks } = this.#options;
    const stream = this.#onlineStream();
    if (stream !== undefined && stream.tracks !== this.#seenTracks && !this.#look(stream.tracks)) {
      return;
    }
    if (this.#ssrcs.size < tracks.length) this.#learnSsrcs(block);
    if (this.#pacer !== undefined) this.#pacer.push(block);
    else socket.write(this.#isAsItIs ? block : this.#ownBlock(block));
  }

  sourceChanged(isOnline: boolean): void {
    clearTimeout(this.#awaitsSource);
    this.#awaitsSource = isOnline
      ? undefined
      : setTimeout(() => this.#options.over('the source is gone'), SOURCE_PATIENCE_MS);
  }

  close(words: string): void {
    this.#options.over(words);
  }

  /** Nothing is sent any more. */
  stop(): void {
    clearTimeout(this.#awaitsSource);
    this.#pacer?.stop();
  }

  /** Says goodbye for all tracks: the server ends the session. */
  bye(): void {
    for (const [channel, ssrc] of this.#ssrcs) {
      const packet = serializeBye(ssrc, this.#options.cname);
      if (this.#pacer !== undefined) this.#sendUdp(channel + 1, packet);
      else this.#options.socket.write(interleaved(this.#channels[channel + 1] ?? 0, packet));
    }
  }

  /** Undefined while its source is away; what is sent then is the rest of what it had. */
  #onlineStream(): Stream | undefined {
    const stream = this.#options.hub.get(this.#options.streamName);
    return stream?.isOnline === true ? stream : undefined;
  }

  /** False: what the player was told of the stream holds no longer. */
  #look(now: readonly Track[]): boolean {
    this.#seenTracks = now;
    const { tracks } = this.#options;
    const isTold = ({ track }: ViewedTrack) => {
      const current = now.find(({ kind }) => kind === track.kind);
      return current === undefined || isSameFormat(track, current);
    };
    if (!tracks.every(isTold)) {
      this.#options.over('the stream has another format now');
      return false;
    }
    this.#isAsItIs = now.every(({ kind }) => {
      const channel = CHANNEL_OF[kind];
      return this.#channels[channel] === channel && this.#channels[channel + 1] === channel + 1;
    });
    return true;
  }

  #learnSsrcs(block: Uint8Array): void {
    const packet = new RtpPacket();
    for (let at = 0; at < block.length; ) {
      const next = nextInBlock(block, at);
      const channel = block[at + 1] ?? 0;
      const isRtp = (channel & 1) === 0 && (this.#channels[channel] ?? NOWHERE) !== NOWHERE;
      if (isRtp && packet.read(block, at + 4, next)) this.#ssrcs.set(channel, packet.ssrc);
      at = next;
    }
  }

  /** A copy with this player's channels, and only with what it has set up. */
  #ownBlock(block: Uint8Array): Uint8Array {
    const own = Buffer.allocUnsafe(block.length);
    let length = 0;
    for (let at = 0; at < block.length; ) {
      const next = nextInBlock(block, at);
      const channel = this.#channels[block[at + 1] ?? 0] ?? NOWHERE;
      if (channel !== NOWHERE) {
        own.set(block.subarray(at, next), length);
        own[length + 1] = channel;
        length += next - at;
      }
      at = next;
    }
    return own.subarray(0, length);
  }

  #sendUdp(channel: number, packet: Uint8Array): void {
    const { tracks } = this.#options;
    for (const { track, pair } of tracks) {
      const own = CHANNEL_OF[track.kind];
      if (channel === own) pair?.media.sendRtp(packet);
      else if (channel === own + 1) pair?.media.sendRtcp(packet);
    }
  }
}

function interleaved(channel: number, packet: Uint8Array): Uint8Array {
  const { length } = packet;
  return Buffer.concat([Uint8Array.of(0x24, channel, length >> 8, length & 0xff), packet]);
}
