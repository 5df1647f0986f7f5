/**
 * A file read by ranges through one window of bounded size. Never the whole file: what is asked for in order costs
 * one read for each window, what lies elsewhere one of its own.
 */
import type { FileHandle } from 'node:fs/promises';

export type ReadableFile = Pick<FileHandle, 'read' | 'close'>;

/** A second of a 1 Mbit/s stream is two of them. */
const WINDOW_BYTES = 64 * 1024;
/** Read where somebody goes from header to header, over the media between them. */
const JUMP_BYTES = 4096;

export class FileRanges {
  /** When it was opened: what is appended to it later is not seen. */
  readonly size: number;
  readonly #handle: ReadableFile;
  readonly #window = new Uint8Array(WINDOW_BYTES);
  #windowAt = 0;
  #windowLength = 0;

  constructor(handle: ReadableFile, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /**
   * Up to `length` bytes from `position` on, at most a window; fewer only at the end of the file. A view, valid until
   * the next call.
   */
  async view(position: number, length: number): Promise<Uint8Array> {
    const wanted = Math.min(length, WINDOW_BYTES, Math.max(0, this.size - position));
    const isInside =
      position >= this.#windowAt && position + wanted <= this.#windowAt + this.#windowLength;
    if (!isInside) {
      const gapBytes = position - this.#windowAt - this.#windowLength;
      const isNear = gapBytes >= -WINDOW_BYTES && gapBytes <= WINDOW_BYTES;
      await this.#fill(position, isNear ? WINDOW_BYTES : Math.max(JUMP_BYTES, wanted));
    }
    const from = position - this.#windowAt;
    return this.#window.subarray(from, Math.min(from + wanted, this.#windowLength));
  }

  /** The same file through a window of its own, for those who read at two places. Closed with this one. */
  another(): FileRanges {
    return new FileRanges(this.#handle, this.size);
  }

  /** As much of the window as begins at `position`: for those who read on. */
  async next(position: number): Promise<Uint8Array> {
    const isInside = position >= this.#windowAt && position < this.#windowAt + this.#windowLength;
    if (!isInside) await this.#fill(position, WINDOW_BYTES);
    return this.#window.subarray(position - this.#windowAt, this.#windowLength);
  }

  /** Fills `target` and returns true; false when the file ends before. */
  async read(position: number, target: Uint8Array): Promise<boolean> {
    if (position + target.length > this.size) return false;
    if (target.length > WINDOW_BYTES) {
      return (await this.#readInto(position, target)) === target.length;
    }
    const view = await this.view(position, target.length);
    if (view.length < target.length) return false;
    target.set(view);
    return true;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #fill(position: number, most: number): Promise<void> {
    this.#windowAt = position;
    this.#windowLength = 0;
    const length = Math.min(most, Math.max(0, this.size - position));
    this.#windowLength = await this.#readInto(position, this.#window.subarray(0, length));
  }

  /** Less than asked for when the file has become shorter. */
  async #readInto(position: number, target: Uint8Array): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.#handle.read(
        target,
        done,
        target.length - done,
        position + done,
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }
}
