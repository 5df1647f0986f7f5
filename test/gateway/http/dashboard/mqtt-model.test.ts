/** Messages of gateways, damaged ones and hostile ones → what the page knows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MqttModel } from '../../../../gateway/http/dashboard/mqtt-model.ts';
import { Topics } from '../../../../gateway/report/topics.ts';

const SECOND_MS = 1_000;
const topics = new Topics('sluice', 'shop-12');

const status = {
  state: 'online',
  code: 'ok',
  reason: 'Pictures arrive.',
  since: '2026-11-25T12:00:00.000Z',
  lastFrameAt: null,
  attempts: 0,
  nextRetryAt: null,
};
const stats = {
  videoKbps: 1200,
  audioKbps: 0,
  fps: 25,
  gopMs: 2000,
  lostPackets: 0,
  damagedUnits: 0,
  jitterMs: 1,
  reconnects: 0,
  units: 10,
  bytes: 1000,
  viewers: 0,
};
const publish = {
  state: 'publishing',
  code: 'ok',
  reason: '',
  target: 'rtmp://master/live/cam',
  queueMs: 0,
  droppedGops: 0,
  droppedUnits: 0,
  bytes: 1,
  since: '2026-11-25T12:00:00.000Z',
  attempts: 0,
  nextRetryAt: null,
};
const device = {
  id: 'device-1',
  via: ['mdns'],
  addresses: ['10.0.0.4'],
  code: 'undecided',
  reason: 'Adopt it.',
  lastSeenAt: '2026-11-25T12:00:00.000Z',
};
const event = { at: '2026-11-25T12:00:00.000Z', type: 'stream', message: 'cam: online' };
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);

class Listener {
  readonly urls = new Set<string>();
  readonly model: MqttModel;
  nowMs = 1_000_000;
  #urls = 0;

  constructor(only?: string) {
    this.model = new MqttModel({
      baseTopic: 'sluice',
      only,
      makeUrl: () => {
        this.#urls += 1;
        const url = `blob:${this.#urls}`;
        this.urls.add(url);
        return url;
      },
      dropUrl: (url) => this.urls.delete(url),
    });
  }

  hear(topic: string, value: unknown): this {
    const bytes =
      value instanceof Uint8Array
        ? value
        : new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
    this.model.receive(topic, bytes, this.nowMs);
    return this;
  }

  get gateway() {
    return this.model.gateways.value[0]!;
  }

  get stream() {
    return this.gateway.streams.value[0]!;
  }
}

describe('what is damaged or foreign is ignored, counted, and changes nothing', () => {
  const cases: { name: string; topic: string; payload: unknown }[] = [
    { name: 'no JSON', topic: topics.streamStatus('cam'), payload: '{"state":' },
    { name: 'no UTF-8', topic: topics.streamStatus('cam'), payload: Uint8Array.of(0x22, 0xff) },
    { name: 'no object', topic: topics.streamStatus('cam'), payload: [status] },
    { name: 'null', topic: topics.info, payload: 'null' },
    {
      name: 'a number for a text',
      topic: topics.streamStatus('cam'),
      payload: { ...status, reason: 3 },
    },
    {
      name: 'a number beyond all bounds',
      topic: topics.streamStatus('cam'),
      payload: { ...status, attempts: 1e300 },
    },
    {
      name: 'a field that is missing',
      topic: topics.streamStatus('cam'),
      payload: { state: 'online' },
    },
    {
      name: 'a text without end',
      topic: topics.streamStatus('cam'),
      payload: { ...status, reason: 'x'.repeat(9000) },
    },
    {
      name: 'a list without end',
      topic: topics.found('device-1'),
      payload: { ...device, addresses: Array(600).fill('10.0.0.1') },
    },
    { name: 'too large', topic: topics.streamStatus('cam'), payload: `"${'x'.repeat(300_000)}"` },
    { name: 'no such state', topic: topics.state, payload: 'sleeping' },
    { name: 'no such topic', topic: `${topics.base}/weather`, payload: 'rain' },
    { name: 'a topic that is too deep', topic: `${topics.base}/stream/cam/info/x`, payload: {} },
    { name: 'a name that is none', topic: 'sluice/Shop 12/state', payload: 'online' },
    {
      name: 'a stream that is none',
      topic: `${topics.base}/stream/__proto__/status`,
      payload: status,
    },
    { name: 'another base', topic: 'other/shop-12/state', payload: 'online' },
    { name: 'a picture that is none', topic: topics.streamSnapshot('cam'), payload: 'GIF89a' },
  ];
  for (const { name, topic, payload } of cases) {
    it(name, () => {
      const listener = new Listener().hear(topics.streamInfo('cam'), { source: 'x', tracks: [] });
      listener.hear(topic, payload);
      assert.equal(listener.model.ignored, 1);
      assert.equal(listener.model.gateways.value.length, 1);
      assert.equal(listener.gateway.streams.value.length, 1);
      assert.equal(listener.stream.status.value, undefined);
      assert.equal(listener.gateway.state.value, undefined);
      assert.deepEqual(listener.urls, new Set());
    });
  }

  it('any bytes at any topic', () => {
    const level = fc.constantFrom(
      'stream',
      'publish',
      'found',
      'serial',
      'state',
      'status',
      'cam',
      '',
      '+',
      'snapshot',
      'stats',
    );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(level, { maxLength: 5 }), payload)), (messages) => {
        const listener = new Listener();
        for (const [levels, bytes] of messages) {
          listener.hear(['sluice', 'shop-12', ...levels].join('/'), bytes);
        }
        assert.ok(listener.model.gateways.value.length <= 1);
      }),
    );
  });
});

describe('what is told is known', () => {
  it('of streams, publishes, devices, and the gateway', () => {
    const listener = new Listener()
      .hear(topics.state, 'online')
      .hear(topics.streamStatus('cam'), status)
      .hear(topics.streamStats('cam'), stats)
      .hear(topics.streamMotion('cam'), 'ON')
      .hear(topics.publish('cam', 'master'), publish)
      .hear(topics.found('device-1'), device)
      .hear(topics.event, event);
    const { gateway, stream } = listener;
    assert.equal(gateway.state.value, 'online');
    assert.deepEqual(stream.status.value, status);
    assert.deepEqual(stream.history.value, [{ atMs: listener.nowMs, stats }]);
    assert.equal(stream.motion.value, 'ON');
    assert.deepEqual(gateway.publishes.value[0]?.status.value, publish);
    assert.deepEqual(gateway.found.value, [device]);
    assert.deepEqual(gateway.events.value, [event]);
    assert.equal(listener.model.ignored, 0);
  });

  it('a newer gateway has fields and states of its own', () => {
    const listener = new Listener().hear(topics.streamStatus('cam'), {
      ...status,
      state: 'dreaming',
      code: 'sheep',
      more: {},
    });
    assert.equal(listener.stream.status.value?.state, 'dreaming');
  });

  it('the local view shows its gateway alone', () => {
    const listener = new Listener('shop-12').hear('sluice/shop-13/state', 'online');
    assert.deepEqual(listener.model.gateways.value, []);
  });

  it('gateways and streams come sorted, and stay the same objects', () => {
    const listener = new Listener();
    for (const id of ['c', 'a', 'b']) listener.hear(`sluice/${id}/state`, 'online');
    const [first] = listener.model.gateways.value;
    assert.deepEqual(
      listener.model.gateways.value.map(({ id }) => id),
      ['a', 'b', 'c'],
    );
    listener.hear('sluice/a/state', 'offline');
    assert.equal(listener.model.gateways.value[0], first);
  });

  it('in the order in which people count', () => {
    const listener = new Listener();
    const names = ['cam-10', 'cam-2', 'cam-1', 'attic'];
    for (const name of names) {
      listener
        .hear(topics.streamStatus(name), status)
        .hear(topics.publish(name, 'master'), publish)
        .hear(`sluice/${name}/state`, 'online');
    }
    const sorted = ['attic', 'cam-1', 'cam-2', 'cam-10'];
    const shop = listener.model.gateways.value.find(({ id }) => id === 'shop-12');
    assert.deepEqual(
      shop?.streams.value.map(({ name }) => name),
      sorted,
    );
    assert.deepEqual(
      shop?.publishes.value.map(({ stream }) => stream),
      sorted,
    );
    assert.deepEqual(
      listener.model.gateways.value.map(({ id }) => id),
      [...sorted, 'shop-12'],
    );
  });

  it('a new picture takes the place of the old one, which is let go; so is the last', () => {
    const listener = new Listener()
      .hear(topics.streamStatus('cam'), status)
      .hear(topics.streamSnapshot('cam'), JPEG)
      .hear(topics.streamSnapshot('cam'), JPEG);
    assert.deepEqual([...listener.urls], [listener.stream.snapshot.value]);
    listener.hear(topics.streamStatus('cam'), '');
    assert.deepEqual([...listener.urls], []);
  });
});

describe('what goes, goes', () => {
  it('an empty payload removes a stream, and late words do not bring it back', () => {
    const listener = new Listener().hear(topics.streamStatus('cam'), status);
    listener
      .hear(topics.streamStatus('cam'), '')
      .hear(topics.streamInfo('cam'), '')
      .hear(topics.streamStats('cam'), stats);
    assert.deepEqual(listener.gateway.streams.value, []);
    assert.equal(listener.model.ignored, 0);
  });

  it('likewise a publish, a device, and a gateway', () => {
    const listener = new Listener()
      .hear(topics.publish('cam', 'master'), publish)
      .hear(topics.found('device-1'), device)
      .hear(topics.publish('cam', 'master'), '')
      .hear(topics.found('device-1'), '');
    assert.deepEqual(listener.gateway.publishes.value, []);
    assert.deepEqual(listener.gateway.found.value, []);
    listener.hear(topics.state, '');
    assert.deepEqual(listener.model.gateways.value, []);
  });

  it('what is not told again after a new connection has gone in the meantime', () => {
    const listener = new Listener()
      .hear(topics.streamStatus('gone'), status)
      .hear(topics.streamStatus('stays'), status)
      .hear(topics.publish('gone', 'master'), publish)
      .hear(topics.found('device-1'), device)
      .hear('sluice/no-more/state', 'offline');
    listener.model.beginRetelling();
    listener.hear(topics.streamStatus('stays'), status);
    assert.equal(listener.model.gateways.value.length, 2, 'nothing flickers meanwhile');
    listener.model.endRetelling();
    assert.deepEqual(
      listener.model.gateways.value.map(({ id }) => id),
      ['shop-12'],
    );
    const { streams, publishes, found } = listener.gateway;
    assert.deepEqual(
      streams.value.map(({ name }) => name),
      ['stays'],
    );
    assert.deepEqual([publishes.value, found.value], [[], []]);
  });
});

describe('events that are recalled', () => {
  const at = (second: number) => ({
    ...event,
    at: `2026-11-25T12:00:0${second}.000Z`,
    message: `it is ${second}`,
  });
  const messages = (listener: Listener) =>
    listener.gateway.events.value.map(({ message }) => message);

  it('come behind newer ones that were told meanwhile, each once', () => {
    const listener = new Listener().hear(topics.event, at(3));
    for (const second of [1, 2, 3]) listener.hear(topics.event, at(second));
    assert.deepEqual(messages(listener), ['it is 3', 'it is 2', 'it is 1']);
  });

  it('two of the same moment are two', () => {
    const listener = new Listener().hear(topics.event, at(1));
    listener.hear(topics.event, { ...at(1), type: 'up' });
    assert.equal(listener.gateway.events.value.length, 2);
  });
});

describe('nothing grows without end', () => {
  it('events, the newest first', () => {
    const listener = new Listener();
    for (let at = 0; at < 600; at += 1) listener.hear(topics.event, { ...event, message: `${at}` });
    assert.equal(listener.gateway.events.value.length, 500);
    assert.equal(listener.gateway.events.value[0]?.message, '599');
  });

  it('events of many gateways: each has fewer', () => {
    const listener = new Listener();
    for (let box = 0; box < 100; box += 1) {
      for (let at = 0; at < 150; at += 1) {
        listener.hear(`sluice/box-${box}/event`, { ...event, message: `${at}` });
      }
    }
    const counts = listener.model.gateways.value.map(({ events }) => events.value.length);
    assert.equal(counts.at(-1), 100);
    assert.ok(counts.reduce((sum, count) => sum + count, 0) <= 15_000);
  });

  it('what is kept many times over may be least: fields that nobody knows are kept, too', () => {
    const listener = new Listener().hear(topics.streamStatus('cam'), status);
    listener
      .hear(topics.streamStats('cam'), { ...stats, more: 'x'.repeat(1_000) })
      .hear(topics.event, { ...event, more: 'x'.repeat(20_000) })
      .hear(topics.found('device-1'), { ...device, more: 'x'.repeat(20_000) });
    assert.equal(listener.model.ignored, 3);
    listener.hear(topics.streamInfo('cam'), {
      source: 'x',
      tracks: [],
      notes: Array(30).fill('n'.repeat(1_000)),
    });
    assert.equal(listener.model.ignored, 3);
  });

  it('what is shown no longer is let go of', () => {
    const listener = new Listener()
      .hear(topics.streamStatus('cam'), status)
      .hear(topics.streamSnapshot('cam'), JPEG);
    listener.model.clear();
    assert.deepEqual([...listener.urls], []);
    assert.deepEqual(listener.model.gateways.value, []);
  });

  it('the history: half an hour', () => {
    const listener = new Listener().hear(topics.streamStatus('cam'), status);
    for (let at = 0; at < 400; at += 1) {
      listener.nowMs += 10 * SECOND_MS;
      listener.hear(topics.streamStats('cam'), { ...stats, units: at });
    }
    const history = listener.stream.history.value;
    assert.equal(history.length, 180);
    assert.equal(history.at(-1)?.stats.units, 399);
    listener.nowMs += 3_600 * SECOND_MS;
    listener.hear(topics.streamStats('cam'), stats);
    assert.equal(listener.stream.history.value.length, 1);
  });

  it('gateways, streams, devices', () => {
    const listener = new Listener();
    for (let at = 0; at < 1_100; at += 1) {
      listener.hear(topics.streamStatus(`cam-${at}`), status);
      listener.hear(topics.found(`device-${at}`), device);
    }
    assert.equal(listener.gateway.streams.value.length, 512);
    assert.equal(listener.gateway.found.value.length, 1_024);
    for (let at = 0; at < 1_100; at += 1) listener.hear(`sluice/box-${at}/state`, 'online');
    assert.equal(listener.model.gateways.value.length, 1_000);
  });
});
