/**
 * Who speaks next on a bus with several heads: one at a time. A stop goes before everything; a head's waiting motion gives way to
 * its newer one, and to its stop; heads take turns, so that one which is asked a lot does not silence the others.
 */
import { ProtocolError } from '../../codecs/errors.ts';

/** `motion`: makes the head move, or travel to a place. */
export type BusJobKind = 'stop' | 'motion' | 'other';

/** A head takes some ten commands a second; what would wait longer than a second is refused. */
const MAX_WAITING_PER_HEAD = 8;

interface BusJob {
  readonly head: string;
  readonly kind: BusJobKind;
  readonly start: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

export class BusQueue {
  readonly #waiting: BusJob[] = [];
  /** The one served longest ago first. */
  readonly #turns: string[] = [];
  #isBusy = false;

  /**
   * `run` has the bus until it settles, and bounds itself. Rejects earlier when `signal` aborts (what runs goes on), when the
   * job is replaced, and when too many wait.
   */
  async do<T>(
    head: string,
    kind: BusJobKind,
    run: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (kind !== 'other') this.#replaceMotion(head);
    const waiting = this.#waiting.filter((job) => job.head === head).length;
    // A head asks for one stop at a time.
    if (kind !== 'stop' && waiting >= MAX_WAITING_PER_HEAD) {
      throw new ProtocolError('PTZ_BUSY', `${waiting} commands for ${head} wait already`);
    }
    let giveUp: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const job = { head, kind, start: () => run().then(resolve, reject), reject };
        giveUp = () => {
          this.#drop(job);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', giveUp);
        this.#waiting.push(job);
        if (!this.#isBusy) void this.#work();
      });
    } finally {
      if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
    }
  }

  /** What waits is rejected; what runs sees for itself. */
  rejectAll(error: Error): void {
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let job = this.#next(); job !== undefined; job = this.#next()) await job.start();
    this.#isBusy = false;
  }

  #next(): BusJob | undefined {
    const job = this.#waiting.find(({ kind }) => kind === 'stop') ?? this.#longestUnserved();
    if (job === undefined) return undefined;
    this.#drop(job);
    this.#forgetTurn(job.head);
    this.#turns.push(job.head);
    return job;
  }

  #longestUnserved(): BusJob | undefined {
    let first: BusJob | undefined;
    for (const job of this.#waiting) {
      // Each head's oldest job stands before its others, and wins against them by `<`.
      if (first === undefined || this.#turn(job.head) < this.#turn(first.head)) first = job;
    }
    return first;
  }

  #turn(head: string): number {
    return this.#turns.indexOf(head);
  }

  #forgetTurn(head: string): void {
    const at = this.#turn(head);
    if (at !== -1) this.#turns.splice(at, 1);
  }

  #replaceMotion(head: string): void {
    const replaced = this.#waiting.find((job) => job.head === head && job.kind === 'motion');
    if (replaced === undefined) return;
    this.#drop(replaced);
    replaced.reject(
      new ProtocolError('PTZ_REPLACED', `a newer command for ${head} came before it was sent`),
    );
  }

  #drop(job: BusJob): void {
    const at = this.#waiting.indexOf(job);
    if (at !== -1) this.#waiting.splice(at, 1);
  }
}
