/** One attempt at a source, watched for a while: what comes, and what is wrong with it. */
import { performance } from 'node:perf_hooks';
import { describeTrack, type TrackDescription } from '../../codecs/describe-track.ts';
import type { SourceStats } from '../../drivers/driver.ts';
import { type Cause, explain } from '../causes.ts';
import type { ConfiguredSource } from '../configured-source.ts';
import { type Finding, findings } from './findings.ts';
import {
  type AudioMeasured,
  type Measured,
  MeasuringSink,
  type VideoMeasured,
} from './measuring-sink.ts';

/** From connect to the first unit: lookup, login, SETUP, a fallback to UDP and back, a long GOP. */
const FIRST_UNIT_MS = 20_000;
/** Packets for so long, and no picture begins: there is nothing more to learn. */
const NO_KEYFRAME_MS = 10_000;
const LOOK_MS = 500;

export interface ProbeReport {
  /** Without secrets. */
  readonly source: string;
  /** Pictures or sound came. */
  readonly ok: boolean;
  /** Which masters can take the video. */
  readonly carriage: 'any' | 'enhanced' | 'none';
  readonly findings: readonly Finding[];
  readonly tracks: readonly TrackDescription[];
  readonly device: Readonly<Record<string, unknown>>;
  readonly transport: string | null;
  readonly firstUnitMs: number | null;
  readonly measuredMs: number;
  readonly video: (VideoMeasured & { readonly kbps: number }) | null;
  readonly audio: (AudioMeasured & { readonly kbps: number }) | null;
  readonly clockPercent: number | null;
  readonly packets: {
    readonly received: number;
    readonly lost: number;
    readonly damagedUnits: number;
    readonly jitterMs: number;
  };
}

/** `measureMs`: from the first unit on. Ends early when the source does or `signal` aborts; never throws for the source. */
export async function probe(
  source: ConfiguredSource,
  measureMs: number,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const { driver } = source;
  const { measured, stats, cause } = await watch(source, measureMs, signal);
  const tracks = measured.tracks.map(describeTrack);
  const statedFps = tracks.find((track) => track.kind === 'video')?.fps;
  const seconds = measured.mediaMs / 1000;
  return {
    source: source.sourceUrl,
    ok: measured.firstUnitMs !== undefined,
    carriage: carriageOf(tracks),
    findings: findings({ measured, stats, notes: driver.notes, cause, statedFps }),
    tracks,
    device: source.describe?.() ?? {},
    transport: stats.transport ?? null,
    firstUnitMs: measured.firstUnitMs ?? null,
    measuredMs: measured.mediaMs,
    video: withRate(measured.video, seconds),
    audio: withRate(measured.audio, seconds),
    clockPercent: stats.clockPercent ?? measured.clockPercent ?? null,
    packets: {
      received: stats.receivedPackets,
      lost: stats.lostPackets,
      damagedUnits: stats.damagedUnits,
      jitterMs: stats.jitterMs,
    },
  };
}

interface Watched {
  readonly measured: Measured;
  readonly stats: SourceStats;
  /** Why it ended early, or why nothing came. */
  readonly cause: Cause | undefined;
}

async function watch(
  { driver, who }: ConfiguredSource,
  measureMs: number,
  signal: AbortSignal,
): Promise<Watched> {
  const enough = new AbortController();
  const ending = AbortSignal.any([signal, enough.signal]);
  let timer = setTimeout(() => enough.abort(), FIRST_UNIT_MS);
  const sink = new MeasuringSink(
    () => performance.now(),
    () => {
      clearTimeout(timer);
      timer = setTimeout(() => enough.abort(), measureMs);
    },
  );
  let packetsSinceMs: number | undefined;
  const look = setInterval(() => {
    if (driver.stats.receivedPackets > 0) packetsSinceMs ??= performance.now();
    if (sink.hasUnits || packetsSinceMs === undefined) return;
    if (performance.now() - packetsSinceMs > NO_KEYFRAME_MS) enough.abort();
  }, LOOK_MS);
  // Read while the session lives: some counters go with it.
  let stats: SourceStats | undefined;
  ending.addEventListener('abort', () => {
    stats = { ...driver.stats };
  });
  try {
    await driver.run(sink, ending);
    return { measured: sink.read(), stats: { ...driver.stats }, cause: causeOf(undefined, who) };
  } catch (error) {
    stats ??= { ...driver.stats };
    const measured = sink.read();
    if (!ending.aborted) return { measured, stats, cause: causeOf(error, who) };
    const isSilent = !sink.hasUnits && stats.receivedPackets === 0 && !signal.aborted;
    const silence = new DOMException('nothing came', 'TimeoutError');
    return { measured, stats, cause: isSilent ? causeOf(silence, who) : undefined };
  } finally {
    clearTimeout(timer);
    clearInterval(look);
  }
}

/** A probe does not come back, whatever the words for a service say at their end. */
function causeOf(error: unknown, who: string): Cause {
  const { reason, ...cause } = explain(error, who, 'camera');
  return { ...cause, reason: reason.replace(AGAIN, '.') };
}

const AGAIN = /[.;]? *(trying again|connecting anew|waiting long between tries[^.]*)\.$/i;

function carriageOf(tracks: readonly TrackDescription[]): ProbeReport['carriage'] {
  const video = tracks.find((track) => track.kind === 'video');
  if (tracks.length === 0) return 'none';
  return video === undefined || video.codec === 'h264' ? 'any' : 'enhanced';
}

function withRate<T extends { readonly bytes: number }>(
  measured: T | undefined,
  seconds: number,
): (T & { readonly kbps: number }) | null {
  if (measured === undefined) return null;
  const kbps = seconds > 0 ? Math.round((measured.bytes * 8) / 1000 / seconds) : 0;
  return { ...measured, kbps };
}
