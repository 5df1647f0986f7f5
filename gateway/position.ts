/** Where the box is and what time it is there, by a GNSS receiver on a serial line: when to tell it. Loads what it needs. */
import type { GnssReading } from '../drivers/gnss/gnss-reading.ts';
import type { Fix } from '../drivers/gnss/position-memory.ts';
import type { SerialLineContext } from '../drivers/serial/serial-line.ts';
import type { SerialConfig } from './config/schema.ts';
import type { Board } from './report/board.ts';
import type { PositionStatus } from './report/status.ts';
import { tellLine } from './serial-reports.ts';

/** A box that drives is told of as often, one that stands seldom. */
const MIN_PERIOD_MS = 10_000;
const MAX_PERIOD_MS = 60_000;
/** A receiver that stands still wanders by some metres. */
const MOVED_M = 20;
const METRES_PER_DEGREE = 111_320;

export interface PositionContext extends SerialLineContext {
  readonly board: Board;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs: () => number;
  /** null: this machine does not tell. */
  readonly isClockSynchronised: () => Promise<boolean | null>;
}

interface Told {
  readonly reading: GnssReading;
  readonly atMs: number;
}

export class Position {
  readonly #line: SerialConfig | undefined;
  readonly #context: PositionContext;
  #running: Promise<void> = Promise.resolve();
  #telling: Promise<void> = Promise.resolve();
  #told: Told | undefined;
  /** When its state began, milliseconds since the epoch. */
  #sinceMs = 0;
  #hadFix = false;

  constructor(lines: readonly SerialConfig[], context: PositionContext) {
    this.#line = lines.find(({ protocol }) => protocol === 'nmea');
    this.#context = context;
  }

  async start(signal: AbortSignal): Promise<void> {
    const line = this.#line;
    if (line === undefined) return;
    const { GnssReceiver } = await import('../drivers/gnss/gnss-receiver.ts');
    const { name, path } = line;
    const receiver = new GnssReceiver(line, {
      ...this.#context,
      told: (reading) => this.#hear(name, reading),
      lineChanged: () => tellLine(this.#context, { name, path, ...receiver.lineState }),
    });
    tellLine(this.#context, { name, path, ...receiver.lineState });
    this.#hear(name, receiver.reading());
    this.#running = receiver.run(signal);
  }

  /** After the abort of `start`'s signal: nothing is open. */
  async stopped(): Promise<void> {
    await this.#running;
    await this.#telling;
  }

  #hear(line: string, reading: GnssReading): void {
    const atMs = this.#context.monotonicMs();
    const before = this.#told;
    if (before !== undefined && !isNews(before, reading, atMs)) return;
    if (before?.reading.code !== reading.code) {
      this.#sinceMs = this.#context.now();
      this.#say(line, before?.reading, reading);
    }
    this.#told = { reading, atMs };
    // One after the other: what is told last is the newest.
    this.#telling = this.#telling.then(() => this.#tell(line));
  }

  async #tell(line: string): Promise<void> {
    const { board, isClockSynchronised, now } = this.#context;
    const synchronised = await isClockSynchronised();
    const { reading } = this.#told ?? {};
    if (reading === undefined) return;
    board.setPosition(
      statusOf(line, reading, { synchronised, sinceMs: this.#sinceMs, nowMs: now() }),
    );
  }

  /** To people; that a line is lost they hear of the line. */
  #say(line: string, before: GnssReading | undefined, { state, code, reason }: GnssReading): void {
    if (state === 'waiting') return;
    const { board, log, now } = this.#context;
    if (state === 'fix') log.info({ line }, 'the GNSS receiver knows where we are');
    else log.warn({ line, code, reason }, 'GNSS receiver');
    const at = new Date(now()).toISOString();
    if (state !== 'fix' && before?.state === 'fix') {
      board.emit('event', {
        at,
        type: 'position-lost',
        message: `The position is lost: ${reason}`,
      });
    }
    if (state === 'fix' && this.#hadFix) {
      board.emit('event', { at, type: 'position-fix', message: 'The position is known again.' });
    }
    this.#hadFix ||= state === 'fix';
  }
}

function isNews({ reading: before, atMs }: Told, reading: GnssReading, nowMs: number): boolean {
  if (before.code !== reading.code) return true;
  const elapsedMs = nowMs - atMs;
  if (elapsedMs < MIN_PERIOD_MS) return false;
  if (elapsedMs >= MAX_PERIOD_MS) return true;
  const [from, to] = [before.fix, reading.fix];
  if (from === undefined || to === undefined) return false;
  return from.dimensions !== to.dimensions || distanceM(from, to) >= MOVED_M;
}

/** For the few metres that matter: the earth as a plane. */
function distanceM(from: Fix, to: Fix): number {
  const north = to.latitude - from.latitude;
  const degreesEast = Math.abs(to.longitude - from.longitude);
  const east = Math.min(degreesEast, 360 - degreesEast) * Math.cos((to.latitude * Math.PI) / 180);
  return METRES_PER_DEGREE * Math.hypot(north, east);
}

function statusOf(
  receiver: string,
  { state, code, reason, fix, clockOffsetMs }: GnssReading,
  more: { synchronised: boolean | null; sinceMs: number; nowMs: number },
): PositionStatus {
  const { synchronised, sinceMs, nowMs } = more;
  return {
    receiver,
    state,
    code,
    reason: reason === '' ? 'The receiver knows where it is.' : reason,
    since: new Date(sinceMs).toISOString(),
    at: new Date(nowMs).toISOString(),
    fix: fix === undefined ? 'none' : `${fix.dimensions}d`,
    // 0.1 m.
    latitude: rounded(fix?.latitude, 6),
    longitude: rounded(fix?.longitude, 6),
    altitudeM: rounded(fix?.altitudeM, 1),
    satellites: fix?.satellites ?? null,
    hdop: rounded(fix?.hdop, 2),
    speedKmh: rounded(fix?.speedKmh, 1),
    time: {
      source: clockOffsetMs === undefined ? null : 'gnss',
      offsetMs: rounded(clockOffsetMs, 0),
      synchronised,
    },
  };
}

function rounded(value: number | undefined, digits: number): number | null {
  return value === undefined ? null : Number(value.toFixed(digits));
}
