/** A virtual camera's device service: who it is, where its services are, its clock. */
import { escapeXml, numberAt, textAt, type XmlElement } from '../../../protocols/soap/xml.ts';
import type { VirtualAccount } from './login.ts';
import { DEVICE, SCHEMA, type VirtualCall, type VirtualService } from './soap.ts';

export interface VirtualIdentity {
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly firmware?: string | undefined;
  readonly serial?: string | undefined;
  readonly mac?: string | undefined;
}

export interface DeviceServiceOptions {
  readonly identity: VirtualIdentity;
  readonly clock: VirtualAccount;
  /** Instead of the clock's, as told. */
  readonly claimedOffsetMs: () => number | undefined;
  /** By namespace, and by the name that GetCapabilities has for it: its XAddr. */
  readonly services: () => readonly { namespace: string; capability: string; xaddr: string }[];
  readonly hasNoGetServices: boolean;
}

export class DeviceService implements VirtualService {
  reboots = 0;
  ntpServers: string[] = [];
  setBy: 'Manual' | 'NTP' = 'Manual';
  timeZone = 'CET-1CEST,M3.5.0,M10.5.0/3';
  daylightSavings = false;
  readonly #options: DeviceServiceOptions;

  constructor(options: DeviceServiceOptions) {
    this.#options = options;
  }

  perform({ name, operation }: VirtualCall): string | undefined {
    switch (name) {
      case 'GetSystemDateAndTime':
        return this.#systemDateAndTime();
      case 'SetSystemDateAndTime':
        return this.#setClock(operation);
      case 'GetNTP':
        return this.#ntp();
      case 'SetNTP':
        this.ntpServers = operation.children.flatMap(
          (each) => textAt(each, 'IPv4Address') ?? textAt(each, 'DNSname') ?? [],
        );
        return empty(name);
      case 'SystemReboot':
        this.reboots += 1;
        return `<tds:SystemRebootResponse xmlns:tds="${DEVICE}"><tds:Message>Rebooting</tds:Message></tds:SystemRebootResponse>`;
      case 'GetDeviceInformation':
        return this.#deviceInformation();
      case 'GetNetworkInterfaces':
        return this.#networkInterfaces();
      case 'GetServices':
        return this.#options.hasNoGetServices ? undefined : this.#services();
      case 'GetCapabilities':
        return this.#capabilities();
      default:
        return undefined;
    }
  }

  #systemDateAndTime(): string {
    const { clock, claimedOffsetMs } = this.#options;
    const time = new Date(Date.now() + (claimedOffsetMs() ?? clock.clockOffsetMs));
    return (
      `<tds:GetSystemDateAndTimeResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:SystemDateAndTime>` +
      `<tt:DateTimeType>${this.setBy}</tt:DateTimeType><tt:DaylightSavings>${this.daylightSavings}</tt:DaylightSavings>` +
      `<tt:TimeZone><tt:TZ>${this.timeZone}</tt:TZ></tt:TimeZone>` +
      `<tt:UTCDateTime><tt:Time><tt:Hour>${time.getUTCHours()}</tt:Hour><tt:Minute>${time.getUTCMinutes()}</tt:Minute>` +
      `<tt:Second>${time.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${time.getUTCFullYear()}</tt:Year>` +
      `<tt:Month>${time.getUTCMonth() + 1}</tt:Month><tt:Day>${time.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime>` +
      '</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>'
    );
  }

  #setClock(operation: XmlElement): string {
    this.setBy = textAt(operation, 'DateTimeType') === 'NTP' ? 'NTP' : 'Manual';
    this.timeZone = textAt(operation, 'TimeZone', 'TZ') ?? 'UTC0';
    this.daylightSavings = textAt(operation, 'DaylightSavings') === 'true';
    const part = (...path: string[]) => numberAt(operation, 'UTCDateTime', ...path);
    const year = part('Date', 'Year');
    if (year > 0) {
      const ms = Date.UTC(
        year,
        part('Date', 'Month') - 1,
        part('Date', 'Day'),
        part('Time', 'Hour'),
        part('Time', 'Minute'),
        part('Time', 'Second'),
      );
      this.#options.clock.clockOffsetMs = ms - Date.now();
    }
    return empty('SetSystemDateAndTime');
  }

  #ntp(): string {
    const servers = this.ntpServers.map((server) =>
      /^[\d.]+$/.test(server)
        ? `<tt:NTPManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>${server}</tt:IPv4Address></tt:NTPManual>`
        : `<tt:NTPManual><tt:Type>DNS</tt:Type><tt:DNSname>${server}</tt:DNSname></tt:NTPManual>`,
    );
    return (
      `<tds:GetNTPResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:NTPInformation>` +
      `<tt:FromDHCP>false</tt:FromDHCP>${servers.join('')}</tds:NTPInformation></tds:GetNTPResponse>`
    );
  }

  #deviceInformation(): string {
    const {
      manufacturer = 'Virtual',
      model = 'VC-1',
      firmware = '1.0',
      serial = 'VC0001',
    } = this.#options.identity;
    return (
      `<tds:GetDeviceInformationResponse xmlns:tds="${DEVICE}"><tds:Manufacturer>${escapeXml(manufacturer)}</tds:Manufacturer>` +
      `<tds:Model>${escapeXml(model)}</tds:Model><tds:FirmwareVersion>${escapeXml(firmware)}</tds:FirmwareVersion>` +
      `<tds:SerialNumber>${escapeXml(serial)}</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`
    );
  }

  #networkInterfaces(): string | undefined {
    const { mac } = this.#options.identity;
    if (mac === undefined) return undefined;
    return (
      `<tds:GetNetworkInterfacesResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:NetworkInterfaces token="eth0">` +
      `<tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>` +
      '</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>'
    );
  }

  #services(): string {
    const services = this.#options
      .services()
      .map(
        ({ namespace, xaddr }) =>
          `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${xaddr}</tds:XAddr>` +
          '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>',
      );
    return `<tds:GetServicesResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}">${services.join('')}</tds:GetServicesResponse>`;
  }

  #capabilities(): string {
    const capabilities = this.#options
      .services()
      .filter(({ capability }) => capability !== '')
      .map(
        ({ capability, xaddr }) =>
          `<tt:${capability}><tt:XAddr>${xaddr}</tt:XAddr></tt:${capability}>`,
      );
    return (
      `<tds:GetCapabilitiesResponse xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><tds:Capabilities>` +
      `${capabilities.join('')}</tds:Capabilities></tds:GetCapabilitiesResponse>`
    );
  }
}

function empty(operation: string): string {
  return `<tds:${operation}Response xmlns:tds="${DEVICE}"/>`;
}
