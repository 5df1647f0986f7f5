/** A stream as a device of Home Assistant, behind its gateway. */
import { scrub } from '../secrets.ts';
import type { GatewayInfo } from './box-status.ts';
import {
  type Component,
  type DiscoveryPayload,
  EXPIRE_AFTER_S,
  gatewayDeviceId,
  gatewayIsThere,
  given,
  origin,
} from './home-assistant-device.ts';
import { attributes, field, jinjaText, onWhen } from './home-assistant-template.ts';
import type { PtzInfo, StreamInfo } from './status.ts';
import type { Topics } from './topics.ts';

/** Half speed for half a second: a press is a nudge. */
const NUDGE = 0.5;
const NUDGE_MS = 500;
/** VISCA has presets 0 to 127, Pelco 1 to 255. */
const MAX_PRESET_NUMBER = 255;

/** What else the payloads have changes all the time, and Home Assistant's recorder would keep each. */
const WHY = ['reason', 'code', 'since'];
const PUBLISH_STATES = ['idle', 'connecting', 'publishing', 'refused', 'waiting', 'spooling'];

export interface Preset {
  readonly token: string;
  readonly name: string;
}

export interface StreamFacts {
  readonly name: string;
  readonly info: StreamInfo | undefined;
  /** The camera has told whether something moves. */
  readonly hasMotion: boolean;
  readonly targets: readonly string[];
  /** undefined: they cannot be listed, or are not known yet. */
  readonly presets: readonly Preset[] | undefined;
}

export function streamDevice(
  topics: Topics,
  gateway: GatewayInfo,
  facts: StreamFacts,
): DiscoveryPayload {
  const { name, info } = facts;
  const status = topics.streamStatus(name);
  return {
    dev: {
      ...{ ids: [streamDeviceId(gateway.id, name)], name },
      ...given('mf', info?.manufacturer),
      ...given('mdl', info?.model),
      ...given('sw', info?.firmware),
      ...given('sn', info?.serial),
      via_device: gatewayDeviceId(gateway.id),
    },
    o: origin(gateway),
    availability: [
      gatewayIsThere(topics),
      {
        topic: status,
        value_template: `{{ 'offline' if value_json.state == 'disabled' else 'online' }}`,
      },
    ],
    availability_mode: 'all',
    cmps: new StreamComponents(topics, gateway.id, facts).all(),
  };
}

class StreamComponents {
  readonly #topics: Topics;
  readonly #id: string;
  readonly #facts: StreamFacts;

  constructor(topics: Topics, gatewayId: string, facts: StreamFacts) {
    this.#topics = topics;
    this.#id = streamDeviceId(gatewayId, facts.name);
    this.#facts = facts;
  }

  all(): Record<string, Component> {
    const { info, hasMotion, targets } = this.#facts;
    return {
      ...this.#state(),
      ...this.#stats(),
      ...(hasMotion ? this.#motion() : {}),
      ...(info?.urls['snapshot'] ? this.#snapshot() : {}),
      ...(info?.ptz === undefined ? {} : this.#ptz(info.ptz)),
      ...Object.fromEntries(targets.map((target) => this.#publish(target))),
    };
  }

  #state(): Record<string, Component> {
    const { name } = this.#facts;
    const topic = this.#topics.streamStatus(name);
    return {
      connectivity: {
        ...{ p: 'binary_sensor', ...this.#unique('connectivity'), name: 'Connectivity' },
        ...{ device_class: 'connectivity', state_topic: topic },
        value_template: onWhen(`value_json.state == 'online'`),
      },
      problem: {
        ...{ p: 'binary_sensor', ...this.#unique('problem'), name: 'Problem' },
        ...{ device_class: 'problem', state_topic: topic, json_attributes_topic: topic },
        entity_category: 'diagnostic',
        value_template: onWhen(`value_json.state not in ['online', 'connecting', 'disabled']`),
        json_attributes_template: attributes(WHY),
      },
      'last-frame': {
        ...{ p: 'sensor', ...this.#unique('last-frame'), name: 'Last frame' },
        ...{ device_class: 'timestamp', entity_category: 'diagnostic' },
        ...{ state_topic: topic, value_template: field('lastFrameAt') },
      },
      restart: {
        ...{ p: 'button', ...this.#unique('restart'), name: 'Restart stream' },
        ...{ device_class: 'restart', entity_category: 'config' },
        ...this.#command('stream/restart', { name }),
      },
    };
  }

  #stats(): Record<string, Component> {
    const sensor = (component: string, name: string, options: object): Component => ({
      ...{ p: 'sensor', ...this.#unique(component), name, expire_after: EXPIRE_AFTER_S },
      ...{ state_topic: this.#topics.streamStats(this.#facts.name), ...options },
    });
    const diagnostic = { entity_category: 'diagnostic' };
    return {
      'bit-rate': sensor('bit-rate', 'Bit rate', {
        value_template: '{{ value_json.videoKbps + value_json.audioKbps }}',
        ...{ unit_of_measurement: 'kbit/s', device_class: 'data_rate', state_class: 'measurement' },
      }),
      fps: sensor('fps', 'Frame rate', {
        ...{ value_template: field('fps'), unit_of_measurement: 'fps', state_class: 'measurement' },
      }),
      viewers: sensor('viewers', 'Viewers', {
        ...{ value_template: field('viewers'), state_class: 'measurement', ...diagnostic },
      }),
      reconnects: sensor('reconnects', 'Reconnects', {
        ...{ value_template: field('reconnects'), state_class: 'total_increasing', ...diagnostic },
      }),
      'lost-packets': sensor('lost-packets', 'Lost packets', {
        ...{ value_template: field('lostPackets'), state_class: 'total_increasing', ...diagnostic },
      }),
    };
  }

  #motion(): Record<string, Component> {
    return {
      motion: {
        ...{ p: 'binary_sensor', ...this.#unique('motion'), name: 'Motion' },
        ...{ device_class: 'motion', state_topic: this.#topics.streamMotion(this.#facts.name) },
      },
    };
  }

  #snapshot(): Record<string, Component> {
    const { name } = this.#facts;
    return {
      snapshot: {
        ...{ p: 'image', ...this.#unique('snapshot'), name: 'Snapshot' },
        ...{ image_topic: this.#topics.streamSnapshot(name), content_type: 'image/jpeg' },
      },
      'take-snapshot': {
        ...{ p: 'button', ...this.#unique('take-snapshot'), name: 'Take snapshot' },
        ...{ icon: 'mdi:camera', ...this.#command('snapshot', { name }) },
      },
    };
  }

  #ptz({ home, presets }: PtzInfo): Record<string, Component> {
    const move = (label: string, icon: string, velocity: object) =>
      ({ label, icon, args: { action: 'move', ...velocity, timeoutMs: NUDGE_MS } }) as const;
    const buttons = {
      left: move('Left', 'arrow-left', { pan: -NUDGE }),
      right: move('Right', 'arrow-right', { pan: NUDGE }),
      up: move('Up', 'arrow-up', { tilt: NUDGE }),
      down: move('Down', 'arrow-down', { tilt: -NUDGE }),
      'zoom-in': move('Zoom in', 'magnify-plus', { zoom: NUDGE }),
      'zoom-out': move('Zoom out', 'magnify-minus', { zoom: -NUDGE }),
      stop: { label: 'Stop', icon: 'stop', args: { action: 'stop' } },
      ...(home ? { home: { label: 'Home', icon: 'home', args: { action: 'home' } } } : {}),
    };
    const { name } = this.#facts;
    return {
      ...Object.fromEntries(
        Object.entries(buttons).map(([id, { label, icon, args }]): [string, Component] => [
          `ptz-${id}`,
          {
            ...{ p: 'button', ...this.#unique(`ptz-${id}`), name: label, icon: `mdi:${icon}` },
            ...this.#command('ptz', { name, ...args }),
          },
        ]),
      ),
      ...(presets === 'numbers' ? this.#presetNumber() : this.#presetSelect()),
    };
  }

  /** Whoever presses has to know the numbers. */
  #presetNumber(): Record<string, Component> {
    return {
      'preset-number': {
        ...{ p: 'number', ...this.#unique('preset-number'), name: 'Go to preset' },
        ...{ icon: 'mdi:crosshairs-gps', mode: 'box', min: 0, max: MAX_PRESET_NUMBER, step: 1 },
        command_topic: this.#topics.command('ptz'),
        command_template: `{{ {'name': ${jinjaText(this.#facts.name)}, 'action': 'preset', 'preset': value | int} | tojson }}`,
      },
    };
  }

  #presetSelect(): Record<string, Component> {
    const { name, presets = [] } = this.#facts;
    if (presets.length === 0) return {};
    const tokens = labelled(presets);
    const pairs = Array.from(
      tokens,
      ([label, token]) => `${jinjaText(label)}: ${jinjaText(token)}`,
    );
    return {
      preset: {
        ...{ p: 'select', ...this.#unique('preset'), name: 'Preset', icon: 'mdi:crosshairs-gps' },
        options: [...tokens.keys()],
        command_topic: this.#topics.command('ptz'),
        command_template: `{{ {'name': ${jinjaText(name)}, 'action': 'preset', 'preset': {${pairs.join(', ')}}[value]} | tojson }}`,
      },
    };
  }

  #publish(target: string): [string, Component] {
    const component = `publish-${target}`;
    const topic = this.#topics.publish(this.#facts.name, target);
    return [
      component,
      {
        ...{ p: 'sensor', ...this.#unique(component), name: `Publishing to ${target}` },
        ...{ device_class: 'enum', options: PUBLISH_STATES, entity_category: 'diagnostic' },
        ...{ state_topic: topic, value_template: field('state') },
        ...{ json_attributes_topic: topic, json_attributes_template: attributes(WHY) },
      },
    ];
  }

  #unique(component: string): { readonly unique_id: string } {
    return { unique_id: `${this.#id}_${component}` };
  }

  #command(verb: string, args: object): object {
    return { command_topic: this.#topics.command(verb), payload_press: JSON.stringify(args) };
  }
}

/** Names as the camera gives them; where two are alike, with the token behind. */
function labelled(presets: readonly Preset[]): Map<string, string> {
  const tokens = new Map<string, string>();
  for (const { token, name } of presets) {
    const label = scrub(name.trim() === '' ? `Preset ${token}` : name);
    tokens.set(tokens.has(label) ? `${label} (${token})` : label, token);
  }
  return tokens;
}

function streamDeviceId(gateway: string, stream: string): string {
  return `${gatewayDeviceId(gateway)}_${stream}`;
}
