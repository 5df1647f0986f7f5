/** The virtual camera's picture: paints the scene, writes it as H.264, and hands it on at the rate it states. */
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import { MosaicEncoder } from '../../codecs/h264/mosaic-encoder.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { PICTURE, Scene } from './scene.ts';
import type { VirtualHead } from './virtual-head.ts';

const PICTURE_MS = 1000 / PICTURE.fps;
/** A keyframe every 2 s. */
const GOP_PICTURES = 2 * PICTURE.fps;
/** The square moves for 5 s and rests for 3: that is what the camera takes for motion. */
const MOVING_PICTURES = 5 * PICTURE.fps;
const RESTING_PICTURES = 3 * PICTURE.fps;
/** A machine that slept does not catch up. */
const MAX_LATE_PICTURES = PICTURE.fps;

export class PatternSource {
  readonly #sink: StreamSink;
  readonly #head: VirtualHead;
  readonly #onMotion: (isMoving: boolean) => void;
  readonly #encoder = new MosaicEncoder(PICTURE);
  readonly #assembler = new AccessUnitAssembler();
  readonly #scene = new Scene();
  #timer: NodeJS.Timeout | undefined;
  /** Of picture 0, on the clock of `performance.now`. */
  #startedAtMs = 0;
  #picture = 0;
  #untilKeyframe = 0;
  /** Pictures in which the square has moved. */
  #moved = 0;
  #isMoving = false;

  constructor(sink: StreamSink, head: VirtualHead, onMotion: (isMoving: boolean) => void) {
    this.#sink = sink;
    this.#head = head;
    this.#onMotion = onMotion;
  }

  start(): void {
    this.#startedAtMs = performance.now();
    this.#sink.start([this.#encoder.track]);
    this.#show();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#sink.stop();
  }

  #show(): void {
    const dueMs = this.#startedAtMs + this.#picture * PICTURE_MS;
    const nowMs = performance.now();
    this.#head.step(PICTURE_MS, nowMs);
    this.#look();
    this.#scene.paint(this.#head.position, timeOfDay(new Date()), this.#picture, this.#moved);
    this.#send();
    const late = Math.floor((nowMs - dueMs) / PICTURE_MS);
    this.#picture += late > MAX_LATE_PICTURES ? late : 1;
    const nextMs = this.#startedAtMs + this.#picture * PICTURE_MS;
    this.#timer = setTimeout(() => this.#show(), Math.max(0, nextMs - performance.now()));
  }

  #look(): void {
    const phase = this.#picture % (MOVING_PICTURES + RESTING_PICTURES);
    const isMoving = phase < MOVING_PICTURES;
    if (isMoving) this.#moved += 1;
    if (isMoving !== this.#isMoving) this.#onMotion(isMoving);
    this.#isMoving = isMoving;
  }

  #send(): void {
    const { track } = this.#encoder;
    const randomAccess = this.#untilKeyframe === 0;
    this.#untilKeyframe = (randomAccess ? GOP_PICTURES : this.#untilKeyframe) - 1;
    if (randomAccess) {
      // As cameras do: who comes into the middle of it needs no more.
      this.#assembler.appendNalUnit(track.sps);
      this.#assembler.appendNalUnit(track.pps);
    }
    this.#assembler.appendNalUnit(this.#encoder.encode(this.#scene.mosaic, randomAccess));
    const timeUs = this.#picture * PICTURE_MS * 1000;
    const data = this.#assembler.take();
    const unit = { track, ptsUs: timeUs, dtsUs: timeUs, randomAccess, data, kept: false };
    this.#sink.write(unit);
    this.#assembler.release(unit.kept);
  }
}

/** Of the time zone that this machine is set to. */
function timeOfDay(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
