/**
 * Sends blocks of RTP packets over UDP, a few packets at a time: a GOP at once, or a large picture, would overflow the
 * receiver's socket, which on Linux holds about 90 packets unless the program asked for more.
 */
import { nextInBlock } from '../../protocols/rtp/packetize/packet-block.ts';

/** A picture of 4 Mbit/s at once; 110 Mbit/s when there is more. */
const PACKETS_AT_ONCE = 40;
const PAUSE_MS = 4;

export class UdpPacer {
  /** What waits. */
  queuedBytes = 0;
  readonly #send: (channel: number, packet: Uint8Array) => void;
  readonly #now: () => number;
  #sentAtOnce = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #blocks: Uint8Array[] = [];
  #at = 0;
  #pause: NodeJS.Timeout | undefined;

  /** `now`: milliseconds on a clock that never goes backwards. */
  constructor(send: (channel: number, packet: Uint8Array) => void, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  push(block: Uint8Array): void {
    this.#blocks.push(block);
    this.queuedBytes += block.length;
    if (this.#pause === undefined) this.#sendSome();
  }

  stop(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#blocks = [];
    this.#at = 0;
    this.queuedBytes = 0;
  }

  readonly #sendSome = (): void => {
    this.#pause = undefined;
    const nowMs = this.#now();
    if (nowMs - this.#sinceMs >= PAUSE_MS) {
      this.#sinceMs = nowMs;
      this.#sentAtOnce = 0;
    }
    let done = 0;
    for (const block of this.#blocks) {
      while (this.#at < block.length && this.#sentAtOnce < PACKETS_AT_ONCE) {
        const next = nextInBlock(block, this.#at);
        this.#send(block[this.#at + 1] ?? 0, block.subarray(this.#at + 4, next));
        this.#at = next;
        this.#sentAtOnce += 1;
      }
      if (this.#at < block.length) break;
      this.#at = 0;
      done += 1;
      this.queuedBytes -= block.length;
    }
    if (done > 0) this.#blocks = this.#blocks.slice(done);
    if (this.#blocks.length > 0) this.#pause = setTimeout(this.#sendSome, PAUSE_MS);
  };
}
