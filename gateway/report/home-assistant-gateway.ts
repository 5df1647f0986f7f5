/** The gateway as a device of Home Assistant. */
import type { GatewayInfo, Health } from './box-status.ts';
import {
  type Component,
  type DiscoveryPayload,
  EXPIRE_AFTER_S,
  gatewayDeviceId,
  gatewayIsThere,
  given,
  origin,
} from './home-assistant-device.ts';
import { attributes, field, onWhen } from './home-assistant-template.ts';
import type { Topics } from './topics.ts';

/** `health` undefined: not measured yet. */
export function gatewayDevice(
  topics: Topics,
  info: GatewayInfo,
  health: Health | undefined,
): DiscoveryPayload {
  const id = gatewayDeviceId(info.id);
  const of = (component: string) => ({ unique_id: `${id}_${component}` });
  const sensor = (component: string, name: string, options: object): Component => ({
    ...{ p: 'sensor', ...of(component), name, state_topic: topics.health },
    ...{ entity_category: 'diagnostic', expire_after: EXPIRE_AFTER_S, ...options },
  });
  const measured = (what: number | null | undefined, make: () => Record<string, Component>) =>
    what === null ? {} : make();
  return {
    dev: {
      ...{ ids: [id], name: `Sluice ${info.id}`, mf: 'Sluice' },
      ...given('mdl', info.board),
      ...{ sw: info.version, ...configurationUrl(info) },
    },
    o: origin(info),
    availability: [gatewayIsThere(topics)],
    availability_mode: 'all',
    cmps: {
      connectivity: {
        ...{ p: 'binary_sensor', ...of('connectivity'), name: 'Connectivity' },
        ...{ device_class: 'connectivity', entity_category: 'diagnostic' },
        ...{ state_topic: topics.state, value_template: onWhen(`value == 'online'`) },
        // It has to show that the gateway is away.
        availability: [],
      },
      problem: {
        ...{ p: 'binary_sensor', ...of('problem'), name: 'Problem', device_class: 'problem' },
        ...{ entity_category: 'diagnostic', expire_after: EXPIRE_AFTER_S },
        ...{ state_topic: topics.health, json_attributes_topic: topics.health },
        json_attributes_template: attributes([
          ...['streamsUp', 'streamsTotal', 'clockSynchronised', 'throttled'],
        ]),
        // The lower four of the firmware's flags are of now, the others of some time since the start.
        value_template: onWhen(
          'value_json.streamsUp < value_json.streamsTotal or value_json.clockSynchronised == false' +
            ' or value_json.throttled | int(0, 16) % 16 > 0',
        ),
      },
      cpu: sensor('cpu', 'CPU', {
        ...{ value_template: field('cpuPercent'), unit_of_measurement: '%' },
        ...{ state_class: 'measurement', suggested_display_precision: 1 },
      }),
      ...measured(health?.temperatureC, () => ({
        temperature: sensor('temperature', 'Temperature', {
          ...{ value_template: field('temperatureC'), unit_of_measurement: '°C' },
          ...{ device_class: 'temperature', state_class: 'measurement' },
        }),
      })),
      ...measured(health?.memoryAvailableMb, () => ({
        memory: sensor('memory', 'Memory in use', {
          value_template: shareInUse('memoryAvailableMb', 'memoryTotalMb'),
          ...{ unit_of_measurement: '%', state_class: 'measurement' },
        }),
      })),
      'own-memory': sensor('own-memory', 'Memory of Sluice', {
        ...{ value_template: field('rssMb'), unit_of_measurement: 'MiB' },
        ...{ device_class: 'data_size', state_class: 'measurement' },
      }),
      ...measured(health?.diskTotalMb, () => ({
        disk: sensor('disk', 'Disk in use', {
          value_template: shareInUse('diskFreeMb', 'diskTotalMb'),
          ...{ unit_of_measurement: '%', state_class: 'measurement' },
        }),
      })),
      load: sensor('load', 'Load', {
        ...{ value_template: field('load1'), state_class: 'measurement' },
      }),
      started: {
        ...{ p: 'sensor', ...of('started'), name: 'Started', state_topic: topics.info },
        ...{ value_template: field('startedAt'), device_class: 'timestamp' },
        entity_category: 'diagnostic',
      },
      'streams-up': sensor('streams-up', 'Streams online', {
        ...{ value_template: field('streamsUp'), state_class: 'measurement' },
        json_attributes_topic: topics.health,
        json_attributes_template: attributes(['streamsTotal', 'publishesUp', 'publishesTotal']),
        entity_category: undefined,
      }),
      uplink: sensor('uplink', 'Uplink bit rate', {
        ...{ value_template: field('uplinkKbps'), unit_of_measurement: 'kbit/s' },
        ...{ device_class: 'data_rate', state_class: 'measurement', entity_category: undefined },
      }),
      version: {
        ...{ p: 'sensor', ...of('version'), name: 'Version', state_topic: topics.info },
        ...{ value_template: field('version'), entity_category: 'diagnostic' },
      },
      discover: {
        ...{ p: 'button', ...of('discover'), name: 'Look for cameras', icon: 'mdi:cctv' },
        ...{ command_topic: topics.command('discover'), payload_press: '{}' },
        entity_category: 'diagnostic',
      },
      ...(info.canRestart && {
        restart: {
          ...{ p: 'button', ...of('restart'), name: 'Restart', device_class: 'restart' },
          ...{ command_topic: topics.command('restart'), payload_press: '{}' },
          entity_category: 'config',
        },
      }),
    },
  };
}

/** Percent; either may be null for a while. */
function shareInUse(free: string, total: string): string {
  const share = `(100 * (1 - value_json.${free} / value_json.${total})) | round(1)`;
  return `{{ ${share} if value_json.${free} is number and value_json.${total} else none }}`;
}

/** Where the gateway's page is, when others can reach it. */
function configurationUrl({ urls }: GatewayInfo): Record<string, string> {
  const url = urls['http'];
  if (url === undefined || !URL.canParse(url)) return {};
  const { protocol, hostname } = new URL(url);
  const isHttp = protocol === 'http:' || protocol === 'https:';
  const isHere = /^(?:127\.|0\.0\.0\.0$|\[::1?\]$|localhost$)/.test(hostname);
  return isHttp && !isHere ? { cu: url } : {};
}
