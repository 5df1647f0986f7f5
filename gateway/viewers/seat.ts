/**
 * One viewer's place: decides whether it gets the next frame. What it has not taken waits in its socket, bounded in bytes and
 * in time; beyond that it loses whole GOPs: the rest of the one that is on its way and those that follow, until its
 * socket has got rid of most of it. So what it gets can always be decoded.
 */
import type { Socket } from 'node:net';
import type { Viewer, Viewing } from './fan-out.ts';
import type { FramedGop } from './framed-gop.ts';

/** Room for the GOP that a viewer begins with (4 MiB at most) and as much again. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;
/** A link hardly faster than the stream needs that long for a GOP of 8 s; a live picture that is later is of little use. */
const MAX_BACKLOG_MS = 10_000;
/** A viewer that lost something goes on when no more than this waits: half a second at 4 Mbit/s. */
const RESUME_BELOW_BYTES = 256 * 1024;
/** Who takes nothing for so long is gone, or sits behind a firewall that forgot us. */
export const STALL_MS = 30_000;

/** A frame, as all seats are offered it. */
export interface Offer {
  readonly bytes: Buffer;
  readonly beginsGop: boolean;
  /** In force now. */
  readonly header: Buffer | undefined;
  readonly nowMs: number;
  readonly isBudgetSpent: boolean;
  /** Seats that take it, and whose sockets are written to with one call when all have been asked. */
  readonly together: Seat[];
}

export class Seat implements Viewing {
  droppedGops = 0;
  readonly viewer: Viewer;
  /** The viewer's own. */
  readonly socket: Socket | undefined;
  readonly #leave: (seat: Seat) => void;
  #gate: 'waiting' | 'open' | 'dropped' | 'left' = 'waiting';
  #header: Buffer | undefined;
  #sentBytes = 0;
  /** What had been sent at a moment, and the moment; the next is chosen when the viewer has taken all of it. */
  #markBytes = 0;
  #markAtMs: number;
  #takenBytes = 0;
  #takenAtMs: number;

  constructor(viewer: Viewer, nowMs: number, leave: (seat: Seat) => void) {
    this.viewer = viewer;
    this.socket = viewer.socket;
    this.#leave = leave;
    this.#markAtMs = nowMs;
    this.#takenAtMs = nowMs;
  }

  get isLeft(): boolean {
    return this.#gate === 'left';
  }

  /** Before its first frame. May throw what the viewer throws. */
  begin(gop: FramedGop, header: Buffer | undefined): void {
    const { frames } = gop;
    const first = frames.length > 0 ? gop.header : header;
    if (first !== undefined) this.#send(first);
    if (frames.length > 0 && !this.isLeft) this.#gate = 'open';
    for (const frame of frames) this.#send(frame);
    // A header that changed within the GOP is among its frames.
    this.#header = header;
  }

  /** Returns what waits in the viewer's socket. May throw what the viewer throws. */
  offer({ bytes, beginsGop, header, nowMs, isBudgetSpent, together }: Offer): number {
    if (this.#gate === 'left') return 0;
    const backlogBytes = this.viewer.backlogBytes;
    const lateMs = this.#watch(backlogBytes, nowMs);
    if (this.#gate === 'open') {
      if (backlogBytes > 0 && this.#isTooMuch(backlogBytes, lateMs, isBudgetSpent)) {
        this.#gate = 'dropped';
        this.droppedGops += 1;
        return backlogBytes;
      }
    } else {
      if (!beginsGop) return backlogBytes;
      if (this.#gate === 'dropped' && backlogBytes > RESUME_BELOW_BYTES) {
        this.droppedGops += 1;
        return backlogBytes;
      }
      this.#gate = 'open';
    }
    if (header !== this.#header) {
      this.#header = header;
      if (header !== undefined) this.#send(header);
      this.#send(bytes);
    } else if (backlogBytes === 0 && this.socket !== undefined) {
      this.#sentBytes += bytes.length;
      together.push(this);
    } else {
      this.#send(bytes);
    }
    return backlogBytes;
  }

  /** The source is gone: nothing until the next begins a GOP. */
  pause(): void {
    if (this.#gate === 'open') this.#gate = 'waiting';
  }

  isStalled(nowMs: number): boolean {
    this.#watch(this.viewer.backlogBytes, nowMs);
    return nowMs - this.#takenAtMs >= STALL_MS;
  }

  [Symbol.dispose](): void {
    if (this.#gate === 'left') return;
    this.#gate = 'left';
    this.#leave(this);
  }

  #send(bytes: Buffer): void {
    // A viewer may leave within `send`.
    if (this.#gate === 'left') return;
    this.#sentBytes += bytes.length;
    this.viewer.send(bytes);
  }

  /** For how long something has been waiting. */
  #watch(backlogBytes: number, nowMs: number): number {
    const takenBytes = this.#sentBytes - backlogBytes;
    if (takenBytes > this.#takenBytes || backlogBytes === 0) {
      this.#takenBytes = takenBytes;
      this.#takenAtMs = nowMs;
    }
    if (takenBytes >= this.#markBytes) {
      this.#markBytes = this.#sentBytes;
      this.#markAtMs = nowMs;
    }
    return nowMs - this.#markAtMs;
  }

  #isTooMuch(backlogBytes: number, lateMs: number, isBudgetSpent: boolean): boolean {
    if (backlogBytes > MAX_BACKLOG_BYTES || lateMs > MAX_BACKLOG_MS) return true;
    return isBudgetSpent && backlogBytes > RESUME_BELOW_BYTES;
  }
}
