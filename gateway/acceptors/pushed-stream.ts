/**
 * One name under which others push a stream in: who pushes it now, and what people are told about it. The name
 * outlives its publisher for a while, so that links and players wait for its return.
 */
import type { Logger } from 'pino';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { describeTrack } from '../../codecs/describe-track.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { FirstUnitSink } from '../first-unit-sink.ts';
import type { Stream } from '../hub/stream.ts';
import type { Board } from '../report/board.ts';
import type { CauseCode, StreamState } from '../report/status.ts';
import { StreamMeter } from '../stream-meter.ts';

/** A publisher that sends not a byte for so long is gone, whatever its socket says. */
export const SILENCE_MS = 30_000;

/** Who pushes; see `Publications.open`. */
export interface Publisher {
  /** As the publisher said it. */
  readonly name: string;
  /** For people: "RTMP". */
  readonly protocol: string;
  /** Its address, for people. */
  readonly peer: string;
  /** The gateways that the stream came through. */
  readonly via: readonly string[];
  readonly publishType: 'live' | 'record' | 'append';
  /** What happens to it when another comes with the same name. */
  readonly duplicate: 'reject' | 'replace';
  /** It was ended from here: close its session. Not called after `Publication.close`. */
  readonly end: (words: string) => void;
}

export interface PushedStreamContext {
  readonly board: Board;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly stallMs: number;
}

/** A publisher's hold on a name: media goes in here. After `close` nothing is taken any more. */
export interface Publication extends StreamSink {
  /** What it is called here, which may not be what the publisher said. */
  readonly name: string;
  /** Bytes came, whatever they held. */
  received(byteLength: number): void;
  /** The publisher is gone; `words` say why, for people. */
  close(words: string): void;
}

interface Current {
  readonly publisher: Publisher;
  readonly sink: FirstUnitSink;
  receivedBytes: number;
  heardAtMs: number;
  close: (words: string) => void;
}

export class PushedStream {
  readonly stream: Stream;
  /** When the last publisher went; undefined while there is one. */
  idleSinceMs: number | undefined;
  /** Pictures or sound have come, whoever published it, if only in an earlier life of the service. */
  wasOnline = false;
  readonly #context: PushedStreamContext;
  readonly #log: Logger;
  readonly #meter: StreamMeter;
  #current: Current | undefined;
  #state: StreamState = 'connecting';
  #code: CauseCode = 'no-source';
  #since: string;
  #units = 0;
  #lastUnitAtMs: number | undefined;
  #publishers = 0;

  constructor(stream: Stream, context: PushedStreamContext) {
    this.stream = stream;
    this.#context = context;
    this.#log = context.log.child({ stream: stream.name });
    this.#meter = new StreamMeter(stream);
    this.#since = this.#iso(context.now());
    this.idleSinceMs = context.now();
    stream.on('tracks', this.#tellInfo);
    this.#tell('connecting', 'no-source', 'Waiting for somebody to publish it.');
  }

  get publisher(): Publisher | undefined {
    return this.#current?.publisher;
  }

  /** Begins sentences about it. */
  get who(): string {
    const { publisher } = this;
    return publisher === undefined ? `Whoever publishes ${this.stream.name}` : whoOf(publisher);
  }

  /** `closed` is called once, when this publisher's hold ends. */
  open(publisher: Publisher, closed: () => void): Publication {
    const { stream } = this;
    const who = whoOf(publisher);
    stream.via = publisher.via;
    const current: Current = {
      publisher,
      sink: new FirstUnitSink(stream, () => this.#online(publisher)),
      receivedBytes: 0,
      heardAtMs: this.#context.now(),
      close: (words) => {
        if (this.#current !== current) return;
        this.#current = undefined;
        stream.stop();
        closed();
        this.idleSinceMs = this.#context.now();
        this.#tell('unreachable', 'ended', `${who} has gone: ${words}. Waiting for its return.`);
        this.#log.info({ peer: publisher.peer, words }, 'publisher gone');
        this.#event('down', `${who} has gone: ${words}.`);
      },
    };
    this.#current = current;
    this.idleSinceMs = undefined;
    this.#publishers += 1;
    this.#tell('connecting', 'starting', `${who} is connected; waiting for its first picture.`);
    this.#tellInfo();
    this.#log.info({ peer: publisher.peer, protocol: publisher.protocol }, 'publisher');
    const isCurrent = () => this.#current === current;
    return {
      name: stream.name,
      start: (tracks: readonly Track[]) => {
        if (isCurrent()) current.sink.start(tracks);
      },
      write: (unit: AccessUnit) => {
        if (isCurrent()) current.sink.write(unit);
      },
      stop: () => {
        if (isCurrent()) current.sink.stop();
      },
      received: (byteLength) => {
        current.receivedBytes += byteLength;
      },
      close: current.close,
    };
  }

  /** Ends the publisher's session from here, and its hold on the name. */
  end(words: string): void {
    const current = this.#current;
    if (current === undefined) return;
    current.close(words);
    current.publisher.end(words);
  }

  /** Once a second. */
  tick(nowMs: number): void {
    const { videoUnits, audioUnits } = this.stream.counters;
    const units = videoUnits + audioUnits;
    const current = this.#current;
    if (units !== this.#units) {
      this.#units = units;
      this.#lastUnitAtMs = nowMs;
      if (current !== undefined && this.#state === 'stalled') this.#online(current.publisher);
    }
    if (current === undefined) return;
    if (current.receivedBytes > 0) current.heardAtMs = nowMs;
    current.receivedBytes = 0;
    if (nowMs - current.heardAtMs >= SILENCE_MS) {
      this.end(`it has sent nothing for ${SILENCE_MS / 1000} s`);
    } else if (this.#isStalled(nowMs)) {
      this.#stalled(current.publisher);
    }
  }

  /** Every `periodMs`. */
  tellStats(periodMs: number): void {
    const { board } = this.#context;
    const { name, viewers } = this.stream;
    board.setStreamStats(name, {
      ...this.#meter.read(periodMs),
      lostPackets: 0,
      damagedUnits: 0,
      jitterMs: 0,
      reconnects: Math.max(0, this.#publishers - 1),
      viewers,
    });
    if (this.#lastUnitAtMs !== undefined) board.touchStream(name, this.#iso(this.#lastUnitAtMs));
  }

  /** The name is given up. */
  forget(): void {
    this.stream.off('tracks', this.#tellInfo);
    this.#context.board.removeStream(this.stream.name);
  }

  #isStalled(nowMs: number): boolean {
    if (this.#state !== 'online') return false;
    return nowMs - (this.#lastUnitAtMs ?? nowMs) >= this.#context.stallMs;
  }

  #online(publisher: Publisher): void {
    this.#lastUnitAtMs = this.#context.now();
    this.wasOnline = true;
    this.#tell('online', 'ok', 'Pictures are arriving.');
    this.#tellInfo();
    this.#event('online', `${this.stream.name} is online, from ${publisher.peer}.`);
  }

  #stalled(publisher: Publisher): void {
    const seconds = Math.round(this.#context.stallMs / 1000);
    const words = `${whoOf(publisher)} is connected but has sent no picture for ${seconds} s.`;
    this.#tell('stalled', 'no-data', words);
    this.#log.warn({ code: 'no-data', reason: words }, 'stream down');
    this.#event('down', words);
  }

  #tell(state: StreamState, code: CauseCode, reason: string): void {
    if (state !== this.#state) this.#since = this.#iso(this.#context.now());
    this.#state = state;
    this.#code = code;
    this.#context.board.setStreamStatus(this.stream.name, {
      state,
      code: this.#code,
      reason,
      since: this.#since,
      lastFrameAt: this.#lastUnitAtMs === undefined ? null : this.#iso(this.#lastUnitAtMs),
      attempts: 0,
      nextRetryAt: null,
    });
  }

  readonly #tellInfo = (): void => {
    const publisher = this.#current?.publisher;
    if (publisher === undefined) return;
    const { name, tracks } = this.stream;
    const renamed =
      publisher.name === name
        ? {}
        : { notes: [`It was published as "${publisher.name.slice(0, 100)}".`] };
    this.#context.board.setStreamInfo(name, {
      source: `${publisher.protocol} publisher at ${publisher.peer}`,
      ...renamed,
      tracks: tracks.map(describeTrack),
    });
  };

  #event(type: string, message: string): void {
    const at = this.#iso(this.#context.now());
    this.#context.board.emit('event', { at, type, stream: this.stream.name, message });
  }

  #iso(ms: number): string {
    return new Date(ms).toISOString();
  }
}

function whoOf({ protocol, peer }: Publisher): string {
  return `The ${protocol} publisher at ${peer}`;
}
