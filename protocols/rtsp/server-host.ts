/** What the server's side of a dialogue asks of whoever has the streams and the sockets. */
import type { SessionDescription } from '../sdp/sdp.ts';
import type { Action } from './server-login.ts';

/** How a track's packets go. */
export type TrackTransport =
  | { readonly lower: 'tcp'; readonly channel: number; readonly rtcpChannel: number }
  | { readonly lower: 'udp'; readonly port: number; readonly rtcpPort: number };

export interface PlayedStream {
  readonly sdp: string;
  readonly tracks: number;
}

/** One entry of RTP-Info for each track that was set up. */
export interface TrackBeginning {
  readonly track: number;
  readonly seq: number | undefined;
  readonly rtpTimestamp: number | undefined;
}

/** What the session asks of its owner. Those that may fail throw `RtspError`. */
export interface ServerHost {
  describe(name: string): Promise<PlayedStream>;
  /** As the client knows it, if it was described to it before. */
  lookUp(name: string): Promise<PlayedStream>;
  announce(name: string, description: SessionDescription): void;
  /** For UDP our ports; undefined: this transport cannot be had. */
  setUp(
    action: Action,
    track: number,
    transport: TrackTransport,
  ): Promise<{ readonly serverPorts?: readonly [number, number] } | undefined>;
  /** Media may be sent from `begin` on: the answer is out by then. */
  play(): { readonly beginnings: readonly TrackBeginning[]; readonly begin: () => void };
  pause(): void;
  record(): void;
  /** The session is over; the connection may begin another. */
  teardown(): void;
  /** Of a track that was set up, `bytes[start…end)`, valid during the call. */
  rtp(track: number, bytes: Uint8Array, start: number, end: number): void;
  rtcp(track: number, bytes: Uint8Array, start: number, end: number): void;
  /** The session cannot go on: close the connection. */
  failed(error: Error): void;
}
