/** How the box does, read from /proc and /sys: null where this machine does not tell. */
import { readFile, statfs } from 'node:fs/promises';
import { loadavg, totalmem } from 'node:os';
import type { Board } from './board.ts';
import type { Health } from './box-status.ts';

const MEBIBYTE = 1024 * 1024;
/** Half of the period in which MQTT tells it. */
const HOLDS_MS = 5_000;

export interface HealthContext {
  readonly board: Board;
  /** Brings what has been sent up to now onto the board: rates need both ends at the times of the samples. */
  readonly refresh: () => void;
  readonly dataDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class HealthSampler {
  readonly #context: HealthContext;
  #cpu = process.cpuUsage();
  /** A clock that nobody sets: rates stay right when NTP corrects the time of day. */
  #sampledAtMs = performance.now();
  #bytes = new Map<string, number>();

  constructor(context: HealthContext) {
    this.#context = context;
  }

  async sample(): Promise<Health> {
    const { board, dataDir, now } = this.#context;
    const [status, meminfo, thermal, throttled, disk, clockSynchronised] = await Promise.all([
      read('/proc/self/status'),
      read('/proc/meminfo'),
      read('/sys/class/thermal/thermal_zone0/temp'),
      read('/sys/devices/platform/soc/soc:firmware/get_throttled'),
      statfs(dataDir).catch(() => undefined),
      isClockSynchronised(),
    ]);
    const rates = this.#rates();
    return {
      at: new Date(now()).toISOString(),
      uptimeS: Math.round(process.uptime()),
      ...rates,
      rssMb: round(process.memoryUsage.rss() / MEBIBYTE),
      anonMb: kilobytesOf(status, 'RssAnon'),
      load1: round(loadavg()[0] ?? 0),
      memoryTotalMb: Math.round(totalmem() / MEBIBYTE),
      memoryAvailableMb: kilobytesOf(meminfo, 'MemAvailable'),
      temperatureC: thermal === undefined ? null : round(Number(thermal) / 1000),
      throttled: throttled?.trim() ?? null,
      diskTotalMb: disk === undefined ? null : Math.round((disk.blocks * disk.bsize) / MEBIBYTE),
      diskFreeMb: disk === undefined ? null : Math.round((disk.bavail * disk.bsize) / MEBIBYTE),
      clockSynchronised,
      ...countUp(board),
    };
  }

  #rates(): { cpuPercent: number; uplinkKbps: number } {
    const atMs = performance.now();
    const elapsedMs = Math.max(1, atMs - this.#sampledAtMs);
    this.#context.refresh();
    const used = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    this.#sampledAtMs = atMs;
    const cpuMs = (used.user + used.system) / 1000;
    return {
      cpuPercent: round((100 * cpuMs) / elapsedMs),
      uplinkKbps: Math.round((this.#bytesSince() * 8) / elapsedMs),
    };
  }

  /** A counter that went back belongs to a new session and counts from 0. */
  #bytesSince(): number {
    let sum = 0;
    const bytes = new Map<string, number>();
    for (const [key, { status }] of this.#context.board.publishes) {
      const before = this.#bytes.get(key) ?? 0;
      sum += status.bytes >= before ? status.bytes - before : status.bytes;
      bytes.set(key, status.bytes);
    }
    this.#bytes = bytes;
    return sum;
  }
}

/** For any number of people who ask: rates are since the last sample, and so each sample is for all of them. */
export class SharedHealth {
  readonly #sampler: HealthSampler;
  readonly #now: () => number;
  #last: { readonly atMs: number; readonly sample: Promise<Health> } | undefined;

  /** `now`: milliseconds on a clock that never goes backwards. */
  constructor(sampler: HealthSampler, now: () => number) {
    this.#sampler = sampler;
    this.#now = now;
  }

  sample(): Promise<Health> {
    const nowMs = this.#now();
    if (this.#last === undefined || nowMs - this.#last.atMs >= HOLDS_MS) {
      this.#last = { atMs: nowMs, sample: this.#sampler.sample() };
    }
    return this.#last.sample;
  }
}

export function countUp(board: Board): {
  streamsUp: number;
  streamsTotal: number;
  publishesUp: number;
  publishesTotal: number;
} {
  let streamsUp = 0;
  for (const { status } of board.streams.values()) if (status.state === 'online') streamsUp += 1;
  let publishesUp = 0;
  for (const { status } of board.publishes.values()) {
    if (status.state === 'publishing') publishesUp += 1;
  }
  return {
    streamsUp,
    streamsTotal: board.streams.size,
    publishesUp,
    publishesTotal: board.publishes.size,
  };
}

/** For people who look at the process from outside. */
export function describeUp(board: Board): string {
  const { streamsUp, streamsTotal, publishesUp, publishesTotal } = countUp(board);
  return `${streamsUp} of ${streamsTotal} streams, ${publishesUp} of ${publishesTotal} publishing`;
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // Not on this machine.
    return undefined;
  }
}

/** A line such as `RssAnon:     12345 kB`, in MB. */
function kilobytesOf(text: string | undefined, field: string): number | null {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text ?? '');
  return match === null ? null : round(Number(match[1]) / 1024);
}

/** systemd-timesyncd leaves a file once it has the time; with another time service we cannot tell. */
export async function isClockSynchronised(): Promise<boolean | null> {
  if ((await read('/run/systemd/timesync/synchronized')) !== undefined) return true;
  return (await statfs('/run/systemd/timesync').catch(() => undefined)) === undefined
    ? null
    : false;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
