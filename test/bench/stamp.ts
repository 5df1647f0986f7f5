/** What each access unit carries inside its coded data: which it is, and when it was sent. */

export interface Stamp {
  readonly camera: number;
  /** Counts the access units of one track of one camera. */
  readonly unit: number;
  /** Which of the templates the rest of the access unit is. */
  readonly template: number;
  /** By the clock that all processes of a machine share. */
  readonly sentAtUs: number;
}

/** Hexadecimal digits as bytes 0x40 to 0x4f: no zero bytes, so no start code can arise. */
const WIDTHS = [4, 8, 2, 14] as const;
export const STAMP_BYTES = WIDTHS.reduce((sum, width) => sum + width, 0);

export function writeStamp(bytes: Uint8Array, offset: number, stamp: Stamp): void {
  let at = offset;
  const fields = [stamp.camera, stamp.unit, stamp.template, stamp.sentAtUs];
  for (const [index, width] of WIDTHS.entries()) {
    let rest = fields[index] ?? 0;
    for (let digit = at + width - 1; digit >= at; digit--) {
      bytes[digit] = 0x40 | (rest % 16);
      rest = Math.floor(rest / 16);
    }
    at += width;
  }
}

export function readStamp(bytes: Uint8Array, offset: number): Stamp {
  let at = offset;
  const [camera = 0, unit = 0, template = 0, sentAtUs = 0] = WIDTHS.map((width) => {
    let value = 0;
    for (const end = at + width; at < end; at++) value = value * 16 + ((bytes[at] ?? 0) & 0x0f);
    return value;
  });
  return { camera, unit, template, sentAtUs };
}

/** CLOCK_MONOTONIC, in microseconds. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + nanoseconds / 1000;
}
