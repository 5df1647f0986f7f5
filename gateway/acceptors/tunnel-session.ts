/**
 * One session of RTMP through HTTP: what the client's POSTs bring goes in, what the server says waits for their answers. It
 * outlives the HTTP connections that carry it.
 */
import { MAX_POLL_INTERVAL } from '../../protocols/rtmp/tunnel-answer.ts';
import { peerOf } from '../peer.ts';

/** A client that has not asked for so long is gone. Flash asks twice a second at least. */
export const SESSION_SILENCE_MS = 30_000;
/** What one answer carries at most; the next one is asked for at once. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** So many answers without a byte in a row, and the client is asked to come less often. */
const EMPTY_ANSWERS_PER_STEP = 10;
/** As Flash Media Server did: from at once to half a second. */
const POLL_INTERVALS = [0x01, 0x03, 0x05, 0x09, 0x11, MAX_POLL_INTERVAL];

/** The RTMP side. */
export interface TunnelEnd {
  push(chunk: Uint8Array): void;
  /** The client is gone. */
  closed(): void;
  /** From our side. */
  end(words: string): void;
}

/** Where an answer may be waiting, and which numbers belong together. */
export interface TunnelCarrier {
  /** What the client has not read of our answers. */
  readonly unreadBytes: number;
  /** There is something to say. */
  wake(): void;
  /** The poll that waits there is to be answered now. */
  release(): void;
}

interface LastRequest {
  readonly sequence: number | undefined;
  readonly carrier: TunnelCarrier;
  receivedBytes: number;
  isWhole: boolean;
  answer: readonly Uint8Array[] | undefined;
}

export class TunnelSession {
  readonly name: string;
  /** As it is counted. */
  readonly peer: string;
  heardAtMs: number;
  readonly #end: TunnelEnd;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #state: 'open' | 'ending' | 'over' = 'open';
  #last: LastRequest | undefined;
  /** Bytes of the request at hand that an earlier attempt has brought already. */
  #skipBytes = 0;
  #emptyAnswers = 0;
  #isWaking = false;

  constructor(
    name: string,
    address: string,
    nowMs: number,
    open: (session: TunnelSession, address: string) => TunnelEnd,
  ) {
    this.name = name;
    this.peer = peerOf(address);
    this.heardAtMs = nowMs;
    this.#end = open(this, address);
  }

  get backlogBytes(): number {
    return this.#queuedBytes + (this.#last?.carrier.unreadBytes ?? 0);
  }

  get hasSomethingToSay(): boolean {
    return this.#queuedBytes > 0 || this.#state !== 'open';
  }

  /** Nothing is left to be fetched. */
  get isOver(): boolean {
    return this.#state === 'over' || (this.#state === 'ending' && this.#queuedBytes === 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#wakeSoon();
  }

  /** What was written may still be fetched. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#wakeSoon();
  }

  /** The client is gone, or was sent away: memory is freed. */
  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#last = undefined;
    this.#end.closed();
  }

  /** From our side, with words for people. */
  stop(words: string): void {
    this.#end.end(words);
    this.close();
  }

  /**
   * A request begins. Numbers are taken as they come, but for the one that was last: sent again over another
   * connection, its bytes are known and its answer was lost.
   */
  begin(sequence: number | undefined, carrier: TunnelCarrier, nowMs: number): void {
    this.heardAtMs = nowMs;
    if (this.#last?.carrier !== carrier) this.#last?.carrier.release();
    const last = this.#last;
    const isAgain =
      last !== undefined &&
      sequence !== undefined &&
      last.sequence === sequence &&
      last.carrier !== carrier;
    if (last !== undefined && !last.isWhole && !isAgain) {
      this.stop('its requests overlap');
      return;
    }
    this.#skipBytes = isAgain ? last.receivedBytes : 0;
    this.#last = isAgain
      ? { ...last, carrier }
      : { sequence, carrier, receivedBytes: 0, isWhole: false, answer: undefined };
  }

  /** Part of a request's body. */
  receive(bytes: Uint8Array): void {
    const known = Math.min(this.#skipBytes, bytes.length);
    this.#skipBytes -= known;
    if (known === bytes.length || this.#last === undefined) return;
    const fresh = bytes.subarray(known);
    this.#last.receivedBytes += fresh.length;
    this.#end.push(fresh);
  }

  /** The request is whole. */
  received(nowMs: number): void {
    this.heardAtMs = nowMs;
    if (this.#last !== undefined) this.#last.isWhole = true;
  }

  /** The answer to the request at hand: the poll interval, and what is to be said. */
  answer(): readonly Uint8Array[] {
    const again = this.#last?.answer;
    if (again !== undefined) return again;
    const parts = this.#take();
    this.#emptyAnswers = parts.length > 0 ? 0 : this.#emptyAnswers + 1;
    const answer = [Uint8Array.of(this.#pollInterval()), ...parts];
    if (this.#last !== undefined) this.#last.answer = answer;
    return answer;
  }

  #pollInterval(): number {
    const step = Math.floor(this.#emptyAnswers / EMPTY_ANSWERS_PER_STEP);
    return POLL_INTERVALS[step] ?? MAX_POLL_INTERVAL;
  }

  #take(): Uint8Array[] {
    let byteLength = 0;
    let count = 0;
    for (const { length } of this.#queue) {
      if (count > 0 && byteLength + length > MAX_ANSWER_BYTES) break;
      byteLength += length;
      count += 1;
    }
    this.#queuedBytes -= byteLength;
    return this.#queue.splice(0, count);
  }

  /** Once, for all that is written in this turn of the event loop. */
  #wakeSoon(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      this.#last?.carrier.wake();
    });
  }
}
