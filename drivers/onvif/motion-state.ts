/** Whether anything moves, from what a camera's detectors say one by one. */
import type { MotionNews } from './motion-topics.ts';

/** A camera has a handful; more are made up. */
const MAX_DETECTORS = 64;
/**
 * A detector that moves and is not heard of for so long: its end was lost (R32), or it knows no end. Cameras say it once, when
 * motion begins, so the time must be longer than things move at a stretch.
 */
export const MOTION_LATCH_MS = 10 * 60_000;

export class MotionState {
  readonly #onMotion: (isMoving: boolean) => void;
  /** Those that move, and when they last said so. */
  readonly #movingSinceMs = new Map<string, number>();
  #isMoving = false;

  constructor(onMotion: (isMoving: boolean) => void) {
    this.#onMotion = onMotion;
  }

  take({ detector, isMoving }: MotionNews, nowMs: number): void {
    if (isMoving !== true) {
      this.#end(detector);
    } else if (this.#movingSinceMs.has(detector) || this.#movingSinceMs.size < MAX_DETECTORS) {
      this.#movingSinceMs.set(detector, nowMs);
    }
    this.#tell();
  }

  /** Ends what was not heard of for too long. */
  expire(nowMs: number): void {
    for (const [detector, atMs] of this.#movingSinceMs) {
      if (nowMs - atMs >= MOTION_LATCH_MS) this.#movingSinceMs.delete(detector);
    }
    this.#tell();
  }

  /** Nobody will say more. */
  clear(): void {
    this.#movingSinceMs.clear();
    this.#tell();
  }

  /** The detector, and those of its topic, where it says no source: it speaks for all. */
  #end(detector: string): void {
    this.#movingSinceMs.delete(detector);
    if (detector.includes(' ')) return;
    for (const each of this.#movingSinceMs.keys()) {
      if (each.startsWith(`${detector} `)) this.#movingSinceMs.delete(each);
    }
  }

  #tell(): void {
    const isMoving = this.#movingSinceMs.size > 0;
    if (isMoving === this.#isMoving) return;
    this.#isMoving = isMoving;
    this.#onMotion(isMoving);
  }
}
