/**
 * Places in a file where playing may begin, in the order of their times, found as the file is read. Bounded: when there are
 * too many, every second one goes, and new ones are taken half as often. What lies between two is found by reading on.
 */

export interface SeekPoint {
  readonly timeMs: number;
}

/** A keyframe every two seconds for four and a half hours, then every four seconds. */
const MAX_POINTS = 8192;

export class SeekIndex<Point extends SeekPoint> {
  readonly #maxPoints: number;
  #points: Point[] = [];
  #everyMs = 0;

  constructor(maxPoints = MAX_POINTS) {
    this.#maxPoints = maxPoints;
  }

  get points(): readonly Point[] {
    return this.#points;
  }

  /** Ignored when it lies before the last one, or too close behind it. */
  add(point: Point): void {
    const last = this.#points.at(-1);
    if (last !== undefined && point.timeMs < last.timeMs + Math.max(1, this.#everyMs)) return;
    this.#points.push(point);
    if (this.#points.length > this.#maxPoints) this.#thin();
  }

  /** The last one not after that time; the first when there is none. */
  at(timeMs: number): Point | undefined {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle]?.timeMs ?? 0) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return this.#points[Math.max(0, low - 1)];
  }

  #thin(): void {
    const first = this.#points[0]?.timeMs ?? 0;
    const last = this.#points.at(-1)?.timeMs ?? 0;
    this.#points = this.#points.filter((_, index) => index % 2 === 0);
    this.#everyMs = Math.ceil((last - first) / this.#points.length);
  }
}
