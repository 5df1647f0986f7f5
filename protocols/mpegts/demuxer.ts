/**
 * MPEG-TS in, timed access units out. ISO/IEC 13818-1.
 *
 *   bytes → packet-finder → here, by PID ─▶ program-watch   PAT and PMT: which programme
 *                                        ─▶ program-streams its video and audio → start-gate → sink
 *
 * Nothing here ends a session but a stream of which nothing can be carried, or that is none: damage is
 * dropped and counted, and tables may change at any time. Scrambled packets and those with
 * transport_error_indicator are skipped.
 */
import { ParseError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { TsPacketFinder } from './packet-finder.ts';
import type { PidReception } from './pid-reception.ts';
import { ProgramChooser } from './program-chooser.ts';
import { ProgramClock } from './program-clock.ts';
import { ProgramStreams, type StreamCounters } from './program-streams.ts';
import { ProgramWatch } from './program-watch.ts';
import { NULL_PID, PIDS, pcrBase, TsPacket } from './ts-packet.ts';

/** So many bytes without a packet are something else; a search needs a few hundred. */
const MAX_FOREIGN_BYTES = 128 * 1024;
/** The table of PIDs holds bytes. Only PMTs can be so many; those that do not fit are not listened to. */
const MAX_LISTENED = 255;

export interface TsDemuxerOptions {
  readonly sink: StreamSink;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  /** program_number; undefined: the first with something that can be carried. */
  readonly program: number | undefined;
}

export interface TsCounters extends StreamCounters {
  receivedBytes: number;
  receivedPackets: number;
  jitterMs: number;
  clockPercent: number | undefined;
}

export class TsDemuxer {
  receivedPackets = 0;
  receivedBytes = 0;
  scrambledPackets = 0;
  /** With transport_error_indicator, or an adaptation field that cannot be one. */
  erroneousPackets = 0;
  readonly #now: () => number;
  readonly #finder = new TsPacketFinder((bytes, at) => this.#packet(bytes, at));
  readonly #fields = new TsPacket();
  readonly #clock = new ProgramClock();
  readonly #watch: ProgramWatch;
  readonly #streams: ProgramStreams;
  /** By PID: 1 more than the index into `#receptions`; 0: nobody listens. */
  readonly #listening = new Uint8Array(PIDS);
  #receptions: PidReception[] = [];
  #pcrPid = NULL_PID;

  constructor({ sink, now, program }: TsDemuxerOptions) {
    this.#now = now;
    const onChange = () => this.#listen();
    this.#streams = new ProgramStreams({ sink, now, clock: this.#clock, onChange });
    this.#watch = new ProgramWatch({
      chooser: new ProgramChooser(program),
      now,
      onChange,
      onProgram: (map) => {
        this.#pcrPid = map?.pcrPid ?? NULL_PID;
        this.#streams.setProgram(map);
      },
    });
    this.#listen();
  }

  /** Bytes as they come. Throws UnsupportedError when there is nothing that can be carried, ParseError when it is no MPEG-TS. */
  push(bytes: Uint8Array, from: number, to: number): void {
    this.#clock.arrivalMs = this.#now();
    this.receivedBytes += to - from;
    this.#finder.push(bytes, from, to);
    if (this.receivedPackets === 0 && this.receivedBytes > MAX_FOREIGN_BYTES) {
      throw new ParseError('what comes is not MPEG-TS. Check the format the encoder is set to');
    }
  }

  /** Nothing more comes, and what came was whole. */
  flush(): void {
    this.#streams.flush();
  }

  get resyncs(): number {
    return this.#finder.resyncs;
  }

  get damagedTables(): number {
    return this.#watch.damagedTables;
  }

  /** Jumps of the continuity counter, by PID, where there were any. */
  get continuityErrors(): ReadonlyMap<number, number> {
    const counts = this.#receptions.map(
      ({ pid, continuityErrors }) => [pid, continuityErrors] as const,
    );
    return new Map(counts.filter(([, errors]) => errors > 0));
  }

  /** What was left out, repaired or switched, in whole sentences. */
  get notes(): readonly string[] {
    const words = [...this.#streams.notes, ...this.#clock.notes];
    if (this.resyncs > 0) words.push('Bytes between MPEG-TS packets that are none were skipped.');
    if (this.scrambledPackets > 0) words.push('Scrambled packets were skipped.');
    return words;
  }

  readCounters(into: TsCounters): void {
    this.#streams.readCounters(into);
    into.receivedBytes = this.receivedBytes;
    into.receivedPackets = this.receivedPackets;
    into.jitterMs = this.#clock.jitterMs;
    into.clockPercent = this.#clock.clockPercent;
  }

  #packet(bytes: Uint8Array, at: number): void {
    const packet = this.#fields;
    this.receivedPackets += 1;
    if (!packet.read(bytes, at) || packet.hasError) {
      this.erroneousPackets += 1;
      return;
    }
    const { pid, pcrAt } = packet;
    if (pcrAt !== 0 && pid === this.#pcrPid) this.#clock.notePcr(pcrBase(bytes, pcrAt));
    const reception = this.#receptions[(this.#listening[pid] ?? 0) - 1];
    if (reception === undefined) return;
    if (packet.isScrambled) this.scrambledPackets += 1;
    else reception.take(packet, bytes);
  }

  /** Streams first: a PMT that would not fit is the smaller loss. */
  #listen(): void {
    const all = [...this.#streams.receptions, ...this.#watch.receptions.values()];
    this.#receptions = all.slice(0, MAX_LISTENED);
    this.#listening.fill(0);
    for (const [index, { pid }] of this.#receptions.entries()) {
      if (this.#listening[pid] === 0) this.#listening[pid] = index + 1;
    }
  }
}
