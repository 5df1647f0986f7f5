/** Pictures that wait until the stream may start. They are copied, because units are lent. */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';

/** Two seconds at 32 Mbit/s. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

export class HeldUnits {
  #units: AccessUnit[] = [];
  #byteLength = 0;

  get isFull(): boolean {
    return this.#byteLength >= MAX_HELD_BYTES;
  }

  push(unit: AccessUnit): void {
    const data = new Uint8Array(ACCESS_UNIT_HEADROOM + unit.data.length);
    data.set(unit.data, ACCESS_UNIT_HEADROOM);
    this.#units.push({ ...unit, data: data.subarray(ACCESS_UNIT_HEADROOM) });
    this.#byteLength += data.length;
  }

  release(sink: StreamSink): void {
    for (const unit of this.#units) sink.write(unit);
    this.#units = [];
    this.#byteLength = 0;
  }
}
