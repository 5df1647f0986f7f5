/** Where a track's packets come, and its reports go: interleaved in the RTSP connection, or over UDP. */
import type { TransportAnswer } from '../../protocols/rtsp/transport.ts';
import type { TrackReceiver, UdpMedia } from '../udp-media.ts';
import type { RtspConnection } from './rtsp-connection.ts';

const CHANNELS = 256;
const NO_TRACK = -1;
const INTERLEAVED_HEADER_BYTES = 4;

/** The way back. */
export interface MediaPath {
  /** Free bytes a report needs in front. */
  readonly headroom: number;
  sendReport(report: Uint8Array): void;
}

/** Which interleaved channel is whose (RFC 2326 §10.12). */
export class InterleavedChannels {
  readonly #receiver: TrackReceiver;
  /** Per channel: twice the track's index, plus one for RTCP. */
  readonly #tracks = new Int16Array(CHANNELS).fill(NO_TRACK);

  constructor(receiver: TrackReceiver) {
    this.#receiver = receiver;
  }

  frame(channel: number, bytes: Uint8Array, start: number, end: number): void {
    const track = this.#tracks[channel] ?? NO_TRACK;
    if (track === NO_TRACK) return;
    if ((track & 1) === 0) this.#receiver.rtp(track >> 1, bytes, start, end);
    else this.#receiver.rtcp(track >> 1, bytes, start, end);
  }

  /** The camera's choice of channels counts, not ours. Returns those for RTP and RTCP. */
  assign(index: number, answer: TransportAnswer, asked: number): readonly [number, number] {
    // Some cameras answer every SETUP with 0-1, and then send on the channels that were asked for.
    const isTaken = answer.channel !== undefined && this.#tracks[answer.channel] !== NO_TRACK;
    const rtp = isTaken ? asked : (answer.channel ?? asked);
    const rtcp = isTaken ? asked + 1 : (answer.rtcpChannel ?? rtp + 1);
    this.#tracks[rtp] = index * 2;
    this.#tracks[rtcp] = index * 2 + 1;
    return [rtp, rtcp];
  }
}

export function interleavedPath(connection: RtspConnection, rtcpChannel: number): MediaPath {
  return {
    headroom: INTERLEAVED_HEADER_BYTES,
    sendReport: (report) => {
      const length = report.length - INTERLEAVED_HEADER_BYTES;
      report.set([0x24, rtcpChannel, length >> 8, length & 0xff]);
      connection.write(report);
    },
  };
}

export function udpPath(media: UdpMedia): MediaPath {
  return { headroom: 0, sendReport: (report) => media.sendRtcp(report) };
}
