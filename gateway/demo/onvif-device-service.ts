/** The virtual camera's device service: its clock, its name, where the other services are. ONVIF Core §8. */
import { escapeXml, textAt } from '../../protocols/soap/xml.ts';
import type { OnvifService } from './onvif-operation.ts';

export const DEVICE_PATH = '/onvif/device_service';

export interface DeviceIdentity {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
}

export interface DeviceServiceOptions {
  readonly identity: DeviceIdentity;
  readonly scopes: readonly string[];
  /** `http://host:port`. */
  readonly origin: string;
  readonly others: readonly OnvifService[];
}

const NAMESPACE = 'http://www.onvif.org/ver10/device/wsdl';
const CAPABILITY_OF: Readonly<Record<string, string>> = {
  tds: 'Device',
  trt: 'Media',
  tptz: 'PTZ',
  tev: 'Events',
};

export function deviceService({
  identity,
  scopes,
  origin,
  others,
}: DeviceServiceOptions): OnvifService {
  const service: OnvifService = {
    path: DEVICE_PATH,
    namespace: NAMESPACE,
    prefix: 'tds',
    operations: {
      GetSystemDateAndTime: () => systemDateAndTime(new Date()),
      GetDeviceInformation: () => deviceInformation(identity),
      GetServices: () =>
        all()
          .map((each) => serviceEntry(each, origin))
          .join(''),
      GetCapabilities: (request) => {
        const wanted = textAt(request, 'Category') ?? 'All';
        const entries = all().map((each) => capability(each, origin, wanted));
        return `<tds:Capabilities>${entries.join('')}</tds:Capabilities>`;
      },
      GetScopes: () => scopes.map(scopeEntry).join(''),
      GetHostname: () =>
        '<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>virtual-camera</tt:Name></tds:HostnameInformation>',
    },
  };
  const all = () => [service, ...others];
  return service;
}

function systemDateAndTime(time: Date): string {
  return (
    '<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>' +
    '<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>' +
    `<tt:Time><tt:Hour>${time.getUTCHours()}</tt:Hour><tt:Minute>${time.getUTCMinutes()}</tt:Minute>` +
    `<tt:Second>${time.getUTCSeconds()}</tt:Second></tt:Time>` +
    `<tt:Date><tt:Year>${time.getUTCFullYear()}</tt:Year><tt:Month>${time.getUTCMonth() + 1}</tt:Month>` +
    `<tt:Day>${time.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>`
  );
}

function deviceInformation({ manufacturer, model, firmware, serial }: DeviceIdentity): string {
  return (
    `<tds:Manufacturer>${escapeXml(manufacturer)}</tds:Manufacturer><tds:Model>${escapeXml(model)}</tds:Model>` +
    `<tds:FirmwareVersion>${escapeXml(firmware)}</tds:FirmwareVersion>` +
    `<tds:SerialNumber>${escapeXml(serial)}</tds:SerialNumber><tds:HardwareId>virtual</tds:HardwareId>`
  );
}

function serviceEntry({ namespace, path }: OnvifService, origin: string): string {
  return (
    `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${origin}${path}</tds:XAddr>` +
    '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>'
  );
}

function capability({ prefix, path }: OnvifService, origin: string, wanted: string): string {
  const name = CAPABILITY_OF[prefix];
  if (name === undefined || (wanted !== 'All' && wanted !== name)) return '';
  return `<tt:${name}><tt:XAddr>${origin}${path}</tt:XAddr></tt:${name}>`;
}

function scopeEntry(scope: string): string {
  return `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>${escapeXml(scope)}</tt:ScopeItem></tds:Scopes>`;
}
