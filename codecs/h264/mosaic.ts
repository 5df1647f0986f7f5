/**
 * A picture made of flat blocks of 4 × 4 samples, of luma and of either chroma: for people 4 × 4 pixels have one
 * brightness, and 8 × 8 one colour. `mosaic-encoder.ts` writes it as H.264 that a decoder gives back to the bit.
 */

/** A level of luma is four steps of the sample, one of chroma two. */
export const LUMA_STEP = 4;
export const CHROMA_STEP = 2;
export const MAX_LUMA_LEVEL = 63;
export const MAX_CHROMA_LEVEL = 127;

/** Blocks in a row or column of a macroblock. */
const LUMA_BLOCKS = 4;
const CHROMA_BLOCKS = 2;

/** Levels of one plane, row by row. */
export interface Plane {
  readonly levels: Uint8Array;
  /** Blocks in a row. */
  readonly stride: number;
}

export class Mosaic {
  readonly widthInMbs: number;
  readonly heightInMbs: number;
  readonly luma: Plane;
  readonly cb: Plane;
  readonly cr: Plane;

  constructor(widthInMbs: number, heightInMbs: number) {
    const plane = (blocks: number) => ({
      levels: new Uint8Array(widthInMbs * heightInMbs * blocks * blocks),
      stride: widthInMbs * blocks,
    });
    this.widthInMbs = widthInMbs;
    this.heightInMbs = heightInMbs;
    this.luma = plane(LUMA_BLOCKS);
    this.cb = plane(CHROMA_BLOCKS);
    this.cr = plane(CHROMA_BLOCKS);
  }

  copyFrom(other: Mosaic): void {
    this.luma.levels.set(other.luma.levels);
    this.cb.levels.set(other.cb.levels);
    this.cr.levels.set(other.cr.levels);
  }

  /** Whether a macroblock is the same in another picture. */
  hasSame(other: Mosaic, mbX: number, mbY: number): boolean {
    return (
      isSame(this.luma, other.luma, LUMA_BLOCKS, mbX, mbY) &&
      isSame(this.cb, other.cb, CHROMA_BLOCKS, mbX, mbY) &&
      isSame(this.cr, other.cr, CHROMA_BLOCKS, mbX, mbY)
    );
  }
}

function isSame(a: Plane, b: Plane, blocks: number, mbX: number, mbY: number): boolean {
  for (let row = 0; row < blocks; row += 1) {
    const start = (mbY * blocks + row) * a.stride + mbX * blocks;
    for (let at = start; at < start + blocks; at += 1) {
      if (a.levels[at] !== b.levels[at]) return false;
    }
  }
  return true;
}
