/**
 * The clock that all streams of a programme count by: its time stamps without their wrap, and the
 * PCR, which stands in where a stream carries no time stamps, and shows by how much packets are late.
 * ISO/IEC 13818-1 §2.4.2.1, §2.4.3.7. Jumps and wrong pace are put right by a SourceClock for each kind of track.
 */
import { ClockGroup, clockNotes, SourceClock } from '../../codecs/source-clock.ts';

const WRAP = 2 ** 33;
const TICKS_PER_MS = 90;
/** A PCR further off than that is another clock: nothing to measure jitter by. */
const JUMP_MS = 1000;

export class ProgramClock {
  /** When the packets that are being read came, on a clock that never goes backwards. */
  arrivalMs = 0;
  readonly #tracks: Readonly<Record<'video' | 'audio', SourceClock>>;
  /** As RFC 3550 §6.4.1 has it, of packets with a PCR. */
  #jitterMs = 0;
  #last: number | undefined;
  #pcr: number | undefined;
  #lastTransitMs: number | undefined;

  constructor() {
    const group = new ClockGroup();
    this.#tracks = { video: new SourceClock(true, group), audio: new SourceClock(false, group) };
  }

  get jitterMs(): number {
    return Math.round(this.#jitterMs * 10) / 10;
  }

  /** How much faster than ours the source's clock runs; undefined before it is known. */
  get clockPercent(): number | undefined {
    const drift = this.#tracks.video.drift ?? this.#tracks.audio.drift;
    return drift === undefined ? undefined : Math.round(drift * 1000) / 10;
  }

  /** What was put right, in whole sentences. */
  get notes(): string[] {
    const { video, audio } = this.#tracks;
    return [...clockNotes('video', video), ...clockNotes('audio', audio)];
  }

  /** The last PCR, in ticks as `unwrap` gives them; undefined before the first. */
  get pcrTicks(): number | undefined {
    return this.#pcr;
  }

  /** 33 bits at 90 kHz → the number of ticks that is nearest to the last one. */
  unwrap(timestamp: number): number {
    const last = this.#last ?? timestamp;
    this.#last = timestamp + Math.round((last - timestamp) / WRAP) * WRAP;
    return this.#last;
  }

  notePcr(base: number): void {
    this.#pcr = this.unwrap(base);
    const transitMs = this.arrivalMs - this.#pcr / TICKS_PER_MS;
    const differenceMs = Math.abs(transitMs - (this.#lastTransitMs ?? transitMs));
    this.#lastTransitMs = transitMs;
    if (differenceMs < JUMP_MS) this.#jitterMs += (differenceMs - this.#jitterMs) / 16;
  }

  /**
   * The time to publish of a unit. `arrivalMs`: when its first byte came. Some units are known to be whole only when the
   * next one begins, which may be after a silence, with another clock.
   */
  place(kind: 'video' | 'audio', sourceUs: number, arrivalMs: number): number {
    return this.#tracks[kind].place(sourceUs, arrivalMs);
  }
}

export function ticksToUs(ticks: number): number {
  return Math.round((ticks * 100) / 9);
}
