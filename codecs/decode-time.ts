/**
 * Decoding times where a transport carries presentation times only (RTP).
 *
 * In a stream whose pictures are reordered by at most R places, the picture decoded i-th cannot be
 * shown before i − R others were. So its decoding time is the (i − R)-th smallest presentation time
 * of the stream. On its arrival that one is known: at most R of the pictures that came are shown later than
 * the picture in question. It is the (R + 1)-th largest of those that came, and no delay is added.
 * Lost pictures do no harm: what is left is reordered by no more than R places.
 *
 * R is what the SPS states: max_num_reorder_frames (H.264 §E.2.1), sps_max_num_reorder_pics (H.265 §7.4.3.2.1). Else
 * it begins at 0, which most cameras have, and grows when a picture comes that is shown before its predecessors.
 *
 * Nothing here throws: a picture whose times cannot be right gets the previous decoding time plus
 * 1 ms and is counted, and the next random access point begins anew (one bad timestamp must not
 * end a session).
 */

/** MaxDpbFrames (H.264 §A.3.1 h) and MaxDpbSize (H.265 §A.4.2). */
const MAX_REORDER_DEPTH = 16;
/** Used until the stream or its SPS tells another: 25 fps. */
const DEFAULT_FRAME_US = 40_000;
/** What a VUI may state and be believed: 1 fps to 240 fps. */
const MAX_FRAME_US = 1_000_000;
const MIN_FRAME_US = 4000;
const MIN_STEP_US = 1000;
/** No encoder reorders over so long a time: the clock was set. */
const JUMP_US = 10_000_000;

export interface DecodeHints {
  /** How many pictures may come before another and be shown after it. */
  readonly reorderDepth: number;
  readonly fps: number | undefined;
}

export class DecodeTimer {
  /** Pictures whose decoding time had to be made up. */
  faults = 0;
  /** How often the time line began anew after a jump or a fault. */
  rebases = 0;
  #statedDepth = 0;
  #depth = 0;
  #frameUs = DEFAULT_FRAME_US;
  /** The largest presentation times since the beginning, ascending: depth + 1 of them are needed. */
  readonly #largest = new Float64Array(MAX_REORDER_DEPTH + 1);
  #count = 0;
  #lastPtsUs = 0;
  #lastDtsUs = 0;
  #isFaulty = false;

  constructor(hints?: DecodeHints) {
    if (hints !== undefined) this.setHints(hints);
  }

  /** How many places pictures are reordered by, as far as is known. */
  get reorderDepth(): number {
    return this.#depth;
  }

  setHints({ reorderDepth, fps }: DecodeHints): void {
    this.#statedDepth = Math.min(reorderDepth, MAX_REORDER_DEPTH);
    this.#depth = this.#statedDepth;
    const frameUs = fps === undefined ? 0 : Math.round(1_000_000 / fps);
    const isCredible = frameUs >= MIN_FRAME_US && frameUs <= MAX_FRAME_US;
    this.#frameUs = isCredible ? frameUs : DEFAULT_FRAME_US;
  }

  /**
   * The decoding time of the next picture in decoding order. It rises with every call, except where
   * the presentation times themselves were set back: then the time line begins anew below.
   */
  push(ptsUs: number, randomAccess: boolean): number {
    const dtsUs = this.#mustBegin(ptsUs, randomAccess) ? this.#begin(ptsUs) : this.#continue(ptsUs);
    this.#isFaulty = dtsUs > ptsUs;
    if (this.#isFaulty) this.faults += 1;
    this.#lastPtsUs = ptsUs;
    this.#lastDtsUs = dtsUs;
    return dtsUs;
  }

  #mustBegin(ptsUs: number, randomAccess: boolean): boolean {
    return (
      this.#count === 0 ||
      (this.#isFaulty && randomAccess) ||
      Math.abs(ptsUs - this.#lastPtsUs) > JUMP_US ||
      this.#laterPictures(ptsUs) > MAX_REORDER_DEPTH
    );
  }

  #begin(ptsUs: number): number {
    const isFirst = this.#count === 0;
    this.#count = 0;
    // What was learned may have been learned from the damage.
    this.#depth = this.#statedDepth;
    this.#insert(ptsUs);
    const idealUs = ptsUs - this.#depth * this.#frameUs;
    if (isFirst) return idealUs;
    this.rebases += 1;
    return this.#lastDtsUs < ptsUs ? this.#rising(idealUs, ptsUs) : idealUs;
  }

  #continue(ptsUs: number): number {
    this.#depth = Math.max(this.#depth, this.#laterPictures(ptsUs));
    this.#insert(ptsUs);
    return this.#rising(this.#idealDtsUs(), ptsUs);
  }

  /** How many of the pictures that came are shown after this one; never more than are remembered. */
  #laterPictures(ptsUs: number): number {
    let later = 0;
    while (later < this.#count && this.#at(this.#count - 1 - later) > ptsUs) later += 1;
    return later;
  }

  #idealDtsUs(): number {
    const index = this.#count - 1 - this.#depth;
    if (index >= 0) return this.#at(index);
    // One of the first pictures: on even steps to the time that is due after `depth` of them.
    const steps = 1 - index;
    return this.#lastDtsUs + Math.round((this.#at(0) - this.#lastDtsUs) / steps);
  }

  #rising(idealUs: number, ptsUs: number): number {
    if (idealUs > this.#lastDtsUs) return idealUs;
    const nextUs = this.#lastDtsUs + MIN_STEP_US;
    return ptsUs > this.#lastDtsUs ? Math.min(nextUs, ptsUs) : nextUs;
  }

  #insert(ptsUs: number): void {
    const largest = this.#largest;
    if (this.#count === largest.length) {
      largest.copyWithin(0, 1);
      this.#count -= 1;
    }
    let index = this.#count;
    while (index > 0 && this.#at(index - 1) > ptsUs) {
      largest[index] = this.#at(index - 1);
      index -= 1;
    }
    largest[index] = ptsUs;
    this.#count += 1;
  }

  #at(index: number): number {
    return this.#largest[index] ?? 0;
  }
}
