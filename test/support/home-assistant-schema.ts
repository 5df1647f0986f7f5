/**
 * What Home Assistant takes as MQTT device discovery, as JSON Schema: facts read on 2026-11-25 from home-assistant/core,
 * homeassistant/components/mqtt (schemas.py, discovery.py, entity.py, sensor.py, binary_sensor.py, button.py, image.py,
 * select.py, number.py, abbreviations.py; const.py of the sensor component at 00eb6680, which is of the second half of 2025),
 * and from its documentation of the `mqtt` integration.
 *
 * Home Assistant drops unknown keys of a component in silence and refuses them in `device` and `origin`; here all are refused.
 * It takes components without `unique_id` from YAML only: the device of discovery needs one.
 */

const text = { type: 'string' };
const filled = { type: 'string', minLength: 1 };
/** No wildcards: all of ours are single topics. At most 65 535 bytes, no NUL. */
const topic = { type: 'string', minLength: 1, maxLength: 65_535, pattern: '^[^+#\\u0000]+$' };
const template = filled;
const positive = { type: 'integer', minimum: 1 };

/** Of a device, after the short forms of `DEVICE_ABBREVIATIONS` are written out. */
const device = {
  type: 'object',
  additionalProperties: false,
  anyOf: [{ required: ['identifiers'] }, { required: ['connections'] }],
  properties: {
    identifiers: { type: 'array', minItems: 1, items: filled },
    connections: { type: 'array', items: { type: 'array', items: text, minItems: 2, maxItems: 2 } },
    configuration_url: { type: 'string', pattern: '^(https?|homeassistant)://[^/]+' },
    ...{ manufacturer: text, model: text, model_id: text, name: filled, hw_version: text },
    ...{ serial_number: text, sw_version: text, via_device: filled, suggested_area: text },
  },
};

const origin = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    ...{ name: filled, sw_version: text },
    support_url: { type: 'string', pattern: '^https?://' },
  },
};

const availability = {
  availability: {
    type: 'array',
    items: {
      type: 'object',
      required: ['topic'],
      additionalProperties: false,
      properties: {
        ...{ topic, payload_available: text, payload_not_available: text },
        value_template: template,
      },
    },
  },
  availability_mode: { enum: ['all', 'any', 'latest'] },
};

/** Every entity. */
const common = {
  ...availability,
  unique_id: filled,
  name: { type: ['string', 'null'], minLength: 1 },
  ...{ enabled_by_default: { type: 'boolean' }, qos: { enum: [0, 1, 2] }, encoding: text },
  icon: { type: 'string', pattern: '^[a-z]+:[a-z0-9-]+$' },
  entity_category: { enum: ['config', 'diagnostic'] },
  ...{ json_attributes_topic: topic, json_attributes_template: template },
};

/** What is only read is not configuration: Home Assistant refuses such an entity. */
const read = { ...common, entity_category: { const: 'diagnostic' } };

function component(platform: string, required: readonly string[], properties: object) {
  return {
    type: 'object',
    required: ['platform', 'unique_id', ...required],
    additionalProperties: false,
    properties: { platform: { const: platform }, ...properties },
    // The template is of the topic's messages.
    dependentRequired: { json_attributes_template: ['json_attributes_topic'] },
  };
}

/** For those that we could want: with a class, its units and state classes, and nothing else. */
const SENSOR_CLASSES: Readonly<
  Record<string, { readonly units: readonly string[]; readonly states: readonly string[] }>
> = {
  data_rate: {
    units: [
      ...['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'B/s', 'kB/s', 'MB/s', 'GB/s'],
      ...['KiB/s', 'MiB/s', 'GiB/s'],
    ],
    states: ['measurement'],
  },
  data_size: {
    units: [
      ...['bit', 'kbit', 'Mbit', 'Gbit', 'B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'],
      ...['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'],
    ],
    states: ['measurement', 'total', 'total_increasing'],
  },
  duration: {
    units: ['d', 'h', 'min', 's', 'ms'],
    states: ['measurement', 'total', 'total_increasing'],
  },
  temperature: { units: ['°C', '°F', 'K'], states: ['measurement'] },
  timestamp: { units: [], states: [] },
  enum: { units: [], states: [] },
};

function sensorClass([device_class, { units, states }]: [string, (typeof SENSOR_CLASSES)[string]]) {
  return {
    if: { required: ['device_class'], properties: { device_class: { const: device_class } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: {
      properties: {
        unit_of_measurement: units.length === 0 ? false : { enum: units },
        state_class: states.length === 0 ? false : { enum: states },
      },
      required: units.length === 0 ? [] : ['unit_of_measurement'],
    },
  };
}

const components = {
  sensor: {
    ...component('sensor', ['state_topic'], {
      ...read,
      ...{ state_topic: topic, value_template: template, expire_after: positive },
      ...{ force_update: { type: 'boolean' }, suggested_display_precision: { minimum: 0 } },
      device_class: { enum: Object.keys(SENSOR_CLASSES) },
      state_class: { enum: ['measurement', 'total', 'total_increasing'] },
      unit_of_measurement: filled,
      options: { type: 'array', minItems: 1, uniqueItems: true, items: filled },
    }),
    allOf: [
      ...Object.entries(SENSOR_CLASSES).map(sensorClass),
      {
        if: { required: ['options'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: { required: ['device_class'], properties: { device_class: { const: 'enum' } } },
      },
    ],
  },
  binary_sensor: component('binary_sensor', ['state_topic'], {
    ...read,
    ...{ state_topic: topic, value_template: template, expire_after: positive },
    ...{ off_delay: positive, payload_on: text, payload_off: text },
    // Of 28; these four say what ours mean.
    device_class: { enum: ['connectivity', 'problem', 'motion', 'running'] },
  }),
  button: component('button', ['command_topic'], {
    ...common,
    // A text: an object is refused.
    ...{ command_topic: topic, payload_press: text, command_template: template },
    ...{ retain: { const: false }, device_class: { enum: ['identify', 'restart', 'update'] } },
  }),
  image: component('image', ['image_topic'], {
    ...common,
    ...{ image_topic: topic, content_type: { type: 'string', pattern: '^image/' } },
    image_encoding: { const: 'b64' },
  }),
  select: component('select', ['command_topic', 'options'], {
    ...common,
    ...{ command_topic: topic, command_template: template, state_topic: topic },
    ...{ value_template: template, retain: { const: false } },
    options: { type: 'array', minItems: 1, uniqueItems: true, items: filled },
  }),
  number: component('number', ['command_topic'], {
    ...common,
    ...{ command_topic: topic, command_template: template, state_topic: topic },
    ...{ min: { type: 'number' }, max: { type: 'number' }, retain: { const: false } },
    step: { type: 'number', minimum: 0.001 },
    mode: { enum: ['auto', 'box', 'slider'] },
  }),
};

/** Only its platform: Home Assistant forgets the component. */
const removed = {
  type: 'object',
  required: ['platform'],
  additionalProperties: false,
  properties: { platform: { enum: Object.keys(components) } },
};

/** Of a discovery payload whose short forms are written out. */
export const deviceDiscoverySchema = {
  type: 'object',
  required: ['device', 'origin', 'components'],
  additionalProperties: false,
  properties: {
    ...{ device, origin, ...availability, state_topic: topic, command_topic: topic },
    ...{ qos: { enum: [0, 1, 2] }, encoding: text },
    components: {
      type: 'object',
      // They become object ids: what HA's TOPIC_MATCHER takes, and no blank, at which it splits them again.
      propertyNames: { pattern: '^[a-zA-Z0-9_-]+$' },
      additionalProperties: {
        if: { maxProperties: 1 },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: removed,
        else: {
          type: 'object',
          required: ['platform'],
          discriminator: { propertyName: 'platform' },
          oneOf: Object.values(components),
        },
      },
    },
  },
};

/** homeassistant/components/mqtt/discovery.py, TOPIC_MATCHER, behind the prefix. */
export const DISCOVERY_TOPIC = /^device\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/;

const SHORT = {
  payload: { dev: 'device', o: 'origin', cmps: 'components' },
  device: {
    ...{ ids: 'identifiers', mf: 'manufacturer', mdl: 'model', sw: 'sw_version' },
    ...{ sn: 'serial_number', cu: 'configuration_url' },
  },
  origin: { sw: 'sw_version', url: 'support_url' },
  component: { p: 'platform' },
};

type Fields = Record<string, unknown>;

export interface Discovery extends Fields {
  readonly device: Fields;
  readonly origin: Fields;
  readonly components: Readonly<Record<string, Fields>>;
  readonly availability: readonly Fields[];
}

/** Writes the short forms out, as Home Assistant does before it looks at anything. */
export function writtenOut(json: string): Discovery {
  const payload = renamed(JSON.parse(json), SHORT.payload);
  const written = Object.entries(payload['components'] as Record<string, Fields>).map(
    ([id, one]): [string, Fields] => [id, renamed(one, SHORT.component)],
  );
  return {
    ...payload,
    device: renamed(payload['device'] as Fields, SHORT.device),
    origin: renamed(payload['origin'] as Fields, SHORT.origin),
    components: Object.fromEntries(written),
    availability: payload['availability'] as Fields[],
  };
}

function renamed(fields: Fields, names: Readonly<Record<string, string>>): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [names[key] ?? key, value]),
  );
}
