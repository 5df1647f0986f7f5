/**
 * The elementary streams that are taken of a programme: one video, one audio. When the programme
 * changes, a stream that stays what it was goes on undisturbed; one that moved to another PID or codec begins anew, and
 * its new track tells the sink.
 */
import { UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { openFraming } from './audio-framing.ts';
import { AudioStream } from './audio-stream.ts';
import { PesReader } from './pes-reader.ts';
import { PidReception } from './pid-reception.ts';
import type { ProgramClock } from './program-clock.ts';
import type { ProgramMap } from './program-tables.ts';
import { StartGate } from './start-gate.ts';
import { type SelectedAudio, type SelectedVideo, selectStreams } from './stream-selection.ts';
import { VideoStream } from './video-stream.ts';

/** Sentences about one attempt. */
const MAX_NOTES = 32;

interface Carried<Stream extends VideoStream | AudioStream> {
  /** What the PMT said of it. */
  readonly key: string;
  readonly stream: Stream;
  readonly reader: PesReader;
  readonly reception: PidReception;
}

export interface StreamCounters {
  lostPackets: number;
  damagedUnits: number;
  /** Why no picture is handed on although there is video. */
  awaits: 'parameter-sets' | 'keyframe' | undefined;
}

export interface ProgramStreamsOptions {
  readonly sink: StreamSink;
  readonly clock: ProgramClock;
  readonly now: () => number;
  /** The PIDs are others from now on. */
  readonly onChange: () => void;
}

export class ProgramStreams {
  readonly #clock: ProgramClock;
  readonly #onChange: () => void;
  readonly #gate: StartGate;
  readonly #notes = new Set<string>();
  /** PIDs that turned out not to carry what was announced. */
  readonly #refused = new Set<number>();
  #program: ProgramMap | undefined;
  #video: Carried<VideoStream> | undefined;
  #audio: Carried<AudioStream> | undefined;
  /** Of streams that are gone. */
  readonly #past = { lostPackets: 0, damagedUnits: 0, repairedTimes: 0 };

  constructor({ sink, clock, now, onChange }: ProgramStreamsOptions) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#gate = new StartGate(sink, now, (words) => this.#note(words));
  }

  get receptions(): PidReception[] {
    return this.#carried.map(({ reception }) => reception);
  }

  get notes(): string[] {
    const repaired = this.#carried.reduce((sum, { stream }) => sum + stream.repairedTimes, 0);
    const words = [...this.#notes];
    if (repaired + this.#past.repairedTimes > 0) {
      words.push('Some pictures or sounds come without their times; these are made up.');
    }
    return words;
  }

  readCounters(into: StreamCounters): void {
    into.lostPackets = this.#past.lostPackets;
    into.damagedUnits = this.#past.damagedUnits;
    for (const { reception, stream } of this.#carried) {
      into.lostPackets += reception.lostPackets;
      into.damagedUnits += stream.damagedUnits;
    }
    into.awaits = this.#video?.stream.awaits;
  }

  /** Throws UnsupportedError when nothing of it can be carried. */
  setProgram(program: ProgramMap | undefined): void {
    if (program === undefined) {
      this.#note('The programme has gone from the stream.');
      return;
    }
    this.#program = program;
    const { video, audio, leftOut } = selectStreams(program, this.#refused);
    if (video === undefined && audio === undefined) {
      throw new UnsupportedError(`nothing in it can be carried. ${[...this.#notes].join(' ')}`);
    }
    this.#setVideo(video);
    this.#setAudio(audio);
    for (const name of leftOut) this.#note(`Left out: ${name}.`);
    const kinds = [video && 'video', audio && 'audio'] as const;
    this.#gate.expect(kinds.filter((kind) => kind !== undefined));
    this.#onChange();
  }

  /** Nothing more comes, and what came was whole. */
  flush(): void {
    for (const { stream } of this.#carried) stream.flush();
  }

  get #carried(): Carried<VideoStream | AudioStream>[] {
    return [this.#video, this.#audio].filter((carried) => carried !== undefined);
  }

  #setVideo(selected: SelectedVideo | undefined): void {
    const key = JSON.stringify(selected);
    if (this.#video?.key === key) return;
    this.#close(this.#video);
    if (selected === undefined) this.#video = undefined;
    else {
      const stream = new VideoStream(selected.codec, this.#write, this.#clock);
      this.#video = carry(key, selected.pid, stream);
    }
  }

  #setAudio(selected: SelectedAudio | undefined): void {
    const key = JSON.stringify(selected);
    if (this.#audio?.key === key) return;
    this.#close(this.#audio);
    if (selected === undefined) this.#audio = undefined;
    else {
      const { pid, format, channels } = selected;
      const stream = new AudioStream(
        openFraming(format, channels),
        this.#write,
        this.#clock,
        (what) => this.#refuse(pid, what),
      );
      this.#audio = carry(key, pid, stream);
    }
  }

  #close(carried: Carried<VideoStream | AudioStream> | undefined): void {
    if (carried === undefined) return;
    carried.stream.flush();
    this.#past.lostPackets += carried.reception.lostPackets;
    this.#past.damagedUnits += carried.stream.damagedUnits;
    this.#past.repairedTimes += carried.stream.repairedTimes;
  }

  /** The next stream that may do is taken instead. */
  #refuse(pid: number, what: string): void {
    this.#refused.add(pid);
    this.#note(`Left out: audio, because it is ${what}.`);
    this.setProgram(this.#program);
  }

  #note(words: string): void {
    if (this.#notes.size < MAX_NOTES) this.#notes.add(words);
  }

  readonly #write = (
    track: Track,
    ptsUs: number,
    dtsUs: number,
    randomAccess: boolean,
    data: Uint8Array,
  ): boolean => {
    const unit = { track, ptsUs, dtsUs, randomAccess, data, kept: false };
    this.#gate.write(unit);
    return unit.kept;
  };
}

function carry<Stream extends VideoStream | AudioStream>(
  key: string,
  pid: number,
  stream: Stream,
): Carried<Stream> {
  const reader = new PesReader(stream);
  return { key, stream, reader, reception: new PidReception(pid, reader) };
}
