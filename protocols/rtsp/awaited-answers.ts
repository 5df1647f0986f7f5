/** The requests of a client that wait for their answers, by CSeq. RFC 2326 §12.17. */
import type { RtspResponse } from './message.ts';

/** A camera that is busy booting answers within a few seconds; ten is broken. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Called as the answer is read, before the bytes behind it. */
export type OnAnswer = (response: RtspResponse) => void;

interface Waiting {
  readonly onAnswer: OnAnswer | undefined;
  readonly resolve: (response: RtspResponse) => void;
  readonly reject: (error: Error) => void;
}

export class AwaitedAnswers {
  readonly #waiting = new Map<number, Waiting>();
  readonly #noAnswer: (words: string) => Error;

  /** `noAnswer`: what it means that none has come in time; `words` say to what. */
  constructor(noAnswer: (words: string) => Error) {
    this.#noAnswer = noAnswer;
  }

  /** Settles with the answer, the end of the session, the abort, or after ten seconds; leaves nothing behind. */
  async wait(
    method: string,
    cseq: number,
    signal: AbortSignal,
    onAnswer: OnAnswer | undefined,
  ): Promise<RtspResponse> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: () => void = () => {};
    try {
      return await new Promise<RtspResponse>((resolve, reject) => {
        this.#waiting.set(cseq, { onAnswer, resolve, reject });
        const words = `no answer to ${method} within ${ANSWER_TIMEOUT_MS / 1000} s`;
        timer = setTimeout(() => reject(this.#noAnswer(words)), ANSWER_TIMEOUT_MS);
        onAbort = () => reject(toError(signal.reason));
        signal.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(cseq);
    }
  }

  /** Without a CSeq it answers the oldest request; one that nobody waits for came too late. */
  answered(response: RtspResponse): void {
    const cseq = Number(response.headers.get('cseq') ?? Number.NaN);
    const key = Number.isNaN(cseq) ? this.#waiting.keys().next().value : cseq;
    const waiting = key === undefined ? undefined : this.#waiting.get(key);
    waiting?.onAnswer?.(response);
    waiting?.resolve(response);
  }

  /** None will come any more. */
  fail(cause: Error): void {
    for (const { reject } of this.#waiting.values()) reject(cause);
    this.#waiting.clear();
  }
}

export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
