import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import type { GatewayInfo, Health } from '../../../gateway/report/box-status.ts';
import { COMMANDS, type CommandVerb } from '../../../gateway/report/commands.ts';
import { gatewayDevice } from '../../../gateway/report/home-assistant-gateway.ts';
import { type StreamFacts, streamDevice } from '../../../gateway/report/home-assistant-stream.ts';
import type { PtzInfo } from '../../../gateway/report/status.ts';
import { Topics } from '../../../gateway/report/topics.ts';
import { registerSecret } from '../../../gateway/secrets.ts';
import { deviceDiscoverySchema, writtenOut } from '../../support/home-assistant-schema.ts';

const topics = new Topics('sluice', 'box-1');
const check = new Ajv({ allErrors: true, discriminator: true, strict: false }).compile(
  deviceDiscoverySchema,
);

const info: GatewayInfo = {
  ...{ schema: 1, id: 'box-1', session: 3, startedAt: '2026-11-25T10:00:00.000Z' },
  ...{ version: '1.2.3', host: 'box', board: 'Raspberry Pi 4', arch: 'arm64', node: '20.0.0' },
  ...{ addresses: ['10.0.0.5'], streams: ['door'], configHash: 'abc', canRestart: false },
  urls: { http: 'http://10.0.0.5:8080' },
};

const health: Health = {
  ...{ at: '2026-11-25T10:00:00.000Z', uptimeS: 10, cpuPercent: 3.2, rssMb: 80, anonMb: 40 },
  ...{ load1: 0.2, memoryTotalMb: 4000, memoryAvailableMb: 3000, temperatureC: 51.2 },
  ...{ throttled: '0', diskTotalMb: 30_000, diskFreeMb: 12_000, uplinkKbps: 4000 },
  ...{ clockSynchronised: true, streamsUp: 1, streamsTotal: 1, publishesUp: 1, publishesTotal: 1 },
};

const ptz: PtzInfo = { protocol: 'onvif', absolute: true, home: true, presets: 'list' };
const full: StreamFacts = {
  name: 'door',
  info: {
    ...{ source: 'rtsp://10.0.0.2/1', manufacturer: 'Acme', model: 'X1', firmware: '9' },
    ...{ serial: 'S-1', tracks: [], ptz },
    urls: { snapshot: 'http://10.0.0.5:8080/live/door.jpg' },
  },
  ...{ hasMotion: true, targets: ['master', 'backup'] },
  presets: [
    { token: '1', name: 'Gate' },
    { token: '2', name: 'Gate' },
    { token: '3', name: ' ' },
  ],
};
const bare: StreamFacts = {
  ...{ name: 'door', info: undefined, hasMotion: false, targets: [] },
  presets: undefined,
};

function checked(payload: unknown) {
  const discovery = writtenOut(JSON.stringify(payload));
  assert.ok(check(discovery), JSON.stringify(check.errors, undefined, 1));
  return discovery;
}

describe('a stream as a device of Home Assistant', () => {
  it('of which little is known yet has no more than what every stream has', () => {
    const { components, device } = checked(streamDevice(topics, info, bare));
    assert.deepEqual(Object.keys(components).sort(), [
      ...['bit-rate', 'connectivity', 'fps', 'last-frame', 'lost-packets', 'problem'],
      ...['reconnects', 'restart', 'viewers'],
    ]);
    assert.deepEqual(device, {
      ...{ identifiers: ['sluice_box-1_door'], name: 'door', via_device: 'sluice_box-1' },
    });
  });

  it('has what its camera can do, and a sensor for each target', () => {
    const { components, device } = checked(streamDevice(topics, info, full));
    assert.deepEqual(
      Object.keys(components)
        .filter((id) => /ptz|preset|publish|motion|snapshot/.test(id))
        .sort(),
      [
        ...['motion', 'preset', 'ptz-down', 'ptz-home', 'ptz-left', 'ptz-right', 'ptz-stop'],
        ...['ptz-up', 'ptz-zoom-in', 'ptz-zoom-out', 'publish-backup', 'publish-master'],
        ...['snapshot', 'take-snapshot'],
      ],
    );
    assert.equal(device['manufacturer'], 'Acme');
    assert.equal(device['serial_number'], 'S-1');
  });

  it('names presets that are called alike by their tokens', () => {
    const { components } = checked(streamDevice(topics, info, full));
    assert.deepEqual(components['preset']?.['options'], ['Gate', 'Gate (2)', 'Preset 3']);
  });

  it('asks for a number where presets cannot be listed, and for nothing while the list is not known', () => {
    const numbers = { ...ptz, presets: 'numbers', home: false } as const;
    const onSerial = {
      ...full,
      info: { source: '', tracks: [], urls: {}, ptz: numbers },
      presets: undefined,
    };
    const { components } = checked(streamDevice(topics, info, onSerial));
    assert.equal(components['preset-number']?.['platform'], 'number');
    assert.equal(components['ptz-home'], undefined);
    const notYet = checked(streamDevice(topics, info, { ...full, presets: undefined }));
    assert.equal(notYet.components['preset'], undefined);
    assert.equal(notYet.components['preset-number'], undefined);
  });

  it('is away with its gateway, and while it is disabled', () => {
    const { availability, availability_mode } = checked(streamDevice(topics, info, bare));
    assert.equal(availability_mode, 'all');
    assert.deepEqual(
      availability.map(({ topic }) => topic),
      ['sluice/box-1/state', 'sluice/box-1/stream/door/status'],
    );
  });

  it('sends commands that the gateway takes', () => {
    const { components } = checked(streamDevice(topics, info, full));
    const buttons = Object.values(components).filter(({ platform }) => platform === 'button');
    assert.equal(buttons.length, 10);
    for (const { command_topic, payload_press } of buttons) {
      const verb = topics.verbOf(String(command_topic)) as CommandVerb;
      const parsed = COMMANDS[verb].safeParse(JSON.parse(String(payload_press)));
      assert.ok(parsed.success, `${verb} ${payload_press}`);
    }
  });

  it('tells no secret, whatever the camera calls itself', () => {
    registerSecret('tops3cret');
    const leaky = {
      source: '',
      tracks: [],
      urls: {},
      manufacturer: 'tops3cret',
      model: 'rtsp://a:b@c/',
    };
    const presets = [{ token: '1', name: 'at tops3cret' }];
    const text = JSON.stringify(
      streamDevice(topics, info, { ...full, info: { ...leaky, ptz }, presets }),
    );
    assert.doesNotMatch(text, /tops3cret|a:b@/);
    assert.match(text, /"mf":"\*\*\*"/);
  });
});

describe('the gateway as a device of Home Assistant', () => {
  it('shows what this machine tells', () => {
    const { components, device } = checked(gatewayDevice(topics, info, health));
    assert.deepEqual(Object.keys(components).sort(), [
      ...['connectivity', 'cpu', 'discover', 'disk', 'load', 'memory', 'own-memory', 'problem'],
      ...['started', 'streams-up', 'temperature', 'uplink', 'version'],
    ]);
    assert.equal(device['configuration_url'], 'http://10.0.0.5:8080');
  });

  it('has no sensor for what this machine does not tell', () => {
    const silent = { ...health, temperatureC: null, memoryAvailableMb: null, diskTotalMb: null };
    const { components } = checked(gatewayDevice(topics, { ...info, board: null }, silent));
    for (const id of ['temperature', 'memory', 'disk']) assert.equal(components[id], undefined);
  });

  it('has a button that restarts it, where that works', () => {
    const { components } = checked(gatewayDevice(topics, { ...info, canRestart: true }, health));
    const { device_class, entity_category, command_topic, payload_press } =
      components['restart'] ?? assert.fail();
    assert.deepEqual([device_class, entity_category], ['restart', 'config']);
    assert.deepEqual([command_topic, payload_press], ['sluice/box-1/cmd/restart', '{}']);
    assert.equal(checked(gatewayDevice(topics, info, health)).components['restart'], undefined);
  });

  it('shows that it is away while everything else is unavailable', () => {
    const { components } = checked(gatewayDevice(topics, info, health));
    assert.deepEqual(components['connectivity']?.['availability'], []);
    assert.equal(components['cpu']?.['availability'], undefined);
  });

  it('gives no address of its page that only this machine reaches', () => {
    for (const http of [
      'http://127.0.0.1:8080',
      'http://0.0.0.0:80',
      'http://[::]:80',
      'nonsense',
    ]) {
      const { device } = checked(gatewayDevice(topics, { ...info, urls: { http } }, health));
      assert.equal(device['configuration_url'], undefined, http);
    }
  });
});

describe('discovery payloads', () => {
  it('are what Home Assistant takes, whatever devices and presets are called', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('', '{{ 7 * 7 }}', '{% raw %}', "'", '"', '\\', '\\u0041', '😀', '\0', '\n'),
    );
    const name = fc.stringMatching(/^[a-z0-9-]{1,48}$/);
    fc.assert(
      fc.property(
        ...([name, fc.uniqueArray(name, { maxLength: 5 }), odd, odd] as const),
        ...([fc.array(fc.record({ token: odd, name: odd }), { maxLength: 20 })] as const),
        ...([fc.boolean(), fc.constantFrom('list', 'numbers')] as const),
        (stream, targets, manufacturer, model, presets, flag, kind) => {
          const facts: StreamFacts = {
            ...{ name: stream, targets, presets, hasMotion: flag },
            info: {
              ...{
                source: '',
                tracks: [],
                manufacturer,
                model,
                urls: flag ? { snapshot: 'x' } : {},
              },
              ptz: { ...ptz, presets: kind, home: flag },
            },
          };
          const { components } = checked(streamDevice(topics, info, facts));
          checked(gatewayDevice(topics, { ...info, board: model, host: manufacturer }, undefined));
          const ids = Object.values(components).map(({ unique_id }) => unique_id);
          assert.equal(new Set(ids).size, ids.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of no two devices have an id in common', () => {
    const ids = ['cpu', 'door', 'door-fps', 'publish-a', 'a'].flatMap((name) => {
      const facts = { ...full, name, targets: ['a', 'publish-a'] };
      return Object.values(
        writtenOut(JSON.stringify(streamDevice(topics, info, facts))).components,
      );
    });
    const gateway = writtenOut(JSON.stringify(gatewayDevice(topics, info, health)));
    const all = [...ids, ...Object.values(gateway.components)].map(({ unique_id }) => unique_id);
    assert.equal(new Set(all).size, all.length);
  });
});
