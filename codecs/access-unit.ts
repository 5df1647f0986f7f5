/**
 * The one unit that crosses the middle of the system: one coded picture, or one audio frame.
 *
 * Ownership. `data` is *lent* to a sink for the duration of `write()`: the producer reuses the
 * buffer for its next access unit. A sink that needs the bytes later copies them, or, where a
 * socket still refers to them, sets `kept = true`, and the producer takes a fresh buffer.
 *
 * Headroom. The `ACCESS_UNIT_HEADROOM` bytes before `data` in the same ArrayBuffer belong to the
 * sink that is being called: it may write a message header there and send header and data as one
 * contiguous block, unless `kept` is already true (another sink's socket still reads them).
 */
import type { Track } from './track.ts';

/** Room for an RTMP chunk header, a FLV tag header and the few audio frames sent along. */
export const ACCESS_UNIT_HEADROOM = 2048;

/** The largest access unit any parser assembles; a 4K IDR at 100 Mbit/s is about 2 MiB. */
export const MAX_ACCESS_UNIT_BYTES = 8 * 1024 * 1024;

export interface AccessUnit {
  readonly track: Track;
  /** Microseconds on the stream's own clock. The hub shifts both to its continuous time line. */
  ptsUs: number;
  dtsUs: number;
  /** Decoding may start here. Always true for audio. */
  readonly randomAccess: boolean;
  /** Video: NAL units with 4-byte lengths (AVCC), no parameter sets added or removed. Audio: the bare frame. */
  readonly data: Uint8Array;
  kept: boolean;
}
