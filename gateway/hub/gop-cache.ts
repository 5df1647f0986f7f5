/**
 * The access units since the last random access point, so that whoever joins late starts with a
 * picture at once. Bytes are copied into pooled slabs; with no slab left, or past the limit for one
 * stream, the cache empties itself and starts again at the next random access point.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import type { Track } from '../../codecs/track.ts';
import { SLAB_BYTES, type SlabPool } from './slab-pool.ts';

/** One stream's share at most: 4 MiB is 8 s at 4 Mbit/s; longer GOPs are not worth replaying. */
const MAX_GOP_BYTES = 4 * 1024 * 1024;
/** Bounds the list for streams of very small units: 60 s of 50 fps video with audio. */
const MAX_GOP_UNITS = 6000;

/** One for the process: a replay is synchronous, so two never overlap. */
const assembler = new AccessUnitAssembler();

interface CachedUnit {
  readonly track: Track;
  readonly ptsUs: number;
  readonly dtsUs: number;
  readonly randomAccess: boolean;
  readonly offset: number;
  readonly length: number;
}

export class GopCache {
  readonly #pool: SlabPool;
  readonly #slabs: Uint8Array[] = [];
  #units: CachedUnit[] = [];
  #byteLength = 0;
  /** False until the first random access point, and after an overflow. */
  #collecting = false;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** `hasVideo`: whether GOPs begin at video units (else at any audio unit: only the last one is kept). */
  push(unit: AccessUnit, hasVideo: boolean): void {
    if (unit.randomAccess && (unit.track.kind === 'video' || !hasVideo)) {
      this.clear();
      this.#collecting = true;
    }
    if (!this.#collecting) return;
    const { length } = unit.data;
    if (
      this.#byteLength + length > MAX_GOP_BYTES ||
      this.#units.length >= MAX_GOP_UNITS ||
      !this.#reserve(this.#byteLength + length)
    ) {
      this.clear();
      return;
    }
    this.#units.push({
      track: unit.track,
      ptsUs: unit.ptsUs,
      dtsUs: unit.dtsUs,
      randomAccess: unit.randomAccess,
      offset: this.#byteLength,
      length,
    });
    this.#copyIn(unit.data, this.#byteLength);
    this.#byteLength += length;
  }

  /** Hands out the cached units in order, each lent for the call as a source would lend it. */
  replay(write: (unit: AccessUnit) => void): void {
    for (const { track, ptsUs, dtsUs, randomAccess, offset, length } of this.#units) {
      this.#copyOut(offset, length);
      const unit = { track, ptsUs, dtsUs, randomAccess, data: assembler.take(), kept: false };
      write(unit);
      assembler.release(unit.kept);
    }
  }

  clear(): void {
    for (const slab of this.#slabs) this.#pool.release(slab);
    this.#slabs.length = 0;
    this.#units = [];
    this.#byteLength = 0;
    this.#collecting = false;
  }

  #reserve(byteLength: number): boolean {
    while (this.#slabs.length * SLAB_BYTES < byteLength) {
      const slab = this.#pool.acquire();
      if (slab === undefined) return false;
      this.#slabs.push(slab);
    }
    return true;
  }

  #copyIn(data: Uint8Array, at: number): void {
    let done = 0;
    for (const [slab, start] of this.#pieces(at, data.length)) {
      const size = Math.min(SLAB_BYTES - start, data.length - done);
      slab.set(data.subarray(done, done + size), start);
      done += size;
    }
  }

  #copyOut(at: number, length: number): void {
    let left = length;
    for (const [slab, start] of this.#pieces(at, length)) {
      const size = Math.min(SLAB_BYTES - start, left);
      assembler.append(slab.subarray(start, start + size));
      left -= size;
    }
  }

  /** The slabs that hold `length` bytes from logical position `at`, with the start within each. */
  *#pieces(at: number, length: number): Generator<[Uint8Array, number]> {
    for (let position = at; position < at + length; ) {
      const slab = this.#slabs[Math.floor(position / SLAB_BYTES)];
      if (slab === undefined) return;
      const start = position % SLAB_BYTES;
      yield [slab, start];
      position += SLAB_BYTES - start;
    }
  }
}
