/**
 * The access units since the last random access point, so that whoever joins late starts with a
 * picture at once. Bytes are copied into pooled slabs; with no slab left, or past the limit for one
 * stream, the cache empties itself and starts again at the next random access point.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import type { Track } from '../../codecs/track.ts';
import { SLAB_BYTES, type SlabPool } from './slab-pool.ts';

/** One stream's share at most: 4 MiB is 8 s at 4 Mbit/s; longer GOPs are not worth replaying. */
const MAX_GOP_BYTES = 4 * 1024 * 1024;
/** Bounds the list for streams of very small units: 60 s of 50 fps video with audio. */
const MAX_GOP_UNITS = 6000;

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

  /** The cached units in order, each in a buffer of its own with headroom. */
  *units(): Generator<AccessUnit> {
    for (const { track, ptsUs, dtsUs, randomAccess, offset, length } of this.#units) {
      const data = new Uint8Array(ACCESS_UNIT_HEADROOM + length).subarray(ACCESS_UNIT_HEADROOM);
      this.#copyOut(data, offset);
      yield { track, ptsUs, dtsUs, randomAccess, data, kept: false };
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

  #copyOut(data: Uint8Array, at: number): void {
    let done = 0;
    for (const [slab, start] of this.#pieces(at, data.length)) {
      const size = Math.min(SLAB_BYTES - start, data.length - done);
      data.set(slab.subarray(start, start + size), done);
      done += size;
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
