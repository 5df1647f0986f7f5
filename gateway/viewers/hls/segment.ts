/** What the segmenter makes: segments of parts, and the initialization segments that they need. */
import type { Fragment } from '../../../codecs/mp4/fragment-writer.ts';

export interface Initialization {
  /** In its URI. */
  readonly number: number;
  readonly bytes: Uint8Array;
  /** RFC 6381, of each track. */
  readonly codecs: readonly string[];
}

export class Segment {
  /** Media sequence number. */
  readonly number: number;
  readonly initialization: Initialization;
  /** Its times, or its initialization, have nothing to do with those of the segment before it. */
  readonly isDiscontinuity: boolean;
  /** It begins with a picture that decoding may begin with. */
  readonly isIndependent: boolean;
  /** Wall clock, ms since 1970. */
  startedAtMs: number;
  readonly parts: Fragment[] = [];
  isComplete = false;
  byteLength = 0;
  durationUs = 0;

  constructor(
    facts: Pick<
      Segment,
      'number' | 'initialization' | 'isDiscontinuity' | 'isIndependent' | 'startedAtMs'
    >,
  ) {
    this.number = facts.number;
    this.initialization = facts.initialization;
    this.isDiscontinuity = facts.isDiscontinuity;
    this.isIndependent = facts.isIndependent;
    this.startedAtMs = facts.startedAtMs;
  }

  add(part: Fragment): void {
    this.parts.push(part);
    this.byteLength += part.byteLength;
    this.durationUs += part.durationUs;
  }
}
