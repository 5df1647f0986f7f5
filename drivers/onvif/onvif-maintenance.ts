/** Reboot, clock and time servers of a device (ONVIF Core §8.3). */
import { isIPv4, isIPv6 } from 'node:net';
import { ProtocolError } from '../../codecs/errors.ts';
import { descendants, escapeXml, textAt, type XmlElement } from '../../protocols/soap/xml.ts';
import type { DeviceClock } from '../camera/camera-controls.ts';
import { soapRequest } from './cam.ts';
import { readDeviceTime } from './device-time.ts';
import type { OnvifSession } from './onvif-session.ts';
import { shownText } from './shown-text.ts';

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';
/** People set two or three. */
const MAX_NTP_SERVERS = 16;

export async function reboot(session: OnvifSession, signal: AbortSignal): Promise<void> {
  // The package sends it to the DeviceIO service, which few cameras have, and none reboots by.
  await session.ask((cam, done) => cam.systemReboot(done), signal, { service: 'device' });
}

export async function readClock(
  session: OnvifSession,
  now: () => number,
  signal: AbortSignal,
): Promise<DeviceClock> {
  const { atMs, settings } = await askTime(session, now, signal);
  if (atMs === undefined) {
    throw new ProtocolError('ONVIF_REPLY', 'the camera does not tell its time');
  }
  const setBy = textAt(settings, 'DateTimeType')?.toLowerCase();
  return {
    offsetMs: atMs - now(),
    setBy: setBy === 'ntp' || setBy === 'manual' ? setBy : undefined,
    ntpServers: await readNtpServers(session, signal),
  };
}

/** To ours; its time zone stays. */
export async function setClock(
  session: OnvifSession,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = await askTime(session, now, signal);
  const options = { dateTimeType: 'Manual', ...zoneOf(settings) } as const;
  await session.ask(
    (cam, done) => cam.setSystemDateAndTime({ ...options, dateTime: new Date(now()) }, done),
    signal,
  );
}

/** As SetNTP takes it. */
export type NtpHost =
  | { readonly type: 'IPv4'; readonly IPv4Address: string }
  | { readonly type: 'IPv6'; readonly IPv6Address: string }
  | { readonly type: 'DNS'; readonly DNSname: string };

export function ntpHost(server: string): NtpHost {
  if (isIPv4(server)) return { type: 'IPv4', IPv4Address: server };
  if (isIPv6(server)) return { type: 'IPv6', IPv6Address: server };
  if (/^[\w.-]{1,253}$/.test(server)) return { type: 'DNS', DNSname: server };
  throw new ProtocolError('NTP_SERVER', `no host name or address: ${JSON.stringify(server)}`);
}

/** And sets the clock by it. */
export async function setNtp(
  session: OnvifSession,
  host: NtpHost,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = await askTime(session, now, signal);
  const options = { fromDHCP: false, NTPManual: [host] };
  await session.ask((cam, done) => cam.setNTP(options, done), signal);
  const byNtp = { dateTimeType: 'NTP', ...zoneOf(settings) } as const;
  await session.ask((cam, done) => cam.setSystemDateAndTime(byNtp, done), signal);
}

async function askTime(
  session: OnvifSession,
  now: () => number,
  signal: AbortSignal,
): Promise<{ atMs: number | undefined; settings: XmlElement | undefined }> {
  // Our own: the package's goes without the login, which some devices demand here, too (Panasonic).
  const request = soapRequest(`<GetSystemDateAndTime xmlns="${DEVICE}"/>`, 'device');
  const sentMs = now();
  const { body } = await session.send(request, signal);
  const toldMs = readDeviceTime(body);
  // It was read in the middle, and told without its fraction.
  const atMs = toldMs === undefined ? undefined : toldMs + 500 + (now() - sentMs) / 2;
  const [settings] = descendants(body, 'SystemDateAndTime');
  return { atMs, settings };
}

/** As the device has it: left out, some set another. */
function zoneOf(settings: XmlElement | undefined): {
  daylightSavings: boolean;
  timezone?: string;
} {
  const timezone = textAt(settings, 'TimeZone', 'TZ');
  return {
    daylightSavings: textAt(settings, 'DaylightSavings')?.toLowerCase() === 'true',
    ...(timezone === undefined ? {} : { timezone: escapeXml(timezone) }),
  };
}

async function readNtpServers(session: OnvifSession, signal: AbortSignal): Promise<string[]> {
  try {
    const { body } = await session.ask((cam, done) => cam.getNTP(done), signal);
    const [information] = descendants(body, 'NTPInformation');
    const servers = (information?.children ?? []).flatMap(
      (each) =>
        textAt(each, 'IPv4Address') ?? textAt(each, 'IPv6Address') ?? textAt(each, 'DNSname') ?? [],
    );
    return servers.slice(0, MAX_NTP_SERVERS).map(shownText);
  } catch (error) {
    // Not every device has it, and not every user may ask.
    if (!(error instanceof ProtocolError)) throw error;
    return [];
  }
}
