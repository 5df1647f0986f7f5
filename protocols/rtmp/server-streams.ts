/** The message streams of one client: few, each with the lowest number that is free. RTMP 1.0 §7.2.1.3. */
import { ServerStream, type ServerStreamCarrier } from './server-stream.ts';

export class ServerStreams {
  readonly #carrier: ServerStreamCarrier;
  readonly #maxStreams: number;
  readonly #streams = new Map<number, ServerStream>();

  constructor(carrier: ServerStreamCarrier, maxStreams: number) {
    this.#carrier = carrier;
    this.#maxStreams = maxStreams;
  }

  /** A number that was never given is meant for the only stream there is: some encoders send on 0. */
  find(id: number): ServerStream | undefined {
    return this.#streams.get(id) ?? this.#only();
  }

  /** undefined when there are as many as there may be. */
  make(): ServerStream | undefined {
    if (this.#streams.size >= this.#maxStreams) return undefined;
    let id = 1;
    while (this.#streams.has(id)) id += 1;
    const stream = new ServerStream(id, this.#carrier);
    this.#streams.set(id, stream);
    return stream;
  }

  delete(id: number, words: string): void {
    this.#streams.get(id)?.release(words);
    this.#streams.delete(id);
  }

  clear(words: string): void {
    for (const stream of this.#streams.values()) stream.release(words);
    this.#streams.clear();
  }

  #only(): ServerStream | undefined {
    if (this.#streams.size !== 1) return undefined;
    for (const stream of this.#streams.values()) return stream;
    return undefined;
  }
}
