/**
 * A camera or encoder that sends its stream as the body of an HTTP answer without end: FLV, as Reolink
 * cameras and most streaming servers do, or MPEG-TS, as encoders do.
 */
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { concat } from '../../codecs/bytes.ts';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { FlvReader } from '../../codecs/flv/flv-reader.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import { parseSourceUrl, type SourceUrl } from '../../protocols/source-url.ts';
import type { SourceDescription } from '../catalog.ts';
import { type DriverContext, emptyStats, type SourceStats, type StreamDriver } from '../driver.ts';
import { CredentialChooser } from '../onvif/credential-chooser.ts';
import { getStream, HTTP_PORTS } from './http-request.ts';
import { formatOf } from './http-stream-format.ts';

/** What reads the body, once its format is known. */
interface StreamReader {
  push(chunk: Uint8Array): void;
  /** The body has ended. */
  flush(): void;
  readCounters(into: SourceStats): void;
  readonly notes: readonly string[];
}

export class HttpEncoder implements StreamDriver {
  readonly #description: SourceDescription;
  readonly #source: SourceUrl;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  readonly #chooser: CredentialChooser;
  #reader: StreamReader | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(description: SourceDescription, context: DriverContext) {
    this.#description = description;
    this.#source = parseSourceUrl(description.url, HTTP_PORTS);
    const { credentials = this.#source.credentials } = description;
    this.#chooser = new CredentialChooser(
      credentials === undefined ? [] : [credentials],
      context.now,
    );
    this.#context = context;
  }

  get stats(): SourceStats {
    this.#reader?.readCounters(this.#stats);
    return this.#stats;
  }

  get notes(): readonly string[] {
    return this.#reader?.notes ?? [];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    Object.assign(this.#stats, emptyStats());
    this.#reader = undefined;
    // Aborted by us, too, so that nothing stays open.
    const over = new AbortController();
    try {
      const life = AbortSignal.any([signal, over.signal]);
      const response = await this.#get(life);
      this.#stats.transport = 'tcp';
      await this.#read(response, sink);
      if (this.#stats.receivedBytes === 0) {
        throw new ProtocolError(
          'HTTP_EMPTY',
          'it closed the connection before it sent anything. Are user and password in the URL right, and is the stream enabled?',
        );
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      over.abort();
      sink.stop();
    }
  }

  /** Throws while refused logins are on hold, without touching the device. */
  async #get(signal: AbortSignal): Promise<IncomingMessage> {
    const { tls } = this.#description;
    const credentials = this.#chooser.next();
    try {
      const response = await getStream({ source: this.#source, credentials, tls }, signal);
      this.#chooser.worked(credentials);
      return response;
    } catch (error) {
      const isRefused = error instanceof AuthenticationError && error.credentialsSent;
      if (isRefused) this.#chooser.refused(credentials);
      throw error;
    }
  }

  /** Settles at the end of the body. */
  #read(response: IncomingMessage, sink: StreamSink): Promise<void> {
    const contentType = response.headers['content-type'] ?? '';
    let first: Uint8Array = new Uint8Array(0);
    return new Promise((resolve, reject) => {
      /** Everything a device can provoke ends this attempt, and nothing else. */
      const guarded = (work: () => void) => {
        try {
          work();
        } catch (error) {
          response.destroy();
          reject(error);
        }
      };
      const sniff = (chunk: Uint8Array, isComplete: boolean) => {
        first = concat(first, chunk);
        if (first.length === 0) return;
        this.#reader = this.#openReader(first, contentType, isComplete, sink);
        if (this.#reader === undefined) return;
        this.#reader.push(first);
        first = new Uint8Array(0);
      };
      response.on('data', (chunk: Uint8Array) => {
        guarded(() => {
          this.#stats.receivedBytes += chunk.length;
          if (this.#reader === undefined) sniff(chunk, false);
          else this.#reader.push(chunk);
        });
      });
      response.on('end', () => {
        guarded(() => {
          if (this.#reader === undefined) sniff(new Uint8Array(0), true);
          this.#reader?.flush();
        });
        resolve();
      });
      response.on('error', reject);
      response.on('close', () => reject(closedByServer()));
    });
  }

  /** undefined while it cannot be told what comes. */
  #openReader(
    first: Uint8Array,
    contentType: string,
    isComplete: boolean,
    sink: StreamSink,
  ): StreamReader | undefined {
    const format = formatOf(first, contentType, isComplete);
    switch (format?.at) {
      case undefined:
        return undefined;
      case 'flv':
        this.#context.log.debug('the body is FLV');
        return new HttpFlv(sink);
      case 'mpegts':
        this.#context.log.debug('the body is MPEG-TS');
        return new HttpMpegts(sink, this.#description.program);
      case 'other':
        throw noStream(`it sends ${format.words}, not FLV or MPEG-TS`, format.isMedia);
      case 'unknown':
        throw noStream('what it sends is neither FLV nor MPEG-TS', false);
    }
  }
}

class HttpFlv implements StreamReader {
  readonly #demuxer: FlvDemuxer;
  readonly #reader: FlvReader;
  #tags = 0;

  constructor(sink: StreamSink) {
    this.#demuxer = new FlvDemuxer(sink, () => performance.now());
    this.#reader = new FlvReader((type, timestampMs, body) => {
      this.#tags += 1;
      return this.#demuxer.push(type, timestampMs, body);
    });
  }

  get notes(): readonly string[] {
    return this.#demuxer.notes;
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** A tag is whole or it is not: nothing is held back. */
  flush(): void {}

  readCounters(into: SourceStats): void {
    into.receivedPackets = this.#tags;
    this.#demuxer.readCounters(into);
  }
}

class HttpMpegts implements StreamReader {
  readonly #demuxer: TsDemuxer;

  constructor(sink: StreamSink, program: number | undefined) {
    this.#demuxer = new TsDemuxer({ sink, program, now: () => performance.now() });
  }

  get notes(): readonly string[] {
    return this.#demuxer.notes;
  }

  push(chunk: Uint8Array): void {
    this.#demuxer.push(chunk, 0, chunk.length);
  }

  flush(): void {
    this.#demuxer.flush();
  }

  readCounters(into: SourceStats): void {
    this.#demuxer.readCounters(into);
  }
}

/** A web page may be gone when the device has booted; a device that sends JPEG goes on sending JPEG. */
function noStream(words: string, isMedia: boolean): Error {
  return isMedia ? new UnsupportedError(words) : new ProtocolError('HTTP_NO_STREAM', words);
}

function closedByServer(): Error {
  return Object.assign(new Error('the device closed the connection'), { code: 'ECONNRESET' });
}
