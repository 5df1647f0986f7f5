/**
 * What the gateway asks of a driver. A driver makes one attempt: it runs until the source ends,
 * fails or is aborted, and leaves nothing open. Retrying is the supervisor's.
 */
import type { Logger } from 'pino';
import type { StreamSink } from '../codecs/stream-sink.ts';
import type { CameraControls } from './camera/camera-controls.ts';

export interface StreamDriver {
  /** Returns when the source ends, throws when it fails or `signal` aborts; nothing stays open. */
  run(sink: StreamSink, signal: AbortSignal): Promise<void>;
  /** Counters of the current or last attempt. */
  readonly stats: SourceStats;
  /**
   * What was left out, repaired or switched at the current or last attempt: whole sentences in plain
   * words, each once, without secrets. People see them in the stream's info.
   */
  readonly notes: readonly string[];
  /**
   * The device's own still picture, a JPEG. Left out where a driver knows of none; throws UnsupportedError where the
   * device has none.
   */
  snapshot?(signal: AbortSignal): Promise<Uint8Array>;
  /** What else the device can be asked; left out where a driver knows of nothing. */
  readonly controls?: CameraControls;
}

/** How media comes. `http`: RTSP tunnelled through HTTP. */
export type Transport = 'tcp' | 'udp' | 'multicast' | 'http';

/** What people set: one of them, or the driver finds out. */
export type TransportChoice = 'auto' | Transport;

export interface SourceStats {
  receivedBytes: number;
  receivedPackets: number;
  lostPackets: number;
  /** Access units thrown away because a part of them was lost. */
  damagedUnits: number;
  /** RFC 3550 §6.4.1 interarrival jitter of the video track, in ms. */
  jitterMs: number;
  /** The transport in use, once known. */
  transport: Transport | undefined;
  /** Why no picture is handed on although packets arrive. */
  awaits: 'parameter-sets' | 'keyframe' | undefined;
  /** How much faster than ours the source's clock runs, in percent; undefined before it is known. */
  clockPercent: number | undefined;
}

export interface DriverContext {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Never sent as it is (Basic), only as a digest: it is tried on whoever says to be a camera. */
  readonly isSecretive?: boolean;
}

/** A source with nothing counted yet. */
export function emptyStats(): SourceStats {
  return {
    receivedBytes: 0,
    receivedPackets: 0,
    lostPackets: 0,
    damagedUnits: 0,
    jitterMs: 0,
    transport: undefined,
    awaits: undefined,
    clockPercent: undefined,
  };
}
