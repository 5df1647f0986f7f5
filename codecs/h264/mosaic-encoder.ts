/**
 * Writes mosaics (mosaic.ts) as H.264 of the Constrained Baseline profile: macroblocks that changed as Intra_16x16 with
 * nothing but DC coefficients, all others as P_Skip. One slice a picture, §7.3.3, §7.3.5.
 *
 * At a quantiser of 16 the way back is exact: with flat scaling LevelScale(4, 0, 0) is 256, so
 *   luma,   §8.5.10: dcY = (256 f + 8) >> 4 = 16 f, a sample gets (16 f + 32) >> 6 (§8.5.12);
 *   chroma, §8.5.11: dcC = ((256 f) << 2) >> 5 = 32 f, a sample gets (32 f + 32) >> 6;
 * and f, the Hadamard transform of what was sent, which was the transform of the difference of levels already, is that
 * difference times 16 and times 4: 4 steps of luma and 2 of chroma for a level. So nothing drifts, and predictions are
 * made from the mosaic itself. The deblocking filter would blur it, and is off.
 */
import { BitWriter } from '../bit-writer.ts';
import { addEmulationPrevention } from '../rbsp.ts';
import type { H264Track } from '../track.ts';
import { writeBlock, writeChromaDc } from './cavlc.ts';
import { Mosaic, type Plane } from './mosaic.ts';
import { NalUnitType } from './nal-unit.ts';
import {
  LOG2_MAX_FRAME_NUM,
  type PictureFormat,
  serializePps,
  serializeSps,
} from './parameter-set-writer.ts';

const QP = 16;
/** slice_type, Table 7-6: all slices of the picture have it. */
const P_SLICES = 5;
const I_SLICES = 7;
/** nal_ref_idc: the next picture refers to it. */
const REFERENCE = 3 << 5;
/** Table 7-13: in P slices the types of I slices come after five others. */
const INTRA_TYPES_IN_P = 5;
/** Table 7-11: I_16x16_<mode>_<chroma>_0 is 1 + mode + 4 × chroma. */
const I_16X16 = 1;
/** 128 in levels: what there is to predict from where nothing is, §8.3.3.3, §8.3.4. */
const MIDDLE = { luma: 32, chroma: 64 } as const;
/** Figure 8-8 (a): where the coefficients of the scan are in the block, row by row. */
const ZIGZAG = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15] as const;

/** Intra16x16PredMode and intra_chroma_pred_mode number them differently, Tables 8-4 and 8-5. */
interface Prediction {
  readonly luma: number;
  readonly chroma: number;
}
const VERTICAL: Prediction = { luma: 0, chroma: 2 };
const HORIZONTAL: Prediction = { luma: 1, chroma: 1 };
/** Only for the first macroblock, which has nothing beside it. */
const DC: Prediction = { luma: 2, chroma: 0 };

export class MosaicEncoder {
  readonly track: H264Track;
  /** What the decoder has. */
  readonly #shown: Mosaic;
  readonly #writer = new BitWriter();
  readonly #blocks = {
    luma: new Int16Array(16),
    cb: new Int16Array(4),
    cr: new Int16Array(4),
    scanned: new Int16Array(16),
  };
  #frameNum = 0;
  #idrPicId = 0;

  constructor(format: PictureFormat) {
    this.track = {
      kind: 'video',
      codec: 'h264',
      sps: serializeSps(format),
      pps: serializePps(QP),
    };
    this.#shown = new Mosaic(Math.ceil(format.width / 16), Math.ceil(format.height / 16));
  }

  /** A picture's one NAL unit. The first must be an IDR picture. */
  encode(mosaic: Mosaic, isIdr: boolean): Uint8Array {
    const writer = this.#writer.clear();
    this.#writeSliceHeader(isIdr);
    if (isIdr) this.#writeIntraMacroblocks(mosaic);
    else this.#writeChangedMacroblocks(mosaic);
    this.#shown.copyFrom(mosaic);
    const type = isIdr ? NalUnitType.idr : NalUnitType.nonIdr;
    return addEmulationPrevention(REFERENCE | type, writer.trailingBits().bytes());
  }

  #writeSliceHeader(isIdr: boolean): void {
    const writer = this.#writer;
    // §7.4.3: an IDR picture is number 0, and two of them in a row have different ids.
    this.#frameNum = isIdr ? 0 : (this.#frameNum + 1) % 2 ** LOG2_MAX_FRAME_NUM;
    if (isIdr) this.#idrPicId = 1 - this.#idrPicId;
    writer.ue(0).ue(isIdr ? I_SLICES : P_SLICES); // first_mb_in_slice, slice_type
    writer.ue(0).u(LOG2_MAX_FRAME_NUM, this.#frameNum); // pic_parameter_set_id
    if (isIdr) writer.ue(this.#idrPicId);
    else writer.flag(false).flag(false); // num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0
    // dec_ref_pic_marking: no_output_of_prior_pics_flag, long_term_reference_flag; adaptive_ref_pic_marking_mode_flag
    if (isIdr) writer.flag(false).flag(false);
    else writer.flag(false);
    writer.se(0).ue(1); // slice_qp_delta, disable_deblocking_filter_idc
  }

  #writeIntraMacroblocks(mosaic: Mosaic): void {
    for (let mbY = 0; mbY < mosaic.heightInMbs; mbY += 1) {
      for (let mbX = 0; mbX < mosaic.widthInMbs; mbX += 1) this.#writeIntra(mosaic, mbX, mbY, 0);
    }
  }

  /** The vector of a P_Skip is the median of vectors that are all zero here, §8.4.1.1. */
  #writeChangedMacroblocks(mosaic: Mosaic): void {
    let skipped = 0;
    for (let mbY = 0; mbY < mosaic.heightInMbs; mbY += 1) {
      for (let mbX = 0; mbX < mosaic.widthInMbs; mbX += 1) {
        if (mosaic.hasSame(this.#shown, mbX, mbY)) {
          skipped += 1;
          continue;
        }
        this.#writer.ue(skipped); // mb_skip_run
        this.#writeIntra(mosaic, mbX, mbY, INTRA_TYPES_IN_P);
        skipped = 0;
      }
    }
    if (skipped > 0) this.#writer.ue(skipped);
  }

  #writeIntra(mosaic: Mosaic, mbX: number, mbY: number, firstType: number): void {
    const writer = this.#writer;
    const { luma, cb, cr, scanned } = this.#blocks;
    const prediction = choosePrediction(mosaic, mbX, mbY);
    subtract(mosaic.luma, 4, mbX, mbY, prediction, MIDDLE.luma, luma);
    subtract(mosaic.cb, 2, mbX, mbY, prediction, MIDDLE.chroma, cb);
    subtract(mosaic.cr, 2, mbX, mbY, prediction, MIDDLE.chroma, cr);
    const hasChroma = cb.some(isNotZero) || cr.some(isNotZero);
    writer.ue(firstType + I_16X16 + prediction.luma + (hasChroma ? 4 : 0)); // mb_type
    writer.ue(prediction.chroma); // intra_chroma_pred_mode
    writer.se(0); // mb_qp_delta
    transformLuma(luma);
    for (const [at, place] of ZIGZAG.entries()) scanned[at] = luma[place] ?? 0;
    writeBlock(writer, scanned);
    if (!hasChroma) return;
    writeChromaDc(writer, transformChroma(cb));
    writeChromaDc(writer, transformChroma(cr));
  }
}

function isNotZero(level: number): boolean {
  return level !== 0;
}

/** What is above mostly goes on below; the left neighbour serves where there is nothing above, or where it differs less. */
function choosePrediction(mosaic: Mosaic, mbX: number, mbY: number): Prediction {
  if (mbX === 0 && mbY === 0) return DC;
  if (mbX === 0) return VERTICAL;
  if (mbY === 0) return HORIZONTAL;
  const vertical = differenceFrom(mosaic, mbX, mbY, VERTICAL);
  return differenceFrom(mosaic, mbX, mbY, HORIZONTAL) < vertical ? HORIZONTAL : VERTICAL;
}

function differenceFrom(mosaic: Mosaic, mbX: number, mbY: number, prediction: Prediction): number {
  return (
    sumOfDifferences(mosaic.luma, 4, mbX, mbY, prediction) +
    sumOfDifferences(mosaic.cb, 2, mbX, mbY, prediction) +
    sumOfDifferences(mosaic.cr, 2, mbX, mbY, prediction)
  );
}

function sumOfDifferences(
  plane: Plane,
  blocks: number,
  mbX: number,
  mbY: number,
  prediction: Prediction,
): number {
  const { levels, stride } = plane;
  const start = mbY * blocks * stride + mbX * blocks;
  let sum = 0;
  for (let row = 0; row < blocks; row += 1) {
    for (let column = 0; column < blocks; column += 1) {
      const from = prediction === VERTICAL ? start - stride + column : start + row * stride - 1;
      sum += Math.abs((levels[start + row * stride + column] ?? 0) - (levels[from] ?? 0));
    }
  }
  return sum;
}

/** A macroblock's levels without what is predicted for them. */
function subtract(
  plane: Plane,
  blocks: number,
  mbX: number,
  mbY: number,
  prediction: Prediction,
  middle: number,
  into: Int16Array,
): void {
  const { levels, stride } = plane;
  const start = mbY * blocks * stride + mbX * blocks;
  for (let row = 0; row < blocks; row += 1) {
    for (let column = 0; column < blocks; column += 1) {
      const from = prediction === VERTICAL ? start - stride + column : start + row * stride - 1;
      const predicted = prediction === DC ? middle : (levels[from] ?? 0);
      into[row * blocks + column] = (levels[start + row * stride + column] ?? 0) - predicted;
    }
  }
}

/** The 4 × 4 Hadamard transform in place: rows, then columns. §8.5.10, equation 8-320: it is its own inverse but for a factor. */
function transformLuma(block: Int16Array): void {
  for (let row = 0; row < 16; row += 4) transformFour(block, row, 1);
  for (let column = 0; column < 4; column += 1) transformFour(block, column, 4);
}

function transformFour(block: Int16Array, start: number, step: number): void {
  const a = block[start] ?? 0;
  const b = block[start + step] ?? 0;
  const c = block[start + 2 * step] ?? 0;
  const d = block[start + 3 * step] ?? 0;
  block[start] = a + b + c + d;
  block[start + step] = a + b - c - d;
  block[start + 2 * step] = a - b - c + d;
  block[start + 3 * step] = a - b + c - d;
}

/** The 2 × 2 one, §8.5.11.1; its scan is row by row. */
function transformChroma(block: Int16Array): Int16Array {
  const [a = 0, b = 0, c = 0, d = 0] = block;
  block[0] = a + b + c + d;
  block[1] = a - b + c - d;
  block[2] = a + b - c - d;
  block[3] = a - b - c + d;
  return block;
}
