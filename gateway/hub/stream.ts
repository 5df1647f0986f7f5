/**
 * One named stream: takes access units from whatever source serves it now, keeps one continuous
 * time line across sources, and hands each unit to every subscriber.
 */
import { EventEmitter } from 'node:events';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { GopCache } from './gop-cache.ts';
import type { SlabPool } from './slab-pool.ts';

/** Output never stands still across a source's return: at least one frame at 25 fps passes. */
const MIN_GAP_US = 40_000;

export interface StreamCounters {
  videoUnits: number;
  videoBytes: number;
  audioUnits: number;
  audioBytes: number;
  /** Random access video units, and the DTS distance between the last two. */
  randomAccessUnits: number;
  gopUs: number | undefined;
}

interface StreamEvents {
  online: [];
  offline: [];
  /** New tracks: at every start, and when parameter sets change within a source. */
  tracks: [tracks: readonly Track[]];
}

export class Stream extends EventEmitter<StreamEvents> implements StreamSink {
  readonly name: string;
  /** The gateways that a pushed stream came through, by their ids, so that it never goes back to one of them. */
  via: readonly string[] = [];
  /** Players that watch it now, over whatever protocol. */
  viewers = 0;
  readonly counters: StreamCounters = {
    videoUnits: 0,
    videoBytes: 0,
    audioUnits: 0,
    audioBytes: 0,
    randomAccessUnits: 0,
    gopUs: undefined,
  };
  readonly #now: () => number;
  readonly #cache: GopCache;
  #cacheUsers = 0;
  #sinks: StreamSink[] = [];
  #tracks: readonly Track[] | undefined;
  #videoTrack: Track | undefined;
  #audioTrack: Track | undefined;
  #offsetUs = 0;
  #awaitsFirstUnit = false;
  #lastDtsUs: number | undefined;
  #lastRandomAccessDtsUs: number | undefined;
  #stoppedAtMs = 0;

  /** `now`: milliseconds on a clock that never goes backwards. */
  constructor(name: string, pool: SlabPool, now: () => number) {
    super();
    this.name = name;
    this.#cache = new GopCache(pool);
    this.#now = now;
  }

  get isOnline(): boolean {
    return this.#tracks !== undefined;
  }

  /** Of the latest unit on the stream's time line. */
  get lastDtsUs(): number | undefined {
    return this.#lastDtsUs;
  }

  get tracks(): readonly Track[] {
    return this.#tracks ?? [];
  }

  start(tracks: readonly Track[]): void {
    this.#setTracks(tracks);
    this.#awaitsFirstUnit = true;
    this.#lastRandomAccessDtsUs = undefined;
    this.#cache.clear();
    for (const sink of this.#sinks) sink.start(tracks);
    this.emit('tracks', tracks);
    this.emit('online');
  }

  write(unit: AccessUnit): void {
    if (this.#tracks === undefined) return;
    if (this.#awaitsFirstUnit) this.#placeOnTimeLine(unit);
    unit.dtsUs += this.#offsetUs;
    unit.ptsUs += this.#offsetUs;
    if (this.#lastDtsUs === undefined || unit.dtsUs > this.#lastDtsUs) this.#lastDtsUs = unit.dtsUs;
    if (unit.track !== this.#videoTrack && unit.track !== this.#audioTrack)
      this.#trackChanged(unit.track);
    this.#count(unit);
    if (this.#cacheUsers > 0) this.#cache.push(unit, this.#videoTrack !== undefined);
    for (const sink of this.#sinks) sink.write(unit);
  }

  stop(): void {
    if (this.#tracks === undefined) return;
    this.#tracks = undefined;
    this.#stoppedAtMs = this.#now();
    this.#cache.clear();
    for (const sink of this.#sinks) sink.stop();
    this.emit('offline');
  }

  /** The sink gets the tracks and the current GOP at once, then every unit; nothing while offline. */
  subscribe(sink: StreamSink): Disposable {
    if (this.#tracks !== undefined) {
      sink.start(this.#tracks);
      this.#cache.replay((unit) => sink.write(unit));
    }
    // A new array each time: `write` may be iterating over the old one.
    this.#sinks = [...this.#sinks, sink];
    return {
      [Symbol.dispose]: () => {
        this.#sinks = this.#sinks.filter((other) => other !== sink);
      },
    };
  }

  /** Keeps the GOP cache filled while somebody who may subscribe soon holds the result. */
  expectSubscriber(): Disposable {
    this.#cacheUsers += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#cacheUsers -= 1;
        if (this.#cacheUsers === 0) this.#cache.clear();
      },
    };
  }

  #placeOnTimeLine(unit: AccessUnit): void {
    this.#awaitsFirstUnit = false;
    if (this.#lastDtsUs === undefined) {
      this.#offsetUs = -unit.dtsUs;
      return;
    }
    const awayUs = Math.max(MIN_GAP_US, Math.round((this.#now() - this.#stoppedAtMs) * 1000));
    this.#offsetUs = this.#lastDtsUs + awayUs - unit.dtsUs;
  }

  #setTracks(tracks: readonly Track[]): void {
    this.#tracks = tracks;
    this.#videoTrack = tracks.find((track) => track.kind === 'video');
    this.#audioTrack = tracks.find((track) => track.kind === 'audio');
  }

  #trackChanged(track: Track): void {
    const others = this.tracks.filter((other) => other.kind !== track.kind);
    this.#setTracks(track.kind === 'video' ? [track, ...others] : [...others, track]);
    this.emit('tracks', this.tracks);
  }

  #count(unit: AccessUnit): void {
    const { counters } = this;
    if (unit.track.kind === 'audio') {
      counters.audioUnits += 1;
      counters.audioBytes += unit.data.length;
      return;
    }
    counters.videoUnits += 1;
    counters.videoBytes += unit.data.length;
    if (!unit.randomAccess) return;
    counters.randomAccessUnits += 1;
    if (this.#lastRandomAccessDtsUs !== undefined) {
      counters.gopUs = unit.dtsUs - this.#lastRandomAccessDtsUs;
    }
    this.#lastRandomAccessDtsUs = unit.dtsUs;
  }
}
