/**
 * Whether anything moves, from what a camera's detectors say one by one. The first word is told whatever it is, then changes. A
 * motion whose end was lost is left to whoever is told: a new subscription says how things are.
 */
import type { MotionNews } from './motion-topics.ts';

/** A camera has a handful; more are made up. */
const MAX_DETECTORS = 64;
export class MotionState {
  readonly #onMotion: (isMoving: boolean) => void;
  readonly #moving = new Set<string>();
  #told: boolean | undefined;

  constructor(onMotion: (isMoving: boolean) => void) {
    this.#onMotion = onMotion;
  }

  take({ detector, isMoving }: MotionNews): void {
    if (isMoving !== true) this.#end(detector);
    else if (this.#moving.size < MAX_DETECTORS) this.#moving.add(detector);
    const isAnyMoving = this.#moving.size > 0;
    if (isAnyMoving === this.#told) return;
    this.#told = isAnyMoving;
    this.#onMotion(isAnyMoving);
  }

  /** The detector, and those of its topic, where it says no source: it speaks for all. */
  #end(detector: string): void {
    this.#moving.delete(detector);
    if (detector.includes(' ')) return;
    for (const each of this.#moving) {
      if (each.startsWith(`${detector} `)) this.#moving.delete(each);
    }
  }
}
