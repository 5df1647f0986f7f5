/** The time in answers to GetSystemDateAndTime (ONVIF Core §8.3.1). */
import { child, descendants, numberAt, type XmlElement } from '../../protocols/soap/xml.ts';

const QUARTER_HOUR_MS = 15 * 60_000;

/** In ms since the epoch; undefined where the device gives no UTC, or none that a token could carry. */
export function readDeviceTime(body: XmlElement): number | undefined {
  const [utc] = descendants(body, 'UTCDateTime');
  const time = child(utc, 'Time');
  const date = child(utc, 'Date');
  if (time === undefined || date === undefined) return undefined;
  const ms = Date.UTC(
    numberAt(date, 'Year'),
    numberAt(date, 'Month') - 1,
    numberAt(date, 'Day'),
    numberAt(time, 'Hour'),
    numberAt(time, 'Minute'),
    numberAt(time, 'Second'),
  );
  // `toISOString` of a token ends at the year 9999; a device without a battery starts in 1970 or 2000.
  return ms >= 0 && ms < Date.UTC(9000, 0) ? ms : undefined;
}

/** Whether the difference may be a time zone: some firmwares give local time as UTC (OpenIPC). */
export function isTimeZone(offsetMs: number, toleranceMs: number): boolean {
  const quarters = Math.round(offsetMs / QUARTER_HOUR_MS);
  return quarters !== 0 && Math.abs(offsetMs - quarters * QUARTER_HOUR_MS) < toleranceMs;
}
