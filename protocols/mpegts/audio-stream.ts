/**
 * Audio in PES packets → access units with their times. A time belongs to the first frame that begins
 * in its packet (ISO/IEC 13818-1 §2.4.3.7); the frames behind it follow by their samples, counted from
 * there and never summed up. After a loss it begins anew with the next PES packet.
 *
 * A PES packet is taken to begin with a frame. Where none is, sync words are looked for, and a frame
 * found so goes out only when another follows it.
 */
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import type { AudioFrame, AudioFraming, AudioUnit } from './audio-framing.ts';
import { NO_TIMESTAMP, type PesHeader } from './pes-header.ts';
import type { ElementaryStream } from './pes-reader.ts';
import { type ProgramClock, ticksToUs } from './program-clock.ts';
import type { UnitOutlet } from './unit-outlet.ts';

/** So many units in a row that cannot be carried: then the stream is of that kind. */
const PROVEN_UNITS = 3;

export class AudioStream implements ElementaryStream {
  damagedUnits = 0;
  /** Times that were taken from the PCR. */
  repairedTimes = 0;
  readonly #framing: AudioFraming;
  readonly #outlet: UnitOutlet;
  readonly #clock: ProgramClock;
  readonly #onUnsupported: (what: string) => void;
  /** The first bytes of a frame, or of what may be one. */
  readonly #header: Uint8Array;
  #headerBytes = 0;
  #wantedHeaderBytes: number;
  /** The unit being filled: one frame, or several that belong together. */
  readonly #frames = new AccessUnitAssembler();
  /** For units that lie in a frame without room before them. */
  readonly #moved = new AccessUnitAssembler();
  /** Bytes still missing of the frame that is being filled. */
  #missing = 0;
  /** All frames of the unit so far are whole. */
  #hasUnit = false;
  /** Where frames begin is known, and not guessed. */
  #isInStep = false;
  /** Nothing before the next PES packet. */
  #awaitsPes = true;
  #hasDelivered = false;
  #unsupportedUnits = 0;
  /** Of the PES packet, for the first frame that begins in it; of the frame; of the unit. */
  #nextPts = NO_TIMESTAMP;
  #framePts = NO_TIMESTAMP;
  #unitPts = NO_TIMESTAMP;
  #unitArrivalMs = 0;
  /** The time that samples are counted from. */
  #anchorUs: number | undefined;
  #samples = 0;
  #sampleRate = 1;
  #carriesPts = false;

  constructor(
    framing: AudioFraming,
    outlet: UnitOutlet,
    clock: ProgramClock,
    onUnsupported: (what: string) => void,
  ) {
    this.#framing = framing;
    this.#outlet = outlet;
    this.#clock = clock;
    this.#onUnsupported = onUnsupported;
    this.#header = new Uint8Array(framing.maxHeaderBytes);
    this.#wantedHeaderBytes = framing.minHeaderBytes;
  }

  beginPes({ pts }: PesHeader): void {
    this.#nextPts = pts;
    this.#awaitsPes = false;
    if (this.#isInStep || this.#missing > 0 || this.#hasUnit) return;
    this.#headerBytes = 0;
    this.#isInStep = true;
  }

  data(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to && !this.#awaitsPes; ) {
      at = this.#missing > 0 ? this.#fill(bytes, at, to) : this.#takeHeader(bytes, at, to);
    }
  }

  endPes(): void {
    const isBetweenFrames = this.#missing === 0 && this.#headerBytes === 0;
    if (this.#hasUnit && this.#isInStep && isBetweenFrames) this.#deliver();
  }

  gap(): void {
    if (this.#hasDelivered && !this.#awaitsPes) this.damagedUnits += 1;
    this.#frames.clear();
    this.#headerBytes = 0;
    this.#wantedHeaderBytes = this.#framing.minHeaderBytes;
    this.#missing = 0;
    this.#hasUnit = false;
    this.#isInStep = false;
    this.#awaitsPes = true;
    this.#nextPts = NO_TIMESTAMP;
    this.#anchorUs = undefined;
  }

  flush(): void {
    this.endPes();
  }

  #takeHeader(bytes: Uint8Array, from: number, to: number): number {
    const header = this.#header;
    let at = from;
    if (this.#headerBytes === 0) {
      if (!this.#isInStep) {
        while (at + 1 < to && !this.#framing.mayBegin(bytes, at)) at += 1;
      }
      this.#framePts = this.#nextPts;
      this.#nextPts = NO_TIMESTAMP;
    }
    const end = Math.min(to, at + Math.max(0, this.#wantedHeaderBytes - this.#headerBytes));
    header.set(bytes.subarray(at, end), this.#headerBytes);
    this.#headerBytes += end - at;
    if (this.#headerBytes >= this.#wantedHeaderBytes) this.#readHeader();
    return end;
  }

  #readHeader(): void {
    const header = this.#header.subarray(0, this.#headerBytes);
    let frame: AudioFrame | undefined;
    try {
      frame = this.#framing.read(header);
    } catch (error) {
      this.#note(error);
      this.#loseStep();
      return;
    }
    if (frame !== undefined) this.#beginFrame(frame, header);
    else if (header.length < this.#header.length) this.#wantedHeaderBytes = header.length + 1;
    else this.#loseStep();
  }

  #beginFrame({ frameBytes, beginsUnit }: AudioFrame, header: Uint8Array): void {
    if (frameBytes < header.length || (!beginsUnit && !this.#hasUnit)) {
      this.#loseStep();
      return;
    }
    if (beginsUnit) {
      // The unit before it ends where it should: it was no chance.
      this.#isInStep ||= this.#hasUnit;
      if (this.#hasUnit) this.#deliver();
      this.#unitPts = this.#framePts;
      this.#unitArrivalMs = this.#clock.arrivalMs;
    } else if (this.#framePts !== NO_TIMESTAMP) {
      this.#nextPts = this.#framePts;
    }
    this.#frames.append(header);
    this.#headerBytes = 0;
    this.#wantedHeaderBytes = this.#framing.minHeaderBytes;
    this.#missing = frameBytes - header.length;
    this.#hasUnit = false;
    if (this.#missing === 0) this.#frameIsWhole();
  }

  #fill(bytes: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + this.#missing);
    this.#frames.append(bytes.subarray(from, end));
    this.#missing -= end - from;
    if (this.#missing === 0) this.#frameIsWhole();
    return end;
  }

  #frameIsWhole(): void {
    this.#hasUnit = true;
    if (this.#isInStep && !this.#framing.joinsFrames) this.#deliver();
  }

  /** No frame begins where one should: looks for the next in what has been collected, and further on. */
  #loseStep(): void {
    if (this.#hasUnit && this.#isInStep) this.#deliver();
    else if (this.#hasUnit) this.#drop();
    if (this.#isInStep && this.#hasDelivered) this.damagedUnits += 1;
    this.#isInStep = false;
    const header = this.#header.subarray(0, this.#headerBytes);
    let at = 1;
    while (at < header.length - 1 && !this.#framing.mayBegin(header, at)) at += 1;
    header.copyWithin(0, at);
    this.#headerBytes = Math.max(0, header.length - at);
    this.#wantedHeaderBytes = this.#framing.minHeaderBytes;
  }

  #drop(): void {
    this.#frames.clear();
    this.#hasUnit = false;
    if (this.#hasDelivered) this.damagedUnits += 1;
  }

  #deliver(): void {
    // Frames that belong to the one before them without end.
    if (this.#frames.overflowed) {
      this.#drop();
      return;
    }
    this.#hasUnit = false;
    let isKept = false;
    let count = 0;
    try {
      for (const unit of this.#framing.units(this.#frames.take())) {
        count += 1;
        if (this.#setTime(unit) && this.#put(unit)) isKept = true;
        this.#samples += unit.samples;
        this.#unsupportedUnits = 0;
      }
    } catch (error) {
      if (this.#hasDelivered) this.damagedUnits += 1;
      this.#note(error);
    }
    // How long it lasted nobody knows: what follows has no time before the next PES packet.
    if (count === 0) this.#forgetTime();
    this.#frames.release(isKept);
  }

  #forgetTime(): void {
    if (this.#unitPts !== NO_TIMESTAMP) this.#carriesPts = true;
    this.#unitPts = NO_TIMESTAMP;
    this.#anchorUs = undefined;
  }

  #put({ track, data }: AudioUnit): boolean {
    this.#hasDelivered = true;
    const sinceUs = Math.round((this.#samples * 1_000_000) / this.#sampleRate);
    const ptsUs = this.#clock.place('audio', (this.#anchorUs ?? 0) + sinceUs, this.#unitArrivalMs);
    if (!this.#framing.movesUnits) return this.#outlet(track, ptsUs, ptsUs, true, data);
    this.#moved.append(data);
    const isKept = this.#outlet(track, ptsUs, ptsUs, true, this.#moved.take());
    this.#moved.release(isKept);
    return false;
  }

  /** False when the unit has none. */
  #setTime({ sampleRate }: AudioUnit): boolean {
    if (this.#unitPts !== NO_TIMESTAMP) {
      this.#anchorUs = ticksToUs(this.#clock.unwrap(this.#unitPts));
      this.#unitPts = NO_TIMESTAMP;
      this.#carriesPts = true;
      this.#samples = 0;
    } else if (this.#anchorUs === undefined) {
      const { pcrTicks } = this.#clock;
      if (this.#carriesPts || pcrTicks === undefined) return false;
      this.repairedTimes += 1;
      this.#anchorUs = ticksToUs(pcrTicks);
      this.#samples = 0;
    } else if (sampleRate !== this.#sampleRate) {
      this.#anchorUs += Math.round((this.#samples * 1_000_000) / this.#sampleRate);
      this.#samples = 0;
    }
    this.#sampleRate = sampleRate;
    return true;
  }

  #note(error: unknown): void {
    if (error instanceof UnsupportedError) {
      this.#unsupportedUnits += 1;
      if (this.#unsupportedUnits === PROVEN_UNITS) this.#onUnsupported(error.message);
    } else if (!(error instanceof ParseError)) {
      throw error;
    }
  }
}
