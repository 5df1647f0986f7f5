/** A GNSS receiver on a serial line, which talks NMEA 0183 by itself: where we are, and what time it is. */
import { ParseError } from '../../codecs/errors.ts';
import { type NavigationReport, parseNavigation } from '../../protocols/nmea/navigation-report.ts';
import { NmeaFramer, type NmeaSentence } from '../../protocols/nmea/sentence-framer.ts';
import type { SerialLineState } from '../serial/line-state.ts';
import { SerialLine, type SerialLineContext } from '../serial/serial-line.ts';
import type { GnssReading } from './gnss-reading.ts';
import { PositionMemory } from './position-memory.ts';

/** NMEA 0183 §3; many receivers of today have 9600 or more. */
const DEFAULT_BAUD_RATE = 4800;
/** Receivers report once a second, slow ones every 2 s. */
const SILENT_MS = 6_000;
const LOOK_MS = 1_000;

export interface GnssReceiverConfig {
  readonly path: string;
  readonly baudRate?: number | undefined;
  readonly rs485: boolean;
}

export interface GnssReceiverContext extends SerialLineContext {
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs: () => number;
  /** Once a second, and when the line changes. */
  readonly told: (reading: GnssReading) => void;
  readonly lineChanged: (state: SerialLineState) => void;
}

export class GnssReceiver {
  readonly #line: SerialLine;
  readonly #context: GnssReceiverContext;
  readonly #path: string;
  readonly #baudRate: number;
  #framer = new NmeaFramer();
  #memory = new PositionMemory();
  /** Of sentences; and of bytes, whatever they are. */
  #heardAtMs: number;
  #bytesAtMs: number | undefined;
  /** A sentence, since the line was opened. */
  #hasHeard = false;

  constructor(config: GnssReceiverConfig, context: GnssReceiverContext) {
    const { path, rs485 } = config;
    this.#context = context;
    this.#path = path;
    this.#baudRate = config.baudRate ?? DEFAULT_BAUD_RATE;
    this.#heardAtMs = context.monotonicMs();
    this.#line = new SerialLine(
      { path, baudRate: this.#baudRate, rs485 },
      {
        bytes: (bytes) => this.#bytes(bytes),
        opened: () => this.#forget(),
        changed: (state) => {
          context.lineChanged(state);
          context.told(this.reading());
        },
      },
      context,
    );
  }

  get lineState(): SerialLineState & { readonly sinceMs: number } {
    return this.#line.state;
  }

  /** Never rejects; when it returns `signal` has aborted and nothing is open. */
  async run(signal: AbortSignal): Promise<void> {
    const look = setInterval(() => this.#context.told(this.reading()), LOOK_MS);
    look.unref();
    await this.#line.run(signal);
    clearInterval(look);
  }

  reading(): GnssReading {
    const { code, reason } = this.#line.state;
    if (code !== 'ok') {
      return { state: 'waiting', code, reason, fix: undefined, clockOffsetMs: undefined };
    }
    const nowMs = this.#context.monotonicMs();
    const fix = this.#memory.fix(nowMs);
    const known = { fix, clockOffsetMs: this.#memory.clockOffsetMs(nowMs) };
    if (fix !== undefined) return { state: 'fix', code: 'ok', reason: '', ...known };
    return { ...this.#whyNoFix(nowMs), ...known };
  }

  #whyNoFix(nowMs: number): Pick<GnssReading, 'state' | 'code' | 'reason'> {
    if (nowMs - this.#heardAtMs <= SILENT_MS) {
      return {
        state: 'searching',
        code: 'no-fix',
        reason: this.#hasHeard
          ? 'The receiver does not know yet where it is. Its antenna needs to see the sky; the first time takes some minutes.'
          : `The line has just been opened, and nothing has come from ${this.#path} yet.`,
      };
    }
    const hasBytes = this.#bytesAtMs !== undefined && nowMs - this.#bytesAtMs <= SILENT_MS;
    return hasBytes
      ? {
          state: 'silent',
          code: 'not-nmea',
          reason: `What comes from ${this.#path} is no NMEA 0183. Is baudRate right (now ${this.#baudRate}; often 9600, 38400 or 115200), and is NMEA switched on in the receiver?`,
        }
      : {
          state: 'silent',
          code: 'no-data',
          reason: `Nothing comes from ${this.#path}. Is the receiver powered, and its TX wired to our RX?`,
        };
  }

  #forget(): void {
    this.#framer = new NmeaFramer();
    this.#memory = new PositionMemory();
    this.#heardAtMs = this.#context.monotonicMs();
    this.#bytesAtMs = undefined;
    this.#hasHeard = false;
  }

  #bytes(bytes: Uint8Array): void {
    const atMs = this.#context.monotonicMs();
    this.#bytesAtMs = atMs;
    for (const sentence of this.#framer.push(bytes)) {
      this.#heardAtMs = atMs;
      this.#hasHeard = true;
      const report = reportOf(sentence);
      if (report !== undefined) this.#memory.add(report, atMs, this.#context.now());
    }
  }
}

/** A sentence that is nonsense in spite of its checksum is as good as none. */
function reportOf(sentence: NmeaSentence): NavigationReport | undefined {
  try {
    return parseNavigation(sentence);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
