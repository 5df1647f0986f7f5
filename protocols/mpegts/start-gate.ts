/**
 * Holds the first access units back until every track that was announced is known, so that a stream
 * starts once and with all of them, and nothing of its first GOP is lost. What never comes is not waited for.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';

/** Audio frames come several times a second: an encoder that has sent none for so long has none to send. */
const AUDIO_PATIENCE_MS = 2_000;
/** A keyframe may be as far off as the longest GOP. */
const VIDEO_PATIENCE_MS = 12_000;
/** Two seconds at 40 Mbit/s. */
const MAX_HELD_BYTES = 10 * 1024 * 1024;

export class StartGate {
  readonly #sink: StreamSink;
  readonly #now: () => number;
  readonly #note: (words: string) => void;
  readonly #expected = new Set<Track['kind']>();
  readonly #known = new Map<Track['kind'], Track>();
  #held: AccessUnit[] = [];
  #heldBytes = 0;
  #sinceMs: number | undefined;
  #isOpen = false;

  /** `now`: milliseconds on a clock that never goes backwards. */
  constructor(sink: StreamSink, now: () => number, note: (words: string) => void) {
    this.#sink = sink;
    this.#now = now;
    this.#note = note;
  }

  /** What the programme announces. Once open, the gate stays open. */
  expect(kinds: readonly Track['kind'][]): void {
    this.#expected.clear();
    for (const kind of kinds) this.#expected.add(kind);
  }

  write(unit: AccessUnit): void {
    if (this.#isOpen) {
      this.#sink.write(unit);
      return;
    }
    this.#sinceMs ??= this.#now();
    this.#hold(unit);
    if (this.#mayOpen(this.#sinceMs)) this.#open();
  }

  #hold(unit: AccessUnit): void {
    this.#known.set(unit.track.kind, unit.track);
    const buffer = new Uint8Array(ACCESS_UNIT_HEADROOM + unit.data.length);
    this.#heldBytes += buffer.length;
    buffer.set(unit.data, ACCESS_UNIT_HEADROOM);
    this.#held.push({ ...unit, data: buffer.subarray(ACCESS_UNIT_HEADROOM) });
  }

  #mayOpen(sinceMs: number): boolean {
    const missing = [...this.#expected].filter((kind) => !this.#known.has(kind));
    const [kind] = missing;
    if (kind === undefined) return true;
    const patienceMs = kind === 'audio' ? AUDIO_PATIENCE_MS : VIDEO_PATIENCE_MS;
    if (this.#now() - sinceMs < patienceMs && this.#heldBytes < MAX_HELD_BYTES) return false;
    this.#note(
      kind === 'audio'
        ? 'Started without audio: the source announces it and sends none.'
        : 'Started without video: the source announces it and sends no keyframe.',
    );
    return true;
  }

  #open(): void {
    this.#isOpen = true;
    const video = this.#known.get('video');
    const audio = this.#known.get('audio');
    this.#sink.start([video, audio].filter((track) => track !== undefined));
    // Sound from before the first picture would be played without one.
    const firstPicture = this.#held.find(({ track }) => track.kind === 'video');
    for (const unit of this.#held) {
      const isEarly = firstPicture !== undefined && unit.dtsUs < firstPicture.dtsUs;
      if (unit.track.kind === 'video' || !isEarly) this.#sink.write(unit);
    }
    this.#held = [];
  }
}
