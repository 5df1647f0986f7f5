/** What clients have the broker hold for them, bounded: a topic that nobody clears is held for as long as the service runs. */

/** Home Assistant's status, and what a script or two keep. */
const MAX_TOPICS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

export class ClientsRetained {
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  /** False: there is no room, and it is not to be held. An empty payload gives its room back. */
  accepts(topic: string, payloadBytes: number): boolean {
    const before = this.#bytesOf.get(topic);
    const bytes = payloadBytes === 0 ? 0 : Buffer.byteLength(topic) + payloadBytes;
    const after = this.#bytes - (before ?? 0) + bytes;
    const isFull = after > MAX_BYTES || (before === undefined && this.#bytesOf.size >= MAX_TOPICS);
    if (bytes > 0 && isFull) return false;
    this.#bytes = after;
    if (bytes === 0) this.#bytesOf.delete(topic);
    else this.#bytesOf.set(topic, bytes);
    return true;
  }
}
