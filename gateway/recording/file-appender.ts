/**
 * Writes to the end of a file, for a producer that never waits: bytes are copied into blocks, and full blocks, or what has come for a
 * while, are written one after another. What waits is for the producer to bound: it looks at `backlogBytes` before it appends.
 */
import type { FileHandle } from 'node:fs/promises';

/** Large enough for a flash card not to mind, small beside the budget. */
const BLOCK_BYTES = 128 * 1024;

export class FileAppender {
  readonly #handle: FileHandle;
  readonly #onFailure: (error: unknown) => void;
  /** Full ones, the one that is being written first. */
  readonly #full: Uint8Array<ArrayBuffer>[] = [];
  #block: Uint8Array<ArrayBuffer> = new Uint8Array(BLOCK_BYTES);
  /** One that has been written. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #blockLength = 0;
  #written: number;
  #waiting = 0;
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  /** `position`: the end of what is in the file. `onFailure` is called once; nothing is written after it. */
  constructor(handle: FileHandle, position: number, onFailure: (error: unknown) => void) {
    this.#handle = handle;
    this.#written = position;
    this.#onFailure = onFailure;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#written + this.#waiting;
  }

  /** What the file has by now. */
  get writtenBytes(): number {
    return this.#written;
  }

  get backlogBytes(): number {
    return this.#waiting;
  }

  append(bytes: Uint8Array): void {
    if (this.#hasFailed) return;
    this.#waiting += bytes.length;
    let from = 0;
    while (from < bytes.length) {
      const length = Math.min(bytes.length - from, this.#block.length - this.#blockLength);
      this.#block.set(bytes.subarray(from, from + length), this.#blockLength);
      this.#blockLength += length;
      from += length;
      if (this.#blockLength === this.#block.length) this.flush();
    }
  }

  /** What was appended is written as soon as what came before it is. */
  flush(): void {
    if (this.#blockLength === 0 || this.#hasFailed) return;
    this.#full.push(this.#block.subarray(0, this.#blockLength));
    this.#block = this.#spare ?? new Uint8Array(BLOCK_BYTES);
    this.#spare = undefined;
    this.#blockLength = 0;
    this.#writing ??= this.#writeAll();
  }

  /** When everything appended so far is in the file, or it has failed. */
  async drained(): Promise<void> {
    this.flush();
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      for (let block = this.#full[0]; block !== undefined; block = this.#full[0]) {
        await this.#write(block);
        this.#full.shift();
        this.#spare = new Uint8Array(block.buffer);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#full.length = 0;
      this.#blockLength = 0;
      this.#waiting = 0;
      this.#onFailure(error);
    } finally {
      this.#writing = undefined;
    }
  }

  /** A disk that is nearly full takes a part. */
  async #write(block: Uint8Array): Promise<void> {
    for (let from = 0; from < block.length; ) {
      const length = block.length - from;
      const { bytesWritten } = await this.#handle.write(block, from, length, this.#written);
      from += bytesWritten;
      this.#written += bytesWritten;
      this.#waiting -= bytesWritten;
    }
  }
}
