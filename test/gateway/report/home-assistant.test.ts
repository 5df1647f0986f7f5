import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Board } from '../../../gateway/report/board.ts';
import type { GatewayInfo } from '../../../gateway/report/box-status.ts';
import type { BrokerLink } from '../../../gateway/report/broker-link.ts';
import type { CommandEvents } from '../../../gateway/report/commands.ts';
import { HomeAssistant } from '../../../gateway/report/home-assistant.ts';
import type { StreamInfo } from '../../../gateway/report/status.ts';
import { Topics } from '../../../gateway/report/topics.ts';
import { publishStatus, streamStatus } from '../../support/reporting.ts';

const GATEWAY = 'homeassistant/device/box/config';
const DOOR = 'homeassistant/device/box/door/config';
const OLD = 'homeassistant/device/box/old/config';
const PTZ: StreamInfo = {
  ...{ source: '', tracks: [], urls: {} },
  ptz: { protocol: 'onvif', absolute: false, home: false, presets: 'list' },
};

/** What the broker would hold. */
class Held {
  readonly topics = new Map<string, string>();
  readonly cleared: string[] = [];
  readonly repeated: string[] = [];

  set(topic: string, payload: string): void {
    this.topics.set(topic, payload);
  }
  remove(topic: string): void {
    this.topics.delete(topic);
  }
  clear(topic: string): void {
    this.cleared.push(topic);
  }
  repeat(topic: string): void {
    this.repeated.push(topic);
  }
  components(topic: string): Record<string, Record<string, unknown>> {
    return JSON.parse(this.topics.get(topic) ?? '{"cmps":{}}').cmps;
  }
}

describe('the discovery topics of Home Assistant', () => {
  let board: Board;
  let held: Held;
  let subscribed: string[];
  let asked: string[];
  let presets: unknown[];
  let commands: EventEmitter<CommandEvents>;
  let discovery: HomeAssistant;
  const link = {
    subscribe: (filter: string) => void subscribed.push(filter),
  } as Partial<BrokerLink> as BrokerLink;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    board = new Board();
    held = new Held();
    subscribed = [];
    asked = [];
    presets = [{ token: '7', name: 'Gate' }, 'nonsense', { token: 1 }];
    commands = new EventEmitter<CommandEvents>();
    discovery = new HomeAssistant({
      ...{ prefix: 'homeassistant', gatewayId: 'box', topics: new Topics('sluice', 'box') },
      ...{ board, retained: held, now: Date.now, random: () => 0.5 },
      info: () =>
        ({ id: 'box', version: '1', urls: {}, board: null }) as Partial<GatewayInfo> as GatewayInfo,
      commands: Object.assign(commands, {
        run: async (verb: string, payload: Uint8Array) => {
          asked.push(`${verb} ${Buffer.from(payload).toString()}`);
          return { kind: 'reply', reply: { ok: true, data: { presets } } } as const;
        },
      }),
    });
  });

  afterEach(() => {
    discovery.close();
    mock.timers.reset();
  });

  function begin(): void {
    discovery.attach(link, true);
    mock.timers.tick(3_000);
  }

  function hear(topic: string, text: string): boolean {
    return discovery.receive({ topic, payload: Buffer.from(text) });
  }

  it('are told only once the broker has told what it holds', () => {
    board.setStreamStatus('door', streamStatus());
    discovery.attach(link, true);
    assert.deepEqual(subscribed, [
      'homeassistant/status',
      GATEWAY,
      'homeassistant/device/box/+/config',
    ]);
    mock.timers.tick(2_999);
    assert.equal(held.topics.size, 0);
    mock.timers.tick(1);
    // The gateway first: Home Assistant wants to know what a device is behind.
    assert.deepEqual([...held.topics.keys()], [GATEWAY, DOOR]);
  });

  it('wait for the broker that an earlier life told, not for a page that comes sooner', () => {
    discovery.attach(link, false);
    mock.timers.tick(10_000);
    assert.deepEqual(subscribed, ['homeassistant/status']);
    assert.equal(held.topics.size, 0);
    begin();
    assert.deepEqual([...held.topics.keys()], [GATEWAY]);
  });

  it('follow streams and targets that come and go', () => {
    begin();
    board.setStreamStatus('door', streamStatus());
    board.setPublish('door', 'master', publishStatus(), 'status');
    mock.timers.tick(1_000);
    assert.equal(held.components(DOOR)['publish-master']?.['p'], 'sensor');
    board.removePublish('door', 'master');
    mock.timers.tick(1_000);
    // As Home Assistant documents it: the platform alone.
    assert.deepEqual(held.components(DOOR)['publish-master'], { p: 'sensor' });
    board.setPublish('door', 'master', publishStatus(), 'status');
    mock.timers.tick(1_000);
    assert.equal(typeof held.components(DOOR)['publish-master']?.['unique_id'], 'string');
    board.removeStream('door');
    mock.timers.tick(1_000);
    assert.deepEqual([...held.topics.keys()], [GATEWAY]);
  });

  it('take back what an earlier life told and is no more, streams only after a minute', () => {
    board.setStreamStatus('door', streamStatus());
    discovery.attach(link, true);
    const cmps = {
      'publish-old': { p: 'sensor', unique_id: 'x' },
      told: { p: 'button' },
      odd: { p: 'siren', unique_id: 'y' },
    };
    assert.ok(hear(DOOR, JSON.stringify({ cmps })));
    assert.ok(hear(OLD, '{}'));
    assert.ok(hear('homeassistant/device/box/broken/config', '{"cmps":7'));
    assert.ok(!hear('homeassistant/device/other/config', '{}'));
    mock.timers.tick(3_000);
    assert.deepEqual(held.components(DOOR)['publish-old'], { p: 'sensor' });
    assert.equal(held.components(DOOR)['told'], undefined);
    assert.equal(held.components(DOOR)['odd'], undefined);
    assert.deepEqual(held.cleared, []);
    mock.timers.tick(60_000);
    assert.deepEqual(held.cleared, [OLD, 'homeassistant/device/box/broken/config']);
  });

  it('do not mistake their own echo for an earlier life', () => {
    begin();
    board.setStreamStatus('door', streamStatus());
    mock.timers.tick(1_000);
    assert.ok(hear(DOOR, JSON.stringify({ cmps: { ghost: { p: 'sensor', unique_id: 'x' } } })));
    board.setMotion('door', 'ON');
    mock.timers.tick(1_000);
    assert.equal(held.components(DOOR)['ghost'], undefined);
    assert.equal(held.components(DOOR)['motion']?.['p'], 'binary_sensor');
  });

  it('are sent again a random time after Home Assistant’s birth', () => {
    begin();
    board.setStreamStatus('door', streamStatus());
    mock.timers.tick(1_000);
    assert.ok(hear('homeassistant/status', 'offline'));
    mock.timers.tick(10_000);
    assert.deepEqual(held.repeated, []);
    assert.ok(hear('homeassistant/status', 'online'));
    mock.timers.tick(4_999);
    assert.deepEqual(held.repeated, []);
    mock.timers.tick(1);
    assert.deepEqual(held.repeated, [GATEWAY, DOOR]);
  });

  it('have the presets that the camera lists, asked for once it is online and not at each flap', async () => {
    begin();
    board.setStreamStatus('door', streamStatus({ state: 'connecting' }));
    board.setStreamInfo('door', PTZ);
    assert.deepEqual(asked, []);
    for (let flap = 0; flap < 3; flap += 1) {
      board.setStreamStatus('door', streamStatus());
      board.setStreamInfo('door', PTZ);
    }
    assert.deepEqual(asked, ['ptz {"name":"door","action":"presets"}']);
    await Promise.resolve();
    await Promise.resolve();
    mock.timers.tick(1_000);
    assert.deepEqual(held.components(DOOR)['preset']?.['options'], ['Gate']);
  });

  it('have a preset that somebody has set within seconds, asked for once however many are set', async () => {
    begin();
    board.setStreamStatus('door', streamStatus());
    board.setStreamInfo('door', PTZ);
    await Promise.resolve();
    presets = [];
    commands.emit('done', 'ptz', { name: 'door', action: 'preset', preset: '7' });
    commands.emit('done', 'snapshot', { name: 'door', action: 'set-preset' });
    mock.timers.tick(1_000);
    assert.equal(asked.length, 1);
    for (let times = 0; times < 20; times += 1) {
      presets.push({ token: `${times}`, name: `Place ${times}` });
      commands.emit('done', 'ptz', { name: 'door', action: 'set-preset' });
    }
    mock.timers.tick(1_000);
    assert.equal(asked.length, 2);
    await Promise.resolve();
    await Promise.resolve();
    mock.timers.tick(1_000);
    assert.deepEqual(
      held.components(DOOR)['preset']?.['options'],
      presets.map((_, times) => `Place ${times}`),
    );
    presets = [];
    commands.emit('done', 'ptz', { name: 'door', action: 'remove-preset', preset: '0' });
    mock.timers.tick(1_000);
    await Promise.resolve();
    await Promise.resolve();
    mock.timers.tick(1_000);
    assert.deepEqual(held.components(DOOR)['preset'], { p: 'select' });
  });

  it('are left alone after the end', async () => {
    begin();
    board.setStreamStatus('door', streamStatus());
    mock.timers.tick(1_000);
    board.setStreamInfo('door', PTZ);
    mock.timers.tick(1_000);
    const before = asked.splice(0);
    assert.equal(before.length, 1, 'the camera answers later');
    const told = held.topics.get(DOOR);
    commands.emit('done', 'ptz', { name: 'door', action: 'set-preset' });
    discovery.close();
    board.setStreamStatus('door', streamStatus());
    mock.timers.tick(100_000);
    await Promise.resolve();
    await Promise.resolve();
    mock.timers.tick(100_000);
    assert.equal(held.topics.get(DOOR), told);
    assert.deepEqual(asked, []);
    assert.equal(board.listenerCount('stream') + board.listenerCount('publish'), 0);
    assert.equal(commands.listenerCount('done'), 0);
  });
});
