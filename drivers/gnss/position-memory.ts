/** What the sentences of a receiver say together: each tells a part, several times a second, and not all send the same ones. */
import type { NavigationReport, Place } from '../../protocols/nmea/navigation-report.ts';

/** What was said longer ago does not hold any more: receivers report once a second, and miss one now and then. */
const MAX_AGE_MS = 5_000;
/** A sentence comes some time after the moment it tells of; of so many, the fastest is believed. */
const OFFSETS = 30;

export interface Fix extends Place {
  readonly dimensions: 2 | 3;
  readonly altitudeM: number | undefined;
  readonly satellites: number | undefined;
  readonly hdop: number | undefined;
  readonly speedKmh: number | undefined;
}

interface Said<T> {
  readonly value: T;
  readonly atMs: number;
}

type FixReport = Extract<NavigationReport, { kind: 'gga' | 'gns' }>;

export class PositionMemory {
  #place: Said<Place> | undefined;
  #gga: Said<FixReport> | undefined;
  #gns: Said<FixReport> | undefined;
  #dimensions: Said<0 | 2 | 3> | undefined;
  #speedKmh: Said<number> | undefined;
  #offsetsMs: Said<number>[] = [];

  /** `clockMs`: our clock, milliseconds since the epoch. `atMs`: a clock that nobody sets. */
  add(report: NavigationReport, atMs: number, clockMs: number): void {
    switch (report.kind) {
      case 'gga':
        this.#gga = { value: this.#withMostSatellites(report, atMs), atMs };
        this.#setPlace(report, atMs);
        return;
      case 'gns':
        this.#gns = { value: report, atMs };
        this.#setPlace(report, atMs);
        return;
      case 'rmc':
        this.#setPlace(report, atMs);
        if (report.hasFix && report.speedKmh !== undefined)
          this.#speedKmh = { value: report.speedKmh, atMs };
        if (report.timeMs !== undefined) this.#addOffset(clockMs - report.timeMs, atMs);
        return;
      case 'gsa':
        this.#dimensions = { value: report.dimensions, atMs };
    }
  }

  /** undefined: it does not know where it is. */
  fix(nowMs: number): Fix | undefined {
    const place = fresh(this.#place, nowMs);
    if (place === undefined) return undefined;
    // GNS counts satellites of all systems. Furuno GT-88: 0 in GGA, 11 in GNS; Telit PLS83-W: 5 and 14.
    const detail = fresh(this.#gns, nowMs) ?? fresh(this.#gga, nowMs);
    const altitudeM = detail?.altitudeM;
    const said = fresh(this.#dimensions, nowMs);
    return {
      ...place,
      dimensions: said === 2 || said === 3 ? said : altitudeM === undefined ? 2 : 3,
      altitudeM,
      satellites: detail?.satellites,
      hdop: detail?.hdop,
      speedKmh: fresh(this.#speedKmh, nowMs),
    };
  }

  /** How far our clock is ahead; a little too far, by the time that sentences take. undefined: no time is known. */
  clockOffsetMs(nowMs: number): number | undefined {
    const offsets = this.#offsetsMs;
    if (fresh(offsets.at(-1), nowMs) === undefined) return undefined;
    return Math.min(...offsets.map(({ value }) => value));
  }

  #setPlace(report: { hasFix: boolean; place: Place | undefined }, atMs: number): void {
    // One sentence without a fix says nothing beside others that have one: GLGGA of a receiver that sees GPS only.
    if (report.hasFix && report.place !== undefined) this.#place = { value: report.place, atMs };
  }

  /** One GGA for each system, with its own satellites. */
  #withMostSatellites(report: FixReport, atMs: number): FixReport {
    const before = fresh(this.#gga, atMs);
    const isSameMoment = before !== undefined && before.timeOfDayMs === report.timeOfDayMs;
    return isSameMoment && (before.satellites ?? 0) > (report.satellites ?? 0) ? before : report;
  }

  #addOffset(offsetMs: number, atMs: number): void {
    const last = this.#offsetsMs.at(-1);
    // Our clock was set, or the receiver's.
    if (last !== undefined && Math.abs(last.value - offsetMs) > 2 * MAX_AGE_MS)
      this.#offsetsMs = [];
    this.#offsetsMs.push({ value: offsetMs, atMs });
    if (this.#offsetsMs.length > OFFSETS) this.#offsetsMs.shift();
  }
}

function fresh<T>(said: Said<T> | undefined, nowMs: number): T | undefined {
  return said !== undefined && nowMs - said.atMs <= MAX_AGE_MS ? said.value : undefined;
}
