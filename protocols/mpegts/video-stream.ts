/**
 * H.264 and H.265 in PES packets (ISO/IEC 13818-1 §2.14, §2.17): a byte stream of NAL units → pictures
 * with their times. NAL units leave as they came, delimiters included.
 *
 * Where a picture ends: where the next one begins, by its own NAL units or by a PES packet with another
 * time. So several pictures in one PES packet come apart, and one picture over several stays whole (encoders that
 * state every length must cut at 64 KiB). A time belongs to the first picture that begins in its packet
 * (§2.4.3.7); a further one gets the next after the frame duration. Two fields in one PES packet are one picture.
 */
import { decodeHints } from '../../codecs/decode-hints.ts';
import { DecodeTimer } from '../../codecs/decode-time.ts';
import { type Picture, PictureAssembler } from '../../codecs/picture-assembler.ts';
import { RandomAccessGate } from '../../codecs/random-access-gate.ts';
import { AnnexBSplitter, type NalUnitReceiver } from './annex-b-splitter.ts';
import { NO_TIMESTAMP, type PesHeader } from './pes-header.ts';
import type { ElementaryStream } from './pes-reader.ts';
import { type ProgramClock, ticksToUs } from './program-clock.ts';
import type { UnitOutlet } from './unit-outlet.ts';

/** 25 frames a second, until two pictures have told. */
const DEFAULT_FRAME_TICKS = 3600;
/** 1 to 240 frames a second: what lies outside is no frame duration. */
const MIN_FRAME_TICKS = 375;
const MAX_FRAME_TICKS = 90_000;
/**
 * A PES packet of this size or more may be all that the 16 bits of its length let an encoder put into one, and the
 * picture goes on in the next.
 */
const MAY_BE_CUT_BYTES = 32 * 1024;

export class VideoStream implements ElementaryStream, NalUnitReceiver {
  /** Pictures that came without a time. */
  repairedTimes = 0;
  readonly #outlet: UnitOutlet;
  readonly #clock: ProgramClock;
  readonly #headerBytes: 1 | 2;
  readonly #pictures: PictureAssembler;
  readonly #splitter: AnnexBSplitter;
  readonly #decodeTimer = new DecodeTimer();
  #timedTrack: Picture['track'] | undefined;
  /** Of the PES packet, for the first picture that begins in it. */
  #nextPts = NO_TIMESTAMP;
  #nextDts = NO_TIMESTAMP;
  /** Of the picture being assembled. */
  #pts = NO_TIMESTAMP;
  #dts = NO_TIMESTAMP;
  #arrivalMs = 0;
  #hasBegun = false;
  #isDamaged = false;
  /** The next payload byte is the first of a PES packet. */
  #isAtPesStart = false;
  /** A NAL unit too short to be one. */
  #isSkippingNalUnit = false;
  /** Pictures go on in the next PES packet. */
  #spansPackets = false;
  /** This PES packet may hold a part of a picture only. */
  #mayBeCut = false;
  /** The last picture was taken for whole because its PES packet was. */
  #hasEndedWithPes = false;
  #carriesDts = false;
  #lastDtsTicks: number | undefined;
  /** The last one that came with a picture, and the pictures since then. */
  #statedDtsTicks: number | undefined;
  #picturesSinceTime = 0;
  /** PTS − DTS of the last picture that had times. */
  #lastDelayTicks = 0;
  #frameTicks = DEFAULT_FRAME_TICKS;
  readonly #gate = new RandomAccessGate();
  #lostUnits = 0;
  /** The last picture was not handed on. */
  #isWaiting = false;

  constructor(codec: 'h264' | 'h265', outlet: UnitOutlet, clock: ProgramClock) {
    this.#outlet = outlet;
    this.#clock = clock;
    this.#headerBytes = codec === 'h264' ? 1 : 2;
    this.#pictures = new PictureAssembler(codec);
    // The byte behind the header tells the first slice of a picture.
    this.#splitter = new AnnexBSplitter(this, this.#headerBytes + 1);
  }

  get damagedUnits(): number {
    return this.#lostUnits + this.#gate.heldBack;
  }

  /** Why no picture is handed on although they come. */
  get awaits(): 'parameter-sets' | 'keyframe' | undefined {
    if (!this.#isWaiting) return undefined;
    return this.#pictures.track === undefined ? 'parameter-sets' : 'keyframe';
  }

  beginPes({ pts, dts, payloadBytes }: PesHeader): void {
    this.#isAtPesStart = true;
    this.#mayBeCut = payloadBytes >= MAY_BE_CUT_BYTES;
    // The picture that the last time is for may have begun with half a start code.
    if (pts === NO_TIMESTAMP) return;
    this.#nextPts = pts;
    this.#nextDts = dts;
  }

  data(bytes: Uint8Array, from: number, to: number): void {
    if (this.#isAtPesStart) this.#beginPayload(bytes, from, to);
    this.#splitter.push(bytes, from, to);
  }

  endPes(): void {
    if (this.#spansPackets || this.#mayBeCut) return;
    this.#splitter.end();
    if (!this.#pictures.hasSlice) return;
    this.#finish();
    this.#hasEndedWithPes = true;
  }

  gap(): void {
    this.#splitter.reset();
    this.#pictures.abandonNalUnit();
    this.#isDamaged = true;
  }

  flush(): void {
    this.#splitter.end();
    if (this.#pictures.hasSlice || this.#isDamaged) this.#finish();
  }

  beginNalUnit(head: Uint8Array, length: number): void {
    const [first = 0, second = 0] = head;
    this.#isSkippingNalUnit = length < this.#headerBytes;
    if (this.#isSkippingNalUnit) return;
    const next = length > this.#headerBytes ? (head[this.#headerBytes] ?? 0) : 0;
    if (this.#pictures.beginsNext(first, next)) this.#finish();
    if (!this.#hasBegun) this.#claimTime();
    this.#pictures.beginNalUnit(first, second);
    if (length > this.#headerBytes) this.#pictures.append(head.subarray(this.#headerBytes, length));
  }

  appendToNalUnit(bytes: Uint8Array): void {
    if (!this.#isSkippingNalUnit) this.#pictures.append(bytes);
  }

  endNalUnit(): void {
    if (!this.#isSkippingNalUnit) this.#pictures.endNalUnit();
  }

  /** Of a PES packet: does a picture end before it? */
  #beginPayload(bytes: Uint8Array, from: number, to: number): void {
    this.#isAtPesStart = false;
    const hasEnded = this.#hasEndedWithPes;
    this.#hasEndedWithPes = false;
    const hasNewTime = this.#nextPts !== NO_TIMESTAMP && this.#nextPts !== this.#pts;
    const goesOn = !hasNewTime || !beginsWithZeros(bytes, from, to);
    if (goesOn) {
      if (this.#pictures.hasSlice) this.#spansPackets = true;
      else if (hasEnded && !beginsWithZeros(bytes, from, to)) this.#tear();
      return;
    }
    this.#splitter.end();
    if (this.#pictures.hasSlice || this.#isDamaged) this.#finish();
    // What there is precedes the picture of this packet.
    if (this.#hasBegun) this.#claimTime();
  }

  /** The last picture was not whole, after all. */
  #tear(): void {
    this.#spansPackets = true;
    this.#lostUnits += 1;
    this.#gate.close();
  }

  #claimTime(): void {
    this.#hasBegun = true;
    this.#arrivalMs = this.#clock.arrivalMs;
    this.#pts = this.#nextPts;
    this.#dts = this.#nextDts;
    this.#nextPts = NO_TIMESTAMP;
    this.#nextDts = NO_TIMESTAMP;
  }

  #finish(): void {
    const isLost = this.#isDamaged || this.#pictures.overflowed;
    this.#isDamaged = false;
    this.#hasBegun = false;
    if (isLost) {
      this.#lostUnits += 1;
      this.#gate.close();
    }
    const picture = isLost ? undefined : this.#pictures.finish();
    this.#isWaiting =
      picture === undefined || !this.#gate.admits(picture.randomAccess, picture.skippedLeading);
    if (picture === undefined || this.#isWaiting) this.#pictures.clear();
    else this.#pictures.release(this.#deliver(picture));
  }

  #deliver({ data, randomAccess, track }: Picture): boolean {
    const hasTime = this.#pts !== NO_TIMESTAMP;
    if (this.#dts !== NO_TIMESTAMP) this.#carriesDts = true;
    const ptsTicks = hasTime ? this.#clock.unwrap(this.#pts) : this.#madeUpPts();
    const dtsTicks = this.#statedDts(ptsTicks, hasTime);
    if (hasTime) this.#noteTime(dtsTicks, ptsTicks - dtsTicks);
    else this.repairedTimes += 1;
    this.#lastDtsTicks = dtsTicks;
    this.#picturesSinceTime += 1;
    if (this.#carriesDts) {
      const delayUs = ticksToUs(ptsTicks) - ticksToUs(dtsTicks);
      const dtsUs = this.#clock.place('video', ticksToUs(dtsTicks), this.#arrivalMs);
      return this.#outlet(track, dtsUs + delayUs, dtsUs, randomAccess, data);
    }
    const ptsUs = this.#clock.place('video', ticksToUs(ptsTicks), this.#arrivalMs);
    const dtsUs = this.#reorderedDts(track, ptsUs, randomAccess);
    return this.#outlet(track, ptsUs, dtsUs, randomAccess, data);
  }

  /** Where there is no DTS it is the PTS, §2.4.3.7. */
  #statedDts(ptsTicks: number, hasTime: boolean): number {
    if (this.#dts !== NO_TIMESTAMP) return Math.min(ptsTicks, this.#clock.unwrap(this.#dts));
    return hasTime ? ptsTicks : ptsTicks - this.#lastDelayTicks;
  }

  #noteTime(dtsTicks: number, delayTicks: number): void {
    const sinceTicks = dtsTicks - (this.#statedDtsTicks ?? dtsTicks);
    const frameTicks = Math.round(sinceTicks / Math.max(1, this.#picturesSinceTime));
    if (frameTicks >= MIN_FRAME_TICKS && frameTicks <= MAX_FRAME_TICKS) {
      this.#frameTicks = frameTicks;
    }
    this.#statedDtsTicks = dtsTicks;
    this.#picturesSinceTime = 0;
    this.#lastDelayTicks = delayTicks;
  }

  #madeUpPts(): number {
    const last = this.#lastDtsTicks;
    const { pcrTicks } = this.#clock;
    // A stream that never has times: the PCR at least does not drift.
    if (this.#statedDtsTicks === undefined && pcrTicks !== undefined) {
      return last === undefined ? pcrTicks : Math.max(pcrTicks, last + 1);
    }
    return (last ?? 0) + this.#frameTicks + this.#lastDelayTicks;
  }

  /** Encoders exist that reorder pictures and send PTS alone. */
  #reorderedDts(track: Picture['track'], ptsUs: number, randomAccess: boolean): number {
    if (track !== this.#timedTrack) {
      this.#timedTrack = track;
      const hints = decodeHints(track);
      if (hints !== undefined) this.#decodeTimer.setHints(hints);
    }
    return this.#decodeTimer.push(ptsUs, randomAccess);
  }
}

/** A start code, or the zeros before one. */
function beginsWithZeros(bytes: Uint8Array, from: number, to: number): boolean {
  return (
    to - from >= 3 && bytes[from] === 0 && bytes[from + 1] === 0 && (bytes[from + 2] ?? 2) <= 1
  );
}
