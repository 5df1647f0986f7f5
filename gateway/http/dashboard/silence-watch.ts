/**
 * Whether the far side of a connection is still there. A box that lost its power says nothing, and the next keepalive is minutes away:
 * until then a page would show as live what is long over.
 */

/** A gateway tells how it does every 10 s. */
const SILENT_MS = 20_000;
/** A large snapshot on a thin uplink may be in front of the answer. */
const ANSWER_MS = 30_000;

export class SilenceWatch {
  #heardAtMs: number;
  #askedAtMs: number | undefined;

  constructor(nowMs: number) {
    this.#heardAtMs = nowMs;
  }

  heard(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#askedAtMs = undefined;
  }

  /** `ask`: it is to be asked now. To be called every few seconds; timers of hidden pages may sleep. */
  look(nowMs: number): 'there' | 'ask' | 'gone' {
    if (this.#askedAtMs !== undefined) {
      return nowMs - this.#askedAtMs >= ANSWER_MS ? 'gone' : 'there';
    }
    if (nowMs - this.#heardAtMs < SILENT_MS) return 'there';
    this.#askedAtMs = nowMs;
    return 'ask';
  }
}
