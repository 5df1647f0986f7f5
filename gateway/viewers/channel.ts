/**
 * One stream and its viewers of one protocol. Sound waits for the next picture and leaves in one block with it, copied
 * once for all viewers: a write to a socket costs more than anything else here, and pictures with sound
 * would be three writes.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { equalBytes } from '../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { sendToAll } from '../../drivers/send-to-all.ts';
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import { AwaitedPicture } from './awaited-picture.ts';
import type { FanOutContext, Framer, Viewer, Viewing } from './fan-out.ts';
import { FramedGop } from './framed-gop.ts';
import { type Offer, Seat, STALL_MS } from './seat.ts';

/** Sound waits this long for a picture: two and a half pictures at 25 fps. */
const MAX_SOUND_WAIT_US = 100_000;

export class Channel implements StreamSink {
  readonly #hub: Hub;
  readonly #name: string;
  readonly #framer: Framer;
  readonly #context: FanOutContext;
  readonly #emptied: () => void;
  readonly #gop = new FramedGop();
  readonly #awaitedPicture = new AwaitedPicture();
  #subscription: Disposable | undefined;
  #seats: readonly Seat[] = [];
  /** That `viewers` was told to. */
  #counted: Stream | undefined;
  #isOnline = false;
  #tracks: readonly Track[] = [];
  #videoTrack: Track | undefined;
  #audioTrack: Track | undefined;
  /** Keyframes begin GOPs; else every unit of sound is one, and pictures are left out until a keyframe comes. */
  #hasVideo = false;
  #header: Buffer | undefined;
  /** The parameter sets can be read. */
  #isReadable = false;
  #sound: Buffer[] = [];
  #soundSinceUs = 0;
  #heldBytes = 0;
  #emptySinceMs: number;

  /** `emptied`: the last viewer has left. */
  constructor(hub: Hub, name: string, framer: Framer, context: FanOutContext, emptied: () => void) {
    this.#emptied = emptied;
    this.#hub = hub;
    this.#name = name;
    this.#framer = framer;
    this.#context = context;
    this.#emptySinceMs = context.now();
  }

  open(): void {
    this.#subscription = this.#hub.follow(this.#name, this);
  }

  close(): void {
    this.#subscription?.[Symbol.dispose]();
    this.#gop.clear();
    this.#hold(0);
  }

  join(viewer: Viewer): Viewing {
    const seat = new Seat(viewer, this.#context.now(), this.#leave);
    // A new array each time: `#deliver` may be iterating over the old one.
    this.#seats = [...this.#seats, seat];
    this.#countViewers(1);
    if (this.#isOnline) {
      this.#guard(seat, () => seat.begin(this.#gop, this.#header));
    }
    return seat;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  emptyForMs(): number {
    return this.#seats.length > 0 ? 0 : this.#context.now() - this.#emptySinceMs;
  }

  /** Now and then, whether anything is written or not. */
  look(): void {
    const nowMs = this.#context.now();
    for (const seat of this.#seats) {
      if (seat.isStalled(nowMs)) this.#end(seat, `nothing could be sent for ${STALL_MS / 1000} s`);
    }
    if (!this.#isOnline) this.#hold(0);
  }

  start(tracks: readonly Track[]): void {
    this.#countViewers(0);
    this.#restart();
    this.#awaitedPicture.restart();
    this.#setTracks(tracks);
    this.#isOnline = true;
    this.#tell(true);
  }

  write(unit: AccessUnit): void {
    const { track } = unit;
    if (track !== this.#videoTrack && track !== this.#audioTrack) this.#changeTrack(track);
    if (!this.#isReadable) return;
    let frame: Uint8Array | undefined;
    try {
      frame = this.#framer.frame(unit);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      // What follows a damaged unit in its GOP is lost, too.
      this.#restart();
      return;
    }
    if (track.kind === 'video') this.#writePicture(unit, frame);
    else if (frame !== undefined) this.#writeSound(unit, frame);
  }

  stop(): void {
    if (!this.#isOnline) return;
    this.#countViewers(0);
    this.#flushSound();
    this.#isOnline = false;
    this.#restart();
    this.#tell(false);
  }

  #writePicture(unit: AccessUnit, frame: Uint8Array | undefined): void {
    this.#awaitedPicture.came();
    if (frame === undefined) {
      // What the protocol has no form for must not hold back the sound.
      if (unit.randomAccess) this.#hasVideo = false;
      return;
    }
    if (unit.randomAccess) {
      this.#hasVideo = true;
      this.#flushSound();
    }
    if (!this.#hasVideo) return;
    this.#deliver(this.#withSound(frame), unit.randomAccess);
  }

  #writeSound(unit: AccessUnit, frame: Uint8Array): void {
    if (this.#hasVideo && this.#awaitedPicture.isGivenUp(unit.dtsUs)) {
      this.#flushSound();
      this.#hasVideo = false;
    }
    if (!this.#hasVideo) {
      this.#deliver(asBuffer(frame), true);
      return;
    }
    if (this.#sound.length === 0) this.#soundSinceUs = unit.dtsUs;
    this.#sound.push(asBuffer(frame));
    if (unit.dtsUs - this.#soundSinceUs >= MAX_SOUND_WAIT_US) this.#flushSound();
  }

  #flushSound(): void {
    if (this.#sound.length === 0) return;
    const bytes = Buffer.concat(this.#sound);
    this.#sound = [];
    this.#deliver(bytes, false);
  }

  #withSound(frame: Uint8Array): Buffer {
    if (this.#sound.length === 0) return asBuffer(frame);
    const bytes = Buffer.concat([...this.#sound, frame]);
    this.#sound = [];
    return bytes;
  }

  #deliver(bytes: Buffer, beginsGop: boolean): void {
    const { budget } = this.#context;
    const isBudgetSpent = budget.isSpent;
    if (isBudgetSpent) this.#gop.clear();
    else {
      if (beginsGop) this.#gop.begin(this.#header);
      this.#gop.push(bytes);
    }
    const together: Seat[] = [];
    const nowMs = this.#context.now();
    const offer = { bytes, beginsGop, header: this.#header, nowMs, isBudgetSpent, together };
    let sharedBytes = 0;
    let copiedBytes = 0;
    for (const seat of this.#seats) {
      const backlogBytes = this.#offer(seat, offer);
      if (backlogBytes === 0) continue;
      if (seat.viewer.holdsCopies === true) copiedBytes += backlogBytes;
      else if (backlogBytes > sharedBytes) sharedBytes = backlogBytes;
    }
    this.#sendTogether(together, bytes);
    this.#hold(sharedBytes + copiedBytes + this.#gop.byteLength);
  }

  #sendTogether(seats: readonly Seat[], bytes: Buffer): void {
    if (seats.length === 0) return;
    // One may have left while others were asked.
    const sockets = seats.map((seat) => (seat.isLeft ? undefined : seat.socket));
    sendToAll(sockets, bytes, (index, rest) => {
      const seat = seats[index];
      if (seat !== undefined && !seat.isLeft) this.#guard(seat, () => seat.viewer.send(rest));
    });
  }

  #offer(seat: Seat, offer: Offer): number {
    try {
      return seat.offer(offer);
    } catch (error) {
      this.#end(seat, failedWith(error));
      return 0;
    }
  }

  #hold(bytes: number): void {
    this.#context.budget.change(bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }

  #changeTrack(track: Track): void {
    this.#flushSound();
    const others = this.#tracks.filter((other) => other.kind !== track.kind);
    this.#setTracks(track.kind === 'video' ? [track, ...others] : [...others, track]);
  }

  #setTracks(tracks: readonly Track[]): void {
    this.#tracks = tracks;
    this.#videoTrack = tracks.find((track) => track.kind === 'video');
    this.#audioTrack = tracks.find((track) => track.kind === 'audio');
    this.#hasVideo = this.#videoTrack !== undefined && !this.#awaitedPicture.wasGivenUp;
    this.#isReadable = this.#startFramer(tracks);
    const header = this.#isReadable ? this.#framer.header() : undefined;
    if (isSame(header, this.#header)) return;
    this.#header = header === undefined ? undefined : asBuffer(header);
    // For those who join within this GOP; the seats see it by themselves.
    if (this.#header !== undefined) this.#gop.push(this.#header);
  }

  /** A publisher's damage is none of those who join: nothing is carried until its tracks change. */
  #startFramer(tracks: readonly Track[]): boolean {
    try {
      this.#framer.start(tracks);
      return true;
    } catch (error) {
      if (error instanceof ParseError || error instanceof UnsupportedError) return false;
      throw error;
    }
  }

  /** What comes next does not go on where this ended. */
  #restart(): void {
    this.#gop.clear();
    this.#sound = [];
    for (const seat of this.#seats) seat.pause();
  }

  #tell(isOnline: boolean): void {
    for (const seat of this.#seats) {
      if (!seat.isLeft) this.#guard(seat, () => seat.viewer.sourceChanged?.(isOnline));
    }
  }

  #guard(seat: Seat, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#end(seat, failedWith(error));
    }
  }

  /** A viewer that fails does not disturb the others, not even by how it fails. */
  #end(seat: Seat, words: string): void {
    if (seat.isLeft) return;
    seat[Symbol.dispose]();
    try {
      seat.viewer.close(words);
    } catch {
      // It is out already.
    }
  }

  readonly #leave = (seat: Seat): void => {
    this.#seats = this.#seats.filter((other) => other !== seat);
    this.#countViewers(-1);
    if (this.#seats.length > 0) return;
    this.#emptySinceMs = this.#context.now();
    this.#emptied();
  };

  /** The stream of that name may be another one by now. */
  #countViewers(change: number): void {
    const stream = this.#hub.get(this.#name);
    if (stream === this.#counted) {
      if (stream !== undefined) stream.viewers += change;
      return;
    }
    if (this.#counted !== undefined) this.#counted.viewers -= this.#seats.length - change;
    this.#counted = stream;
    if (stream !== undefined) stream.viewers += this.#seats.length;
  }
}

/** Without a copy: a socket would make one of any other Uint8Array, once for each viewer. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function failedWith(error: unknown): string {
  return `it failed: ${error instanceof Error ? error.message : String(error)}`;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}
