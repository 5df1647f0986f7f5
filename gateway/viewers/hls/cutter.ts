/**
 * Where a stream is cut into segments and parts. The rules are those of draft-pantos-hls-rfc8216bis: a segment, rounded, is
 * never longer than the target duration; a part never longer than the part target, and, unless it is the last of its
 * segment, not shorter than 85 % of it (§4.4.4.9). Neither target may change (§6.2.1), so both are told only when the
 * first segment has shown how long this camera's GOPs and pictures are.
 */

/** Short segments start players fast, long ones cost fewer requests; Apple's default is 6 s, for VOD. */
const SEGMENT_US = 2_000_000;
/** A GOP of 2 s comes a little early or late. */
const EARLY_US = 100_000;
/** Players wait for the first segment: it is cut at the first chance. */
const FIRST_SEGMENT_US = 500_000;
/** Of cameras with GOPs longer than this, segments begin within a GOP, too. */
const MAX_SEGMENT_US = 10_000_000;
/** A segment longer than this is cut at its next picture; at 8 Mbit/s it would last 16 s. */
export const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** GOPs are not of one length to the microsecond: the next one may be so much longer and still be whole. */
const LONGER_US = 200_000;
/** The rounded duration must not exceed the target. */
const ROUNDS_DOWN_US = 490_000;

/** 10 pictures at 25, 12 at 30, 4 at 10 a second: 400 ms, and 5 % left for pictures that come unevenly. */
const PART_TARGET_US = 450_000;
const USED_OF_PART_TARGET = 0.955;
const SHORTEST_OF_PART_TARGET = 0.87;

export type Cut = 'none' | 'part' | 'segment';

export class Cutter {
  #segmentStartUs = 0;
  #partStartUs = 0;
  #lastUs = 0;
  #targetDurationS: number | undefined;
  #partTargetUs: number | undefined;

  /** EXT-X-TARGETDURATION; undefined before the first segment is whole. */
  get targetDurationS(): number | undefined {
    return this.#targetDurationS;
  }

  /** PART-TARGET; undefined before the first part is whole. */
  get partTargetUs(): number | undefined {
    return this.#partTargetUs;
  }

  /** A segment begins with this unit. */
  beginSegment(dtsUs: number): void {
    this.#segmentStartUs = dtsUs;
    this.#partStartUs = dtsUs;
    this.#lastUs = dtsUs;
  }

  /** Before which unit of the picture (else of the sound) to cut. Told of each, in order, but those that begin a segment. */
  decide(dtsUs: number, randomAccess: boolean, segmentBytes: number): Cut {
    const intervalUs = dtsUs - this.#lastUs;
    this.#lastUs = dtsUs;
    const elapsedUs = dtsUs - this.#segmentStartUs;
    if (randomAccess && elapsedUs >= this.#leastUs) return 'segment';
    if (elapsedUs + intervalUs > this.#mostUs || segmentBytes > MAX_SEGMENT_BYTES) return 'segment';
    const partTargetUs = this.#partTargetUs ?? PART_TARGET_US;
    if (dtsUs + intervalUs - this.#partStartUs <= partTargetUs * USED_OF_PART_TARGET) return 'none';
    this.#partStartUs = dtsUs;
    return 'part';
  }

  /** The first of all tells how long this stream's parts are. */
  partEnded(durationUs: number): void {
    if (this.#partTargetUs !== undefined) return;
    const isUsual =
      durationUs >= PART_TARGET_US * SHORTEST_OF_PART_TARGET && durationUs <= PART_TARGET_US;
    // Whole milliseconds: it is written with three decimals.
    const ownUs = Math.ceil(durationUs / USED_OF_PART_TARGET / 1000) * 1000;
    this.#partTargetUs = isUsual ? PART_TARGET_US : ownUs;
  }

  segmentEnded(durationUs: number): void {
    if (this.#targetDurationS !== undefined) return;
    // Segments are whole GOPs, and the first one is a GOP, or a few short ones.
    const gops = Math.ceil((SEGMENT_US - EARLY_US) / durationUs);
    const usualUs = Math.min(gops * durationUs, MAX_SEGMENT_US);
    this.#targetDurationS = Math.max(
      Math.round((usualUs + LONGER_US) / 1_000_000),
      SEGMENT_US / 1_000_000,
    );
  }

  get #leastUs(): number {
    return this.#targetDurationS === undefined ? FIRST_SEGMENT_US : SEGMENT_US - EARLY_US;
  }

  get #mostUs(): number {
    if (this.#targetDurationS === undefined) return MAX_SEGMENT_US;
    return this.#targetDurationS * 1_000_000 + ROUNDS_DOWN_US;
  }
}
