/** An encoder that serves MPEG-TS over plain TCP: connect, and it sends. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import { SHARED_READ_BUFFER } from '../camera/shared-read-buffer.ts';
import type { SourceDescription } from '../catalog.ts';
import { deferred } from '../deferred.ts';
import { dial } from '../dial.ts';
import { type DriverContext, emptyStats, type SourceStats, type StreamDriver } from '../driver.ts';
import { type MpegtsUrl, parseMpegtsUrl } from './mpegts-url.ts';

export class MpegtsTcpEncoder implements StreamDriver {
  readonly #source: MpegtsUrl;
  readonly #description: SourceDescription;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  #demuxer: TsDemuxer | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(description: SourceDescription, context: DriverContext) {
    this.#source = parseMpegtsUrl(description.url);
    this.#description = description;
    this.#context = context;
  }

  get stats(): SourceStats {
    this.#demuxer?.readCounters(this.#stats);
    return this.#stats;
  }

  get notes(): readonly string[] {
    return this.#demuxer?.notes ?? [];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    Object.assign(this.#stats, emptyStats(), { transport: 'tcp' });
    const { program } = this.#description;
    const demuxer = new TsDemuxer({ sink, program, now: () => performance.now() });
    this.#demuxer = demuxer;
    try {
      await this.#read(demuxer, signal);
      demuxer.flush();
    } finally {
      sink.stop();
    }
  }

  /** Settles when the encoder closes the connection. */
  async #read(demuxer: TsDemuxer, signal: AbortSignal): Promise<void> {
    const over = deferred();
    const { host = '', port } = this.#source;
    const onread = {
      buffer: SHARED_READ_BUFFER,
      callback: (byteLength: number) => {
        try {
          demuxer.push(SHARED_READ_BUFFER, 0, byteLength);
        } catch (error) {
          over.reject(error);
          socket?.destroy();
        }
        return true;
      },
    };
    const abort = () => over.reject(signal.reason);
    let socket: Socket | undefined;
    try {
      socket = await dial({ host, port, onread }, signal);
      this.#context.log.debug({ host, port }, 'connected');
      socket.on('error', over.reject);
      socket.on('close', over.resolve);
      socket.on('end', over.resolve);
      signal.addEventListener('abort', abort, { once: true });
      await over.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      socket?.destroy();
    }
  }
}
