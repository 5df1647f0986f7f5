/**
 * What an extension writes → access units as all others rely on them: whole, bounded, with times that are numbers, in
 * a buffer with room for the sink's header. Throws to the extension where that cannot be, before anybody has seen the unit.
 */
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import { nalUnits } from '../../codecs/nal-units.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import type { Sink, Unit } from './extension-api.ts';

/** Which properties of a track are bytes, and which numbers. */
const SHAPES: ReadonlyMap<
  string,
  { readonly kind: Track['kind']; readonly bytes: readonly string[] }
> = new Map([
  ['h264', { kind: 'video', bytes: ['sps', 'pps'] }],
  ['h265', { kind: 'video', bytes: ['vps', 'sps', 'pps'] }],
  ['av1', { kind: 'video', bytes: ['config'] }],
  ['vp9', { kind: 'video', bytes: ['config'] }],
  ['aac', { kind: 'audio', bytes: ['config'] }],
  ['opus', { kind: 'audio', bytes: ['config'] }],
  ['pcma', { kind: 'audio', bytes: [] }],
  ['pcmu', { kind: 'audio', bytes: [] }],
  ['mp3', { kind: 'audio', bytes: [] }],
  ['ac3', { kind: 'audio', bytes: [] }],
  ['eac3', { kind: 'audio', bytes: [] }],
]);

/** Years of microseconds; far from where numbers lose their units. */
const MAX_TIME_US = 2 ** 52;
const MAX_TRACKS = 2;

export class CheckedSink implements Sink {
  readonly #onBytes: (total: number) => void;
  #bytes = 0;
  readonly #sink: StreamSink;
  readonly #assembler = new AccessUnitAssembler();
  /** Tracks that have been looked at. */
  readonly #known = new WeakSet<Track>();
  #isStarted = false;

  /** `onBytes` is told how many bytes of units there were in all. */
  constructor(sink: StreamSink, onBytes: (total: number) => void = () => undefined) {
    this.#sink = sink;
    this.#onBytes = onBytes;
  }

  start(tracks: readonly Track[]): void {
    // The time between the two sources would be lost, and all times after it wrong.
    if (this.#isStarted) throw new TypeError('start() again before stop()');
    if (!Array.isArray(tracks) || tracks.length === 0 || tracks.length > MAX_TRACKS) {
      throw new TypeError('start() takes a list of a video track, an audio track, or both');
    }
    for (const track of tracks) this.#check(track);
    if (tracks.length === 2 && tracks[0]?.kind === tracks[1]?.kind) {
      throw new TypeError('start() takes one track of a kind');
    }
    this.#isStarted = true;
    this.#sink.start(tracks);
  }

  write({ track, ptsUs, dtsUs, randomAccess, data }: Unit): void {
    if (!this.#isStarted) throw new TypeError('write() before start()');
    this.#check(track);
    if (!isTime(ptsUs) || !isTime(dtsUs)) throw new TypeError('ptsUs and dtsUs are microseconds');
    if (!(data instanceof Uint8Array) || data.length === 0) {
      throw new TypeError('data is a Uint8Array with something in it');
    }
    if (track.codec === 'h264' || track.codec === 'h265') for (const _ of nalUnits(data));
    this.#bytes += data.length;
    this.#onBytes(this.#bytes);
    this.#assembler.append(data);
    if (this.#assembler.overflowed) {
      this.#assembler.clear();
      throw new RangeError(`a unit of ${data.length} bytes`);
    }
    const unit = {
      track,
      ptsUs: Math.round(ptsUs),
      dtsUs: Math.round(dtsUs),
      randomAccess: randomAccess === true || track.kind === 'audio',
      data: this.#assembler.take(),
      kept: false,
    };
    try {
      this.#sink.write(unit);
    } finally {
      this.#assembler.release(unit.kept);
    }
  }

  stop(): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#sink.stop();
  }

  #check(track: Track): void {
    if (typeof track !== 'object' || track === null) throw new TypeError('a track is an object');
    if (this.#known.has(track)) return;
    const shape = SHAPES.get(track.codec);
    if (shape === undefined || shape.kind !== track.kind) {
      throw new TypeError(`no track is of kind "${track.kind}" and codec "${track.codec}"`);
    }
    const values = new Map<string, unknown>(Object.entries(track));
    for (const key of shape.bytes) {
      const value = values.get(key);
      if (!(value instanceof Uint8Array) || value.length === 0) {
        throw new TypeError(`${key} of a ${track.codec} track is a Uint8Array`);
      }
    }
    if (track.kind === 'audio' && !(track.sampleRate > 0 && track.channels > 0)) {
      throw new TypeError(`sampleRate and channels of a ${track.codec} track are numbers`);
    }
    this.#known.add(track);
  }
}

function isTime(us: number): boolean {
  return Number.isFinite(us) && Math.abs(us) < MAX_TIME_US;
}
