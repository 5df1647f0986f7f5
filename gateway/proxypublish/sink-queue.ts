/**
 * What waits for a target that is slower than its stream: bounded in bytes and in milliseconds, and
 * when full it loses whole GOPs from the oldest side. What leaves it can always be decoded: a picture
 * never comes without all those since its random access point.
 *
 * A GOP here is a random access picture and everything up to the next, audio included, so that
 * sound does not play on over pictures that are gone. Of a GOP that has begun to leave, the rest is
 * dropped. Without video every audio frame is a GOP.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';

/** 16 s of a 4 Mbit/s camera, and room for three pictures of the largest size seen in practice. */
export const DEFAULT_QUEUE_MAX_BYTES = 8 * 1024 * 1024;
/** Outlives a Wi-Fi roam or a LTE handover; later than this a live picture is of little use. */
export const DEFAULT_QUEUE_MAX_MS = 5_000;
/** What a queued unit costs besides its buffer, so that a flood of tiny units is bounded too. */
const UNIT_OVERHEAD_BYTES = 256;

interface Gop {
  readonly units: AccessUnit[];
  /** Units before this index have left. */
  head: number;
  byteLength: number;
}

export class SinkQueue {
  droppedGops = 0;
  droppedUnits = 0;
  readonly #maxBytes: number;
  readonly #maxUs: number;
  readonly #gops: Gop[] = [];
  #byteLength = 0;
  #lastDtsUs = 0;
  #hasVideo = true;
  /** Before the first random access point, or since the GOP that is arriving was dropped. */
  #gate: 'beginning' | 'open' | 'dropped' = 'beginning';

  constructor(maxBytes = DEFAULT_QUEUE_MAX_BYTES, maxMs = DEFAULT_QUEUE_MAX_MS) {
    this.#maxBytes = maxBytes;
    this.#maxUs = maxMs * 1000;
  }

  get isEmpty(): boolean {
    return this.#gops.length === 0;
  }

  /** Memory held, overhead included. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** From the oldest unit to the newest. */
  get ms(): number {
    const oldest = this.#oldest();
    return oldest === undefined ? 0 : Math.max(0, (this.#lastDtsUs - oldest.dtsUs) / 1000);
  }

  /** A source begins: nothing until its first random access point. What waits stays. */
  restart(hasVideo: boolean): void {
    this.#hasVideo = hasVideo;
    this.#gate = 'beginning';
  }

  /** Whether a unit may be sent or queued; asked once for each, in order. */
  admit(unit: AccessUnit): boolean {
    if (this.#gate === 'open') return true;
    if (this.#beginsGop(unit)) {
      this.#gate = 'open';
      return true;
    }
    if (this.#gate === 'dropped') this.droppedUnits += 1;
    return false;
  }

  /** Copies an admitted unit, or drops it when its GOP has to go. */
  push(unit: AccessUnit): void {
    const beginsGop = this.#beginsGop(unit);
    const headroom = unit.track.kind === 'video' ? ACCESS_UNIT_HEADROOM : 0;
    const byteLength = headroom + unit.data.length + UNIT_OVERHEAD_BYTES;
    while (!this.isEmpty && !this.#hasRoom(byteLength, unit.dtsUs)) {
      this.#dropOldestGop();
      if (this.isEmpty && !beginsGop) {
        this.#refuse();
        return;
      }
    }
    if (byteLength > this.#maxBytes) {
      this.droppedGops += 1;
      this.#refuse();
      return;
    }
    this.#append(copyOf(unit, headroom), byteLength, beginsGop);
  }

  shift(): AccessUnit | undefined {
    const gop = this.#gops[0];
    const unit = gop?.units[gop.head];
    if (gop === undefined || unit === undefined) return undefined;
    const byteLength = this.#byteLengthOf(unit);
    gop.head += 1;
    gop.byteLength -= byteLength;
    this.#byteLength -= byteLength;
    if (gop.head === gop.units.length) this.#gops.shift();
    return unit;
  }

  /** The session is over. */
  clear(): void {
    this.#gops.length = 0;
    this.#byteLength = 0;
    this.#gate = 'beginning';
  }

  #append(unit: AccessUnit, byteLength: number, beginsGop: boolean): void {
    let gop = this.#gops.at(-1);
    if (gop === undefined || beginsGop) {
      gop = { units: [], head: 0, byteLength: 0 };
      this.#gops.push(gop);
    }
    gop.units.push(unit);
    gop.byteLength += byteLength;
    this.#byteLength += byteLength;
    this.#lastDtsUs = unit.dtsUs;
  }

  #dropOldestGop(): void {
    const gop = this.#gops.shift();
    if (gop === undefined) return;
    this.#byteLength -= gop.byteLength;
    this.droppedGops += 1;
    this.droppedUnits += gop.units.length - gop.head;
  }

  /** This unit and all that follow it in its GOP are lost. */
  #refuse(): void {
    this.#gate = 'dropped';
    this.droppedUnits += 1;
  }

  #hasRoom(byteLength: number, dtsUs: number): boolean {
    const oldest = this.#oldest();
    const isTooLong = oldest !== undefined && dtsUs - oldest.dtsUs > this.#maxUs;
    return !isTooLong && this.#byteLength + byteLength <= this.#maxBytes;
  }

  #oldest(): AccessUnit | undefined {
    const gop = this.#gops[0];
    return gop?.units[gop.head];
  }

  #beginsGop(unit: AccessUnit): boolean {
    return unit.track.kind === 'video' ? unit.randomAccess : !this.#hasVideo;
  }

  #byteLengthOf(unit: AccessUnit): number {
    return unit.data.buffer.byteLength + UNIT_OVERHEAD_BYTES;
  }
}

function copyOf(unit: AccessUnit, headroom: number): AccessUnit {
  const data = new Uint8Array(headroom + unit.data.length).subarray(headroom);
  data.set(unit.data);
  const { track, ptsUs, dtsUs, randomAccess } = unit;
  return { track, ptsUs, dtsUs, randomAccess, data, kept: false };
}
