/** Feeds an elementary stream as the packets of its PID would, and keeps what comes out. */
import type { Track } from '../../../codecs/track.ts';
import { type ElementaryStream, PesReader } from '../../../protocols/mpegts/pes-reader.ts';
import { ProgramClock } from '../../../protocols/mpegts/program-clock.ts';
import type { UnitOutlet } from '../../../protocols/mpegts/unit-outlet.ts';
import { toHex } from '../../support/hex.ts';
import { type PesFields, pes } from '../../support/ts-packets.ts';

export interface Sent extends PesFields {
  readonly payload?: Uint8Array;
  /** Packets are missing before it. */
  readonly gap?: boolean;
}

export interface Got {
  readonly track: Track;
  readonly ptsUs: number;
  readonly dtsUs: number;
  readonly randomAccess: boolean;
  readonly data: string;
}

export class StreamBench<Stream extends ElementaryStream> {
  readonly units: Got[] = [];
  readonly clock = new ProgramClock();
  readonly stream: Stream;
  readonly reader: PesReader;
  /** Each payload is cut into pieces of this size. */
  pieceBytes = 184;
  /** As a sink whose socket still reads the bytes. */
  keeps = false;

  constructor(open: (outlet: UnitOutlet, clock: ProgramClock) => Stream) {
    this.stream = open((track, ptsUs, dtsUs, randomAccess, data) => {
      this.units.push({ track, ptsUs, dtsUs, randomAccess, data: toHex(data) });
      return this.keeps;
    }, this.clock);
    this.reader = new PesReader(this.stream);
  }

  send(...packets: readonly Sent[]): this {
    for (const { payload = new Uint8Array(), gap = false, ...fields } of packets) {
      if (gap) this.reader.gap();
      this.raw(pes(payload, fields));
    }
    return this;
  }

  raw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += this.pieceBytes) {
      const piece = bytes.slice(at, at + this.pieceBytes);
      this.reader.payload(piece, 0, piece.length, at === 0);
      piece.fill(0xee);
    }
  }

  flush(): this {
    this.stream.flush();
    return this;
  }

  /** `pts/dts` in ticks of 90 kHz. */
  get times(): string[] {
    return this.units.map(({ ptsUs, dtsUs }) => `${ticks(ptsUs)}/${ticks(dtsUs)}`);
  }

  get data(): string[] {
    return this.units.map(({ data }) => data);
  }
}

function ticks(us: number): number {
  return Math.round((us * 9) / 100);
}
