/** Turns a stream's running counters into rates over a period. */
import type { Stream } from './hub/stream.ts';

export class StreamMeter {
  readonly #stream: Stream;
  #videoUnits = 0;
  #videoBytes = 0;
  #audioBytes = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  read(periodMs: number) {
    const { videoUnits, videoBytes, audioUnits, audioBytes, gopUs } = this.#stream.counters;
    const rates = {
      videoKbps: Math.round(((videoBytes - this.#videoBytes) * 8) / periodMs),
      audioKbps: Math.round(((audioBytes - this.#audioBytes) * 8) / periodMs),
      fps: Math.round(((videoUnits - this.#videoUnits) * 10_000) / periodMs) / 10,
      gopMs: gopUs === undefined ? null : Math.round(gopUs / 1000),
      units: videoUnits + audioUnits,
      bytes: videoBytes + audioBytes,
    };
    this.#videoUnits = videoUnits;
    this.#videoBytes = videoBytes;
    this.#audioBytes = audioBytes;
    return rates;
  }
}
