/**
 * The sample table of a track, ISO/IEC 14496-12 §8.5 to §8.7: where each sample lies, how long it is, when it is decoded and shown. The
 * boxes stay as they are in memory, packed; a cursor walks them side by side. So a day of video costs what the file spends on it.
 */
import { ParseError } from '../errors.ts';
import { boxes } from './boxes.ts';

const FULL_BOX_BYTES = 4;
/** A week at 25 pictures a second. */
const MAX_SAMPLES = 16 * 1024 * 1024;

export interface Mp4Sample {
  readonly position: number;
  readonly byteLength: number;
  readonly decodeTicks: number;
  /** PTS − DTS. */
  readonly compositionOffsetTicks: number;
  readonly isSync: boolean;
  /** Which of the sample entries, from 1. */
  readonly descriptionIndex: number;
}

/** One box of rows of 32-bit numbers; its count is no more than what is there. */
class Rows {
  readonly count: number;
  readonly #view: DataView;
  readonly #columns: number;
  readonly #from: number;

  constructor(payload: Uint8Array | undefined, columns: number, countAt = FULL_BOX_BYTES) {
    const bytes = payload ?? new Uint8Array(countAt + 4);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#columns = columns;
    this.#from = countAt + 4;
    if (bytes.length < this.#from) throw new ParseError('half a table of samples');
    this.count = this.#view.getUint32(countAt);
    if (this.count * columns * 4 > bytes.length - this.#from) {
      throw new ParseError(`a table of ${this.count} rows in ${bytes.length} bytes`);
    }
  }

  u32(row: number, column = 0): number {
    return this.#view.getUint32(this.#from + (row * this.#columns + column) * 4);
  }

  i32(row: number, column: number): number {
    return this.#view.getInt32(this.#from + (row * this.#columns + column) * 4);
  }
}

export class SampleTable {
  readonly sampleCount: number;
  readonly timeToSample: Rows;
  readonly compositionOffsets: Rows;
  readonly sampleToChunk: Rows;
  readonly #syncSamples: Rows | undefined;
  readonly #sizes: Sizes;
  readonly #chunks: Rows;
  readonly #isWide: boolean;

  /** `stbl`: its contents. */
  constructor(stbl: Uint8Array) {
    const found = new Map<string, Uint8Array>();
    for (const { type, payload } of boxes(stbl)) if (!found.has(type)) found.set(type, payload);
    this.timeToSample = new Rows(found.get('stts'), 2);
    this.compositionOffsets = new Rows(found.get('ctts'), 2);
    this.sampleToChunk = new Rows(found.get('stsc'), 3);
    const stss = found.get('stss');
    this.#syncSamples = stss === undefined ? undefined : new Rows(stss, 1);
    this.#sizes = new Sizes(found.get('stsz'), found.get('stz2'));
    const wide = found.get('co64');
    this.#isWide = wide !== undefined;
    this.#chunks = new Rows(wide ?? found.get('stco'), this.#isWide ? 2 : 1);
    this.sampleCount = this.#sizes.count;
    if (this.sampleCount > MAX_SAMPLES) throw new ParseError(`${this.sampleCount} samples`);
  }

  get chunkCount(): number {
    return this.#chunks.count;
  }

  chunkPosition(chunk: number): number {
    if (!this.#isWide) return this.#chunks.u32(chunk);
    return this.#chunks.u32(chunk, 0) * 2 ** 32 + this.#chunks.u32(chunk, 1);
  }

  sizeOf(sample: number): number {
    return this.#sizes.of(sample);
  }

  /** Of the samples from one up to another, which is not counted. */
  sizeBetween(from: number, to: number): number {
    return this.#sizes.between(from, to);
  }

  isSync(sample: number): boolean {
    return this.#syncSamples === undefined || this.#syncAt(sample) === sample;
  }

  /** The last one not behind `sample`; 0 where there is none. */
  syncBefore(sample: number): number {
    if (this.#syncSamples === undefined) return sample;
    return Math.max(0, this.#syncAt(sample));
  }

  get lowestCompositionOffset(): number {
    let lowest = 0;
    for (let row = 0; row < this.compositionOffsets.count; row += 1) {
      lowest = Math.min(lowest, this.compositionOffsets.i32(row, 1));
    }
    return lowest;
  }

  /** When the last sample ends. */
  get endTicks(): number {
    let ticks = 0;
    for (let row = 0; row < this.timeToSample.count; row += 1) {
      ticks += this.timeToSample.u32(row, 0) * this.timeToSample.u32(row, 1);
    }
    return ticks;
  }

  /** The last sample that is decoded not after `ticks`; 0 where all are. */
  sampleAt(ticks: number): number {
    let sample = 0;
    let startTicks = 0;
    for (let row = 0; row < this.timeToSample.count; row += 1) {
      const count = this.timeToSample.u32(row, 0);
      const delta = this.timeToSample.u32(row, 1);
      const endTicks = startTicks + count * delta;
      if (ticks < endTicks) {
        const within = Math.floor(Math.max(0, ticks - startTicks) / delta);
        return Math.min(sample + within, this.sampleCount - 1);
      }
      sample += count;
      startTicks = endTicks;
    }
    return Math.max(0, Math.min(sample, this.sampleCount) - 1);
  }

  /** §8.6.2: numbered from 1, in order. −1: none before. */
  #syncAt(sample: number): number {
    const rows = this.#syncSamples;
    if (rows === undefined) return sample;
    let low = 0;
    let high = rows.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows.u32(middle) <= sample + 1) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -1 : rows.u32(low - 1) - 1;
  }
}

/** §8.7.3: one size for all, or one each in 32, 16, 8 or 4 bits. */
class Sizes {
  readonly count: number;
  readonly #uniform: number;
  readonly #bits: number;
  readonly #view: DataView;
  readonly #from = FULL_BOX_BYTES + 8;

  constructor(stsz: Uint8Array | undefined, stz2: Uint8Array | undefined) {
    const bytes = stsz ?? stz2 ?? new Uint8Array(FULL_BOX_BYTES + 8);
    if (bytes.length < this.#from) throw new ParseError('half a table of sample sizes');
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = this.#view.getUint32(FULL_BOX_BYTES);
    const isCompact = stsz === undefined;
    this.count = this.#view.getUint32(FULL_BOX_BYTES + 4);
    this.#uniform = isCompact ? 0 : first;
    this.#bits = isCompact ? first & 0xff : 32;
    const isKnown = [4, 8, 16, 32].includes(this.#bits);
    if (!isKnown && this.count > 0) throw new ParseError(`sample sizes of ${this.#bits} bits`);
    const needed = this.#uniform === 0 ? Math.ceil((this.count * this.#bits) / 8) : 0;
    if (needed > bytes.length - this.#from) {
      throw new ParseError(`${this.count} sample sizes in ${bytes.length} bytes`);
    }
  }

  of(sample: number): number {
    if (this.#uniform !== 0) return this.#uniform;
    switch (this.#bits) {
      case 32:
        return this.#view.getUint32(this.#from + sample * 4);
      case 16:
        return this.#view.getUint16(this.#from + sample * 2);
      case 8:
        return this.#view.getUint8(this.#from + sample);
      default: {
        const pair = this.#view.getUint8(this.#from + (sample >> 1));
        return sample % 2 === 0 ? pair >> 4 : pair & 0x0f;
      }
    }
  }

  between(from: number, to: number): number {
    if (this.#uniform !== 0) return this.#uniform * (to - from);
    let bytes = 0;
    for (let sample = from; sample < to; sample += 1) bytes += this.of(sample);
    return bytes;
  }
}

/** Where a run of equal rows stands. */
interface RunPlace {
  row: number;
  /** Samples of the row that are behind. */
  done: number;
}

export class SampleCursor {
  readonly #table: SampleTable;
  #sample = 0;
  readonly #time: RunPlace = { row: 0, done: 0 };
  readonly #composition: RunPlace = { row: 0, done: 0 };
  #decodeTicks = 0;
  #chunkRow = 0;
  #chunk = 0;
  #inChunk = 0;
  #position = 0;

  constructor(table: SampleTable) {
    this.#table = table;
    this.moveTo(0);
  }

  /** Of the sample that comes next; undefined: no more. */
  get decodeTicks(): number | undefined {
    return this.#isOver ? undefined : this.#decodeTicks;
  }

  next(): Mp4Sample | undefined {
    if (this.#isOver) return undefined;
    const table = this.#table;
    const byteLength = table.sizeOf(this.#sample);
    const sample: Mp4Sample = {
      position: this.#position,
      byteLength,
      decodeTicks: this.#decodeTicks,
      compositionOffsetTicks: this.#compositionOffset(),
      isSync: table.isSync(this.#sample),
      descriptionIndex: table.sampleToChunk.u32(this.#chunkRow, 2),
    };
    this.#sample += 1;
    this.#decodeTicks += this.#delta();
    advance(this.#time, table.timeToSample);
    advance(this.#composition, table.compositionOffsets);
    this.#position += byteLength;
    this.#inChunk += 1;
    if (this.#inChunk >= table.sampleToChunk.u32(this.#chunkRow, 1))
      this.#enterChunk(this.#chunk + 1);
    return sample;
  }

  moveTo(sample: number): void {
    const table = this.#table;
    this.#sample = sample;
    this.#decodeTicks = placeAt(this.#time, table.timeToSample, sample, (row) =>
      table.timeToSample.u32(row, 1),
    );
    placeAt(this.#composition, table.compositionOffsets, sample, () => 0);
    this.#chunkRow = 0;
    this.#placeChunk(sample);
  }

  get #isOver(): boolean {
    const { sampleCount, chunkCount, sampleToChunk } = this.#table;
    return this.#sample >= sampleCount || this.#chunk >= chunkCount || sampleToChunk.count === 0;
  }

  /** §8.7.4: chunks are numbered from 1; a row holds up to the next row's first chunk. */
  #placeChunk(sample: number): void {
    const { sampleToChunk, chunkCount } = this.#table;
    let first = 0;
    for (let row = 0; row < sampleToChunk.count; row += 1) {
      const chunk = sampleToChunk.u32(row, 0) - 1;
      const samplesPerChunk = sampleToChunk.u32(row, 1);
      const isLast = row + 1 === sampleToChunk.count;
      const nextChunk = isLast ? chunkCount : sampleToChunk.u32(row + 1, 0) - 1;
      if (chunk < 0 || nextChunk < chunk || samplesPerChunk === 0) break;
      const samples = (nextChunk - chunk) * samplesPerChunk;
      if (sample < first + samples) {
        this.#chunkRow = row;
        const chunksIn = Math.floor((sample - first) / samplesPerChunk);
        this.#inChunk = (sample - first) % samplesPerChunk;
        this.#chunk = chunk + chunksIn;
        const from = sample - this.#inChunk;
        if (sample >= this.#table.sampleCount) return;
        this.#position = this.#chunkStart() + this.#table.sizeBetween(from, sample);
        return;
      }
      first += samples;
    }
    // Past the last chunk, or a table that makes no sense.
    this.#chunk = chunkCount;
  }

  #enterChunk(chunk: number): void {
    const { sampleToChunk } = this.#table;
    this.#chunk = chunk;
    this.#inChunk = 0;
    const next = this.#chunkRow + 1;
    if (next < sampleToChunk.count && sampleToChunk.u32(next, 0) - 1 <= chunk) {
      this.#chunkRow = next;
    }
    this.#position = this.#chunkStart();
  }

  #chunkStart(): number {
    return this.#chunk < this.#table.chunkCount ? this.#table.chunkPosition(this.#chunk) : 0;
  }

  #delta(): number {
    const { timeToSample } = this.#table;
    return this.#time.row < timeToSample.count ? timeToSample.u32(this.#time.row, 1) : 0;
  }

  /** §8.6.1.3: version 0 has no sign; but writers put negative offsets there, too. */
  #compositionOffset(): number {
    const { compositionOffsets } = this.#table;
    const { row } = this.#composition;
    return row < compositionOffsets.count ? compositionOffsets.i32(row, 1) : 0;
  }
}

function advance(place: RunPlace, rows: Rows): void {
  place.done += 1;
  while (place.row < rows.count && place.done >= rows.u32(place.row, 0)) {
    place.row += 1;
    place.done = 0;
  }
}

/** The sum of `ticksOf` over all samples before. */
function placeAt(
  place: RunPlace,
  rows: Rows,
  sample: number,
  ticksOf: (row: number) => number,
): number {
  let before = 0;
  let sum = 0;
  place.row = 0;
  for (; place.row < rows.count; place.row += 1) {
    const count = rows.u32(place.row, 0);
    if (sample < before + count) {
      place.done = sample - before;
      return sum + place.done * ticksOf(place.row);
    }
    before += count;
    sum += count * ticksOf(place.row);
  }
  place.done = 0;
  return sum;
}
