/**
 * A player's stream at our RTMP server that plays a file: paused, sought, ended as Flash Media Server did it. Units leave as fast as they
 * play, so many ahead as the player wants to buffer; never more than its socket takes.
 *
 * One loop reads, waits and sends; the player's wishes are noted and wake it, so that nothing in it happens at once.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { equalBytes } from '../../codecs/bytes.ts';
import { serializeAmf0 } from '../../codecs/flv/amf0.ts';
import type { HevcForm } from '../../codecs/flv/video-tag.ts';
import type { Track } from '../../codecs/track.ts';
import { ChunkStreamId, serializeMessage } from '../../protocols/rtmp/chunk-writer.ts';
import { MessageType } from '../../protocols/rtmp/message.ts';
import { SERVER_CHUNK_SIZE } from '../../protocols/rtmp/server-session.ts';
import type { ServerStream, StreamUse } from '../../protocols/rtmp/server-stream.ts';
import { RtmpFramer } from '../viewers/rtmp-framer.ts';
import { VodError, type VodFile } from './vod-file.ts';

/** Of players that do not say how much they buffer; and the least, for a network is never even. */
const MIN_AHEAD_MS = 3_000;
/** What a socket may hold: half a second at 8 Mbit/s. Those who want the whole file at once get it at their own pace. */
const MAX_BACKLOG_BYTES = 512 * 1024;
/** How often a full socket is looked at. */
const BACKLOG_POLL_MS = 20;
/** No wait is longer: a player may want to buffer more at any time. */
const MAX_WAIT_MS = 500;

export interface RtmpVodContext {
  readonly open: () => Promise<VodFile>;
  /** Waited for before it is opened: the file that this stream played before is closed. */
  readonly ready?: Promise<void> | undefined;
  /** As the player said it. */
  readonly name: string;
  readonly startMs: number;
  /** undefined: to the end of the file. */
  readonly lengthMs: number | undefined;
  readonly hevcForm: HevcForm;
  readonly backlogBytes: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** It cannot be read any more, in words for the log. */
  readonly onProblem: (error: unknown) => void;
}

export class RtmpVodPlaying implements StreamUse {
  readonly #stream: ServerStream;
  readonly #context: RtmpVodContext;
  #isPaused = false;
  #isClosed = false;
  /** Where the player wants to be. */
  #soughtMs: number | undefined;
  #wake: () => void = () => undefined;

  constructor(stream: ServerStream, context: RtmpVodContext) {
    this.#stream = stream;
    this.#context = context;
  }

  /** Settles when it is closed. */
  async run(): Promise<void> {
    let file: VodFile | undefined;
    try {
      await this.#context.ready;
      // Any number of wishes may have come meanwhile; only the last is opened.
      if (this.#isClosed) return;
      file = await this.#context.open();
      if (!this.#isClosed) await this.#play(file);
    } catch (error) {
      this.#tellProblem(error);
    } finally {
      await file?.close().catch((error: unknown) => this.#context.onProblem(error));
    }
  }

  /** Players send none. */
  media(): void {}

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    const { name } = this.#context;
    if (isPaused) this.#stream.status('status', 'Pause.Notify', `Paused ${name}.`);
    else this.#stream.status('status', 'Unpause.Notify', `Unpaused ${name}.`);
    this.#wake();
  }

  seek(timeMs: number): void {
    this.#soughtMs = timeMs;
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async #play(file: VodFile): Promise<void> {
    const { startMs, lengthMs, name } = this.#context;
    const player = new Playhead(this.#stream, file, this.#context);
    await player.begin(startMs);
    if (this.#isClosed) return;
    this.#stream.recorded();
    this.#stream.begin();
    this.#stream.status('status', 'Play.Reset', `Playing and resetting ${name}.`);
    this.#stream.status('status', 'Play.Start', `Started playing ${name}.`);
    let endMs = lengthMs === undefined ? Number.POSITIVE_INFINITY : startMs + lengthMs;
    while (!this.#isClosed) {
      if (this.#soughtMs !== undefined) {
        const soughtMs = this.#soughtMs;
        this.#soughtMs = undefined;
        await player.moveTo(soughtMs);
        endMs = Number.POSITIVE_INFINITY;
        this.#tellSought(soughtMs);
      } else if (this.#isPaused || player.isOver) {
        player.stand();
        await this.#woken();
      } else {
        await this.#step(player, endMs);
      }
    }
  }

  async #step(player: Playhead, endMs: number): Promise<void> {
    await player.load();
    const waitMs = player.waitMs();
    if (waitMs > 0) await this.#woken(waitMs);
    else if (player.isAt(endMs)) player.finish();
    else player.send();
  }

  #tellSought(ms: number): void {
    if (this.#isClosed) return;
    const { name } = this.#context;
    this.#stream.begin();
    this.#stream.status('status', 'Seek.Notify', `Seeking ${Math.round(ms)} in ${name}.`);
    this.#stream.status('status', 'Play.Start', `Started playing ${name}.`);
  }

  #tellProblem(error: unknown): void {
    this.#context.onProblem(error);
    if (this.#isClosed) return;
    const isMissing = error instanceof VodError && error.code === 'not-found';
    const words = error instanceof VodError ? error.message : 'this file cannot be read';
    this.#stream.status('error', isMissing ? 'Play.StreamNotFound' : 'Play.Failed', words);
  }

  /** By the player, or after that time. */
  async #woken(ms?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}

/** Where a player is in the file, and what it has been sent. */
class Playhead {
  readonly #stream: ServerStream;
  readonly #file: VodFile;
  readonly #context: RtmpVodContext;
  #framer: RtmpFramer;
  #isHeaderSent = false;
  #tracks: readonly Track[];
  /** Read, and not sent yet. */
  #unit: AccessUnit | undefined;
  #isEnded = false;
  /** A moment of the clock, and the time of the file that plays then. */
  #startedAtMs: number | undefined;
  #startedFromMs = 0;
  #standsSinceMs: number | undefined;
  #sentBytes = 0;

  constructor(stream: ServerStream, file: VodFile, context: RtmpVodContext) {
    this.#stream = stream;
    this.#file = file;
    this.#context = context;
    this.#framer = this.#newFramer(0);
    this.#tracks = file.tracks;
  }

  /** It has been told that it is. */
  get isOver(): boolean {
    return this.#isEnded;
  }

  /** Times count from there, as Flash Media Server had it: librtmp adds the start. */
  async begin(ms: number): Promise<void> {
    await this.#goTo(ms, true);
  }

  /** Times are those of the file from now on. */
  async moveTo(ms: number): Promise<void> {
    await this.#goTo(ms, false);
  }

  async #goTo(ms: number, isStart: boolean): Promise<void> {
    const placeMs = await this.#file.seek(ms);
    this.#unit = undefined;
    this.#isEnded = false;
    this.#startedAtMs = undefined;
    this.#standsSinceMs = undefined;
    // Times may go back with it.
    this.#framer = this.#newFramer(isStart ? placeMs * 1000 : 0);
    this.#framer.start(this.#tracks);
    this.#isHeaderSent = false;
  }

  #newFramer(baseUs: number): RtmpFramer {
    return new RtmpFramer(this.#context.hevcForm, { durationMs: this.#file.durationMs, baseUs });
  }

  /** The clock stands from now on, until the next unit is asked for. */
  stand(): void {
    this.#standsSinceMs ??= this.#context.now();
  }

  async load(): Promise<void> {
    if (this.#standsSinceMs !== undefined && this.#startedAtMs !== undefined) {
      this.#startedAtMs += this.#context.now() - this.#standsSinceMs;
    }
    this.#standsSinceMs = undefined;
    this.#unit ??= await this.#file.read();
  }

  /** Until the unit may be sent. */
  waitMs(): number {
    const { backlogBytes, now } = this.#context;
    if (backlogBytes() > MAX_BACKLOG_BYTES) return BACKLOG_POLL_MS;
    if (this.#unit === undefined) return 0;
    const unitMs = this.#unit.dtsUs / 1000;
    if (this.#startedAtMs === undefined) {
      this.#startedAtMs = now();
      this.#startedFromMs = unitMs;
    }
    const playedMs = this.#startedFromMs + now() - this.#startedAtMs;
    const aheadMs = Math.max(MIN_AHEAD_MS, this.#stream.bufferMs);
    return Math.min(Math.max(0, Math.ceil(unitMs - playedMs - aheadMs)), MAX_WAIT_MS);
  }

  /** The file is over, or what was asked for of it. */
  isAt(endMs: number): boolean {
    return this.#unit === undefined || this.#unit.dtsUs / 1000 >= endMs;
  }

  send(): void {
    const unit = this.#unit;
    if (unit === undefined) return;
    this.#unit = undefined;
    if (!this.#tracks.includes(unit.track)) this.#changeTrack(unit.track);
    if (!this.#isHeaderSent) {
      this.#isHeaderSent = true;
      this.#sendBytes(this.#framer.header());
    }
    this.#sendBytes(this.#framer.frame(unit));
  }

  /** As Flash Media Server ends a recording. */
  finish(): void {
    this.#isEnded = true;
    const info = {
      level: 'status',
      code: 'NetStream.Play.Complete',
      duration: this.#file.durationMs / 1000,
      bytes: this.#sentBytes,
    };
    const message = {
      typeId: MessageType.dataAmf0,
      timestampMs: 0,
      messageStreamId: 1,
      payload: serializeAmf0('onPlayStatus', info),
    };
    this.#stream.send(serializeMessage(message, ChunkStreamId.data, SERVER_CHUNK_SIZE));
    const words = `Stopped playing ${this.#context.name}.`;
    this.#stream.status('status', 'Play.Stop', words);
    this.#stream.eof();
  }

  /** FLV tells its tracks anew behind each seek: what is the same is not sent twice. */
  #changeTrack(track: Track): void {
    const before = this.#framer.header();
    const others = this.#tracks.filter(({ kind }) => kind !== track.kind);
    this.#tracks = track.kind === 'video' ? [track, ...others] : [...others, track];
    this.#framer.start(this.#tracks);
    const header = this.#framer.header();
    const isSame = before !== undefined && header !== undefined && equalBytes(before, header);
    if (!isSame) this.#isHeaderSent = false;
  }

  #sendBytes(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    this.#sentBytes += bytes.length;
    this.#stream.send(bytes);
  }
}
