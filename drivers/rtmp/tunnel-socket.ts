/**
 * RTMP through HTTP as a client (`protocols/rtmp/tunnel-request.ts` has the dialogue): what is written goes out in POSTs, one
 * at a time; their answers bring what the server says; when there is nothing to say the server is polled.
 */
import { EventEmitter } from 'node:events';
import { ParseError } from '../../codecs/errors.ts';
import { pollIntervalMs } from '../../protocols/rtmp/tunnel-answer.ts';
import type { RtmpSocket } from './rtmp-socket.ts';
import { HungUp, type TunnelAddress, TunnelHttp } from './tunnel-http.ts';

/** Web servers take a megabyte by default (nginx); less would want many round trips for a picture. */
const MAX_POST_BYTES = 256 * 1024;
/**
 * What is written counts as taken up to here, as with a kernel's send buffer: several pictures may ride in one POST, else one
 * round trip would be spent on each.
 */
const SEND_BUFFER_BYTES = 256 * 1024;
const MAX_NAME_BYTES = 128;
/** The body of all requests but `send`. */
const NOTHING = Uint8Array.of(0);

interface Written {
  readonly bytes: Uint8Array;
  readonly flushed: (() => void) | undefined;
}

interface TunnelEvents {
  error: [Error];
  end: [];
  close: [];
}

export class TunnelSocket extends EventEmitter<TunnelEvents> implements RtmpSocket {
  destroyed = false;
  readonly #http: TunnelHttp;
  readonly #onData: (bytes: Uint8Array) => void;
  readonly #life = new AbortController();
  #name: string | undefined;
  #sequence = 0;
  #written: Written[] = [];
  #writtenBytes = 0;
  #isEnding = false;
  #pollMs = pollIntervalMs(1);
  /** Ends the wait for something to say. */
  #wake: (() => void) | undefined;

  constructor(address: TunnelAddress, onData: (bytes: Uint8Array) => void) {
    super();
    this.#http = new TunnelHttp(address);
    this.#onData = onData;
  }

  get writableLength(): number {
    return this.#writtenBytes <= SEND_BUFFER_BYTES ? 0 : this.#writtenBytes;
  }

  /** Throws and leaves nothing open. */
  async open(signal: AbortSignal): Promise<void> {
    const name: Uint8Array[] = [];
    let nameBytes = 0;
    const onBody = (bytes: Uint8Array) => {
      nameBytes += bytes.length;
      if (nameBytes <= MAX_NAME_BYTES) name.push(new Uint8Array(bytes));
    };
    try {
      await this.#http.post('/open/1', [NOTHING], onBody, signal);
      this.#name = readName(Buffer.concat(name));
    } catch (error) {
      this.destroy();
      throw error;
    }
    setImmediate(() => void this.#run());
  }

  write(bytes: Uint8Array, flushed?: () => void): boolean {
    if (this.destroyed || this.#isEnding) return false;
    this.#written.push({ bytes: new Uint8Array(bytes), flushed });
    this.#writtenBytes += bytes.length;
    // With all that is written in this turn of the event loop.
    setImmediate(() => this.#wake?.());
    return this.writableLength === 0;
  }

  cork(): void {}

  uncork(): void {}

  end(): void {
    this.#isEnding = true;
    this.#wake?.();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#life.abort(new Error('closed'));
    this.#wake?.();
    this.#http.close(this.#name === undefined ? undefined : this.#pathOf('close'), NOTHING);
    this.#written = [];
    setImmediate(() => this.emit('close'));
  }

  /** Until nothing is to be said any more; never throws. */
  async #run(): Promise<void> {
    try {
      while (!this.destroyed) {
        if (this.#written.length > 0) await this.#send();
        else if (this.#isEnding) break;
        else if (await this.#isPollDue()) await this.#exchange('idle', [NOTHING]);
      }
    } catch (error) {
      if (this.destroyed) return;
      if (error instanceof HungUp) this.emit('end');
      else this.emit('error', error instanceof Error ? error : new Error(String(error)));
    }
    this.destroy();
  }

  async #send(): Promise<void> {
    const taken = this.#take();
    await this.#exchange(
      'send',
      taken.map(({ bytes }) => bytes),
    );
    for (const { bytes, flushed } of taken) {
      this.#writtenBytes -= bytes.length;
      if (!this.destroyed) flushed?.();
    }
  }

  /** As much as one POST may carry; at least something. */
  #take(): Written[] {
    let byteLength = 0;
    let count = 0;
    for (const { bytes } of this.#written) {
      if (count > 0 && byteLength + bytes.length > MAX_POST_BYTES) break;
      byteLength += bytes.length;
      count += 1;
      if (byteLength >= MAX_POST_BYTES) break;
    }
    return this.#written.splice(0, count);
  }

  async #exchange(command: 'send' | 'idle', body: readonly Uint8Array[]): Promise<void> {
    const path = this.#pathOf(command);
    let isFirst = true;
    const onBody = (bytes: Uint8Array) => {
      const [interval] = bytes;
      if (isFirst && interval !== undefined) this.#pollMs = pollIntervalMs(interval);
      const data = isFirst ? bytes.subarray(1) : bytes;
      isFirst = false;
      if (data.length > 0 && !this.destroyed) this.#onData(data);
    };
    await this.#http.post(path, body, onBody, this.#life.signal);
  }

  /** Waits; false when there is something else to do by then. */
  async #isPollDue(): Promise<boolean> {
    let isDue = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        isDue = true;
        resolve();
      }, this.#pollMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    return isDue;
  }

  #pathOf(command: 'send' | 'idle' | 'close'): string {
    const path = `/${command}/${this.#name}/${this.#sequence}`;
    this.#sequence += 1;
    return path;
  }
}

function readName(body: Uint8Array): string {
  const name = new TextDecoder('latin1').decode(body).trim();
  if (/^[\w.~-]{1,128}$/.test(name)) return name;
  throw new ParseError('it answered the opening of a tunnel with no name of a session');
}
