/**
 * What the gateway asks of a driver. A driver makes one attempt: it runs until the source ends,
 * fails or is aborted, and leaves nothing open. Retrying is the supervisor's.
 */
import type { Logger } from 'pino';
import type { StreamSink } from '../codecs/stream-sink.ts';

export interface StreamDriver {
  /** Returns when the source ends, throws when it fails or `signal` aborts; nothing stays open. */
  run(sink: StreamSink, signal: AbortSignal): Promise<void>;
  /** Counters of the current or last attempt. */
  readonly stats: SourceStats;
}

export interface SourceStats {
  receivedBytes: number;
  receivedPackets: number;
  lostPackets: number;
  /** Access units thrown away because a part of them was lost. */
  damagedUnits: number;
  /** RFC 3550 §6.4.1 interarrival jitter of the video track, in ms. */
  jitterMs: number;
  /** The transport in use, once known. */
  transport: 'tcp' | 'udp' | undefined;
}

export interface DriverContext {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}
