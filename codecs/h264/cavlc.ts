/**
 * Writes a block of transform coefficient levels as CAVLC codes. H.264 §7.3.5.3.2 (residual_block_cavlc), §9.2.
 * Not written: blocks whose neighbours have coefficients (nC of 2 and more, Table 9-5), which only AC blocks have.
 */
import type { BitWriter } from '../bit-writer.ts';

/** A code's bits with a one before them. */
type Code = number;
type CodeTable = readonly (readonly Code[])[];

/**
 * Table 9-5: a row for each number of coefficients, in it a code for each number of trailing ones.
 * 0 ≤ nC < 2.
 */
const COEFF_TOKEN = codes(
  '1',
  '000101 01',
  '00000111 000100 001',
  '000000111 00000110 0000101 00011',
  '0000000111 000000110 00000101 000011',
  '00000000111 0000000110 000000101 0000100',
  '0000000001111 00000000110 0000000101 00000100',
  '0000000001011 0000000001110 00000000101 000000100',
  '0000000001000 0000000001010 0000000001101 0000000100',
  '00000000001111 00000000001110 0000000001001 00000000100',
  '00000000001011 00000000001010 00000000001101 0000000001100',
  '000000000001111 000000000001110 00000000001001 00000000001100',
  '000000000001011 000000000001010 000000000001101 00000000001000',
  '0000000000001111 000000000000001 000000000001001 000000000001100',
  '0000000000001011 0000000000001110 0000000000001101 000000000001000',
  '0000000000000111 0000000000001010 0000000000001001 0000000000001100',
  '0000000000000100 0000000000000110 0000000000000101 0000000000001000',
);
/** The same for chroma DC: nC = −1. */
const CHROMA_DC_COEFF_TOKEN = codes(
  '01',
  '000111 1',
  '000100 000110 001',
  '000011 0000011 0000010 000101',
  '000010 00000011 00000010 0000000',
);

/** Tables 9-7 and 9-8: a row for each number of coefficients from 1, in it a code for each total_zeros. */
const TOTAL_ZEROS = codes(
  '1 011 010 0011 0010 00011 00010 000011 000010 0000011 0000010 00000011 00000010 000000011 000000010 000000001',
  '111 110 101 100 011 0101 0100 0011 0010 00011 00010 000011 000010 000001 000000',
  '0101 111 110 101 0100 0011 100 011 0010 00011 00010 000001 00001 000000',
  '00011 111 0101 0100 110 101 100 0011 011 0010 00010 00001 00000',
  '0101 0100 0011 111 110 101 100 011 0010 00001 0001 00000',
  '000001 00001 111 110 101 100 011 010 0001 001 000000',
  '000001 00001 101 100 011 11 010 0001 001 000000',
  '000001 0001 00001 011 11 10 010 001 000000',
  '000001 000000 0001 11 10 001 01 00001',
  '00001 00000 001 11 10 01 0001',
  '0000 0001 001 010 1 011',
  '0000 0001 01 1 001',
  '000 001 1 01',
  '00 01 1',
  '0 1',
);
/** Table 9-9 (a). */
const CHROMA_DC_TOTAL_ZEROS = codes('1 01 001 000', '1 01 00', '1 0');

/** Table 9-10: a row for each zerosLeft from 1, the last for all above 6, in it a code for each run_before. */
const RUN_BEFORE = codes(
  '1 0',
  '1 01 00',
  '11 10 01 00',
  '11 10 01 001 000',
  '11 10 011 010 001 000',
  '11 000 001 011 010 101 100',
  '111 110 101 100 011 010 001 0001 00001 000001 0000001 00000001 000000001 0000000001 00000000001',
);

const MAX_TRAILING_ONES = 3;
const MAX_SUFFIX_LENGTH = 6;
/** A level_prefix of 15 has a suffix of 12 bits; longer ones are for High profiles (§9.2.2.1). */
const ESCAPE_PREFIX = 15;
const ESCAPE_BITS = 12;

/** 16 levels in scan order, of a block whose neighbours count no coefficients, as for Intra16x16DCLevel. */
export function writeBlock(writer: BitWriter, levels: Int16Array): void {
  writeLevels(writer, levels, COEFF_TOKEN, TOTAL_ZEROS);
}

/** 4 levels: ChromaDCLevel of 4:2:0. */
export function writeChromaDc(writer: BitWriter, levels: Int16Array): void {
  writeLevels(writer, levels, CHROMA_DC_COEFF_TOKEN, CHROMA_DC_TOTAL_ZEROS);
}

function writeLevels(
  writer: BitWriter,
  levels: Int16Array,
  coeffTokens: CodeTable,
  totalZeros: CodeTable,
): void {
  const count = levels.reduce((sum, level) => sum + (level === 0 ? 0 : 1), 0);
  const last = levels.findLastIndex((level) => level !== 0);
  const ones = trailingOnes(levels, last);
  writeCode(writer, coeffTokens, count, ones);
  if (count === 0) return;
  writeValues(writer, levels, last, { count, ones });
  const zeros = last + 1 - count;
  if (count < levels.length) writeCode(writer, totalZeros, count - 1, zeros);
  writeRuns(writer, levels, last, zeros);
}

/** How many of the last levels are 1 or −1, three at most; zeros between them do not matter. */
function trailingOnes(levels: Int16Array, last: number): number {
  let ones = 0;
  for (let at = last; at >= 0 && ones < MAX_TRAILING_ONES; at -= 1) {
    const size = Math.abs(levels[at] ?? 0);
    if (size > 1) break;
    ones += size;
  }
  return ones;
}

/** The signs of trailing ones, then the other levels, the last first. §9.2.2. */
function writeValues(
  writer: BitWriter,
  levels: Int16Array,
  last: number,
  { count, ones }: { readonly count: number; readonly ones: number },
): void {
  let suffixLength = count > 10 && ones < MAX_TRAILING_ONES ? 1 : 0;
  let index = 0;
  for (let at = last; at >= 0; at -= 1) {
    const level = levels[at] ?? 0;
    if (level === 0) continue;
    index += 1;
    if (index <= ones) {
      writer.flag(level < 0); // trailing_ones_sign_flag
      continue;
    }
    const levelCode = level > 0 ? 2 * level - 2 : -2 * level - 1;
    // The first behind fewer than three trailing ones cannot be 1 or −1.
    const isFirst = index === ones + 1 && ones < MAX_TRAILING_ONES;
    writeLevel(writer, isFirst ? levelCode - 2 : levelCode, suffixLength);
    if (suffixLength === 0) suffixLength = 1;
    if (Math.abs(level) > 3 << (suffixLength - 1) && suffixLength < MAX_SUFFIX_LENGTH) {
      suffixLength += 1;
    }
  }
}

/** level_prefix and level_suffix, §9.2.2.1. */
function writeLevel(writer: BitWriter, levelCode: number, suffixLength: number): void {
  const escapeFrom = suffixLength === 0 ? 30 : ESCAPE_PREFIX << suffixLength;
  if (levelCode >= escapeFrom) {
    const suffix = levelCode - escapeFrom;
    if (suffix >= 2 ** ESCAPE_BITS) throw new RangeError('a coefficient is too large for Baseline');
    writer.u(ESCAPE_PREFIX + 1, 1).u(ESCAPE_BITS, suffix);
  } else if (suffixLength > 0) {
    writer.u((levelCode >> suffixLength) + 1, 1).u(suffixLength, levelCode);
  } else if (levelCode < 14) {
    writer.u(levelCode + 1, 1);
  } else {
    writer.u(15, 1).u(4, levelCode - 14);
  }
}

/** run_before of each level but the first, the last level first. §9.2.3. */
function writeRuns(writer: BitWriter, levels: Int16Array, last: number, zeros: number): void {
  let zerosLeft = zeros;
  let at = last;
  while (zerosLeft > 0) {
    let before = at - 1;
    while (before >= 0 && levels[before] === 0) before -= 1;
    if (before < 0) return;
    const run = at - before - 1;
    writeCode(writer, RUN_BEFORE, Math.min(zerosLeft, RUN_BEFORE.length) - 1, run);
    zerosLeft -= run;
    at = before;
  }
}

function writeCode(writer: BitWriter, table: CodeTable, row: number, column: number): void {
  const code = table[row]?.[column];
  if (code === undefined) throw new RangeError(`no code at ${row}, ${column}`);
  writer.u(31 - Math.clz32(code), code);
}

function codes(...rows: readonly string[]): CodeTable {
  return rows.map((row) => row.split(' ').map((bits) => Number.parseInt(`1${bits}`, 2)));
}
