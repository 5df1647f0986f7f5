/**
 * What sentences about position and time say: GGA, GNS, RMC and GSA (NMEA 0183 §6.3). Of any talker: GP, GL, GA, GB and BD, GQ, GN.
 * Not read: satellites in view (GSV), course, sentences of makers.
 */
import { ParseError } from '../../codecs/errors.ts';
import type { NmeaSentence } from './sentence-framer.ts';

const KMH_PER_KNOT = 1.852;

export interface Place {
  /** Degrees; north and east are positive. */
  readonly latitude: number;
  readonly longitude: number;
}

export type NavigationReport =
  /** Where it is, and how well that is known. GNS counts the satellites of all systems, GGA often only its talker's. */
  | {
      readonly kind: 'gga' | 'gns';
      /** Measured from satellites now: not estimated, entered by hand or simulated. */
      readonly hasFix: boolean;
      /** Milliseconds since midnight, UTC. */
      readonly timeOfDayMs: number | undefined;
      readonly place: Place | undefined;
      readonly satellites: number | undefined;
      readonly hdop: number | undefined;
      /** Above mean sea level. */
      readonly altitudeM: number | undefined;
    }
  | {
      readonly kind: 'rmc';
      readonly hasFix: boolean;
      /** Milliseconds since the epoch; only with a fix, for receivers guess before. */
      readonly timeMs: number | undefined;
      readonly place: Place | undefined;
      readonly speedKmh: number | undefined;
    }
  | { readonly kind: 'gsa'; readonly dimensions: 0 | 2 | 3 };

/** undefined: not of these kinds. Throws ParseError for what cannot be one, checksum or not. */
export function parseNavigation({ type, fields }: NmeaSentence): NavigationReport | undefined {
  switch (type) {
    case 'GGA':
      return gga(fields);
    case 'GNS':
      return gns(fields);
    case 'RMC':
      return rmc(fields);
    case 'GSA':
      return gsa(fields);
    default:
      return undefined;
  }
}

/** 1 GPS, 2 differential, 3 PPS, 4 RTK, 5 float RTK; 0 none, 6 estimated, 7 manual, 8 simulator. */
const GGA_FIXES = /^[1-5]$/;

function gga(fields: readonly string[]): NavigationReport {
  const quality = fields[QUALITY] ?? '';
  if (!/^\d?$/.test(quality)) throw new ParseError(`GGA: quality ${quality}`);
  return fixData('gga', fields, GGA_FIXES.test(quality));
}

/** One letter for each system, in NMEA 4.11 up to six: N none, E estimated, M manual, S simulator, all others a fix. */
const GNS_FIX = /[ADPRF]/;

function gns(fields: readonly string[]): NavigationReport {
  const modes = fields[QUALITY] ?? '';
  if (!/^[A-Z]*$/.test(modes)) throw new ParseError(`GNS: modes ${modes}`);
  return fixData('gns', fields, GNS_FIX.test(modes));
}

/** How well it is known, in GGA and GNS: behind the time and the place. */
const QUALITY = 5;

function fixData(
  kind: 'gga' | 'gns',
  fields: readonly string[],
  isMeasured: boolean,
): NavigationReport {
  const [time, latitude, north, longitude, east, , satellites, hdop, altitude] = fields;
  const place = placeOf(latitude, north, longitude, east);
  return {
    kind,
    hasFix: isMeasured && place !== undefined,
    timeOfDayMs: timeOfDay(time),
    place,
    satellites: decimal(satellites, 0, 255),
    hdop: decimal(hdop, 0, 100),
    altitudeM: decimal(altitude, -20_000, 100_000),
  };
}

function rmc(fields: readonly string[]): NavigationReport {
  const [time, status, latitude, north, longitude, east, knots, , date, , , mode] = fields;
  const place = placeOf(latitude, north, longitude, east);
  // Since NMEA 2.3 a mode may take back what the status says.
  const hasFix = status === 'A' && place !== undefined && (!mode || !/^[NEMS]$/.test(mode));
  const speed = decimal(knots, 0, 10_000);
  return {
    kind: 'rmc',
    hasFix,
    timeMs: hasFix ? timeOf(date, time) : undefined,
    place,
    speedKmh: speed === undefined ? undefined : speed * KMH_PER_KNOT,
  };
}

function gsa([, mode]: readonly string[]): NavigationReport {
  switch (mode) {
    case '2':
      return { kind: 'gsa', dimensions: 2 };
    case '3':
      return { kind: 'gsa', dimensions: 3 };
    default:
      return { kind: 'gsa', dimensions: 0 };
  }
}

function placeOf(
  latitude: string | undefined,
  north: string | undefined,
  longitude: string | undefined,
  east: string | undefined,
): Place | undefined {
  if (!latitude || !longitude) return undefined;
  return {
    latitude: degrees(latitude, 2, 90) * sign(north, 'N', 'S'),
    longitude: degrees(longitude, 3, 180) * sign(east, 'E', 'W'),
  };
}

/** `ddmm.mmmm`, or `dddmm.mmmm`. */
function degrees(field: string, digits: 2 | 3, max: number): number {
  if (!/^\d{4,5}(\.\d{0,12})?$/.test(field)) throw new ParseError(`an angle of ${field}`);
  const minutes = Number(field.slice(digits));
  const value = Number(field.slice(0, digits)) + minutes / 60;
  if (!(minutes < 60 && value <= max)) throw new ParseError(`an angle of ${field}`);
  return value;
}

function sign(field: string | undefined, positive: string, negative: string): 1 | -1 {
  if (field === positive) return 1;
  if (field === negative) return -1;
  throw new ParseError(`neither ${positive} nor ${negative}: ${field}`);
}

/** `hhmmss.sss`; second 60 is a leap second. */
function timeOfDay(field: string | undefined): number | undefined {
  if (!field) return undefined;
  const [, hours, minutes, seconds] = /^(\d\d)(\d\d)(\d\d(?:\.\d{0,9})?)$/.exec(field) ?? [];
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (!(h < 24 && m < 60 && s < 61)) throw new ParseError(`a time of ${field}`);
  return Math.round(((h * 60 + m) * 60 + s) * 1000);
}

/** `ddmmyy`: of this century. */
function timeOf(date: string | undefined, time: string | undefined): number | undefined {
  const ofDay = timeOfDay(time);
  if (!date || ofDay === undefined) return undefined;
  const [, day, month, year] = /^(\d\d)(\d\d)(\d\d)$/.exec(date) ?? [];
  const midnight = Date.UTC(2000 + Number(year), Number(month) - 1, Number(day));
  const isReal = new Date(midnight).getUTCDate() === Number(day) && Number(month) <= 12;
  if (!isReal) throw new ParseError(`a date of ${date}`);
  return midnight + ofDay;
}

function decimal(field: string | undefined, min: number, max: number): number | undefined {
  if (!field) return undefined;
  if (!/^[+-]?\d{1,9}(\.\d{0,12})?$/.test(field)) throw new ParseError(`a number of ${field}`);
  const value = Number(field);
  if (value < min || value > max) throw new ParseError(`a number of ${field}`);
  return value;
}
