/**
 * The framed units since the last random access point, by reference: what a viewer that joins late begins with. When it
 * grows past its limits it is empty until the next random access point.
 */

/** Longer GOPs are not worth replaying: 8 s at 4 Mbit/s, as in hub/gop-cache.ts. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Bounds the list for streams of very small units: 60 s of 50 fps video with audio. */
const MAX_FRAMES = 6000;

export class FramedGop {
  /** In force when it began. */
  header: Buffer | undefined;
  #frames: Buffer[] = [];
  #byteLength = 0;
  #isCollecting = false;

  get byteLength(): number {
    return this.#byteLength;
  }

  /** In order. */
  get frames(): readonly Buffer[] {
    return this.#frames;
  }

  begin(header: Buffer | undefined): void {
    this.clear();
    this.header = header;
    this.#isCollecting = true;
  }

  push(frame: Buffer): void {
    if (!this.#isCollecting) return;
    if (this.#byteLength + frame.length > MAX_BYTES || this.#frames.length >= MAX_FRAMES) {
      this.clear();
      return;
    }
    this.#frames.push(frame);
    this.#byteLength += frame.length;
  }

  clear(): void {
    this.#frames = [];
    this.#byteLength = 0;
    this.#isCollecting = false;
  }
}
