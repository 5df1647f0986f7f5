/** A master that keeps what it is sent: access units by their digests, and the times they came with. */
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import type { CodedUnit } from './compare-units.ts';
import { unitOf } from './flv-units.ts';
import { RtmpSink, type RtmpSinkOptions } from './rtmp-sink.ts';

export class KeepingMaster {
  readonly units: CodedUnit[] = [];
  readonly sink: RtmpSink;

  private constructor(sink: RtmpSink) {
    this.sink = sink;
  }

  static async listen(
    options: Pick<RtmpSinkOptions, 'host' | 'port'> = {},
  ): Promise<KeepingMaster> {
    const sink = await RtmpSink.listen({
      ...options,
      onMessage: (_session, message) => master.#keep(message),
    });
    const master = new KeepingMaster(sink);
    return master;
  }

  get pictures(): number {
    return this.units.filter(({ kind }) => kind === 'video').length;
  }

  /** What every publisher said, in order. */
  get commandNames(): string[] {
    return this.sink.history.flatMap((session) => session.commandNames);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink.close();
  }

  #keep({ typeId, timestampMs, payload }: RtmpMessage): void {
    if (typeId !== MessageType.video && typeId !== MessageType.audio) return;
    const unit = unitOf({ type: typeId, timestampMs, body: payload.slice() });
    if (unit !== undefined) this.units.push(unit);
  }
}
