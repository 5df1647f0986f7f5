import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { type MetricsContext, metricsRoute, metricsText } from '../../../gateway/http/metrics.ts';
import { Board } from '../../../gateway/report/board.ts';
import type { GatewayInfo } from '../../../gateway/report/box-status.ts';
import { HealthSampler } from '../../../gateway/report/health.ts';
import { parseMetrics } from '../../support/parse-metrics.ts';
import { collectingLog, publishStatus, streamStatus } from '../../support/reporting.ts';

const board = new Board();
board.setStreamStatus('door', streamStatus({ lastFrameAt: '2026-11-25T10:00:00.500Z' }));
board.setStreamStats('door', {
  ...{ videoKbps: 2000, audioKbps: 64, fps: 25, gopMs: 2000, lostPackets: 3, damagedUnits: 1 },
  ...{ jitterMs: 1.5, reconnects: 2, units: 1000, bytes: 1_000_000, viewers: 4 },
});
board.setStreamStatus('yard', streamStatus({ state: 'unreachable', code: 'timeout', attempts: 9 }));
board.setPublish(
  ...(['door', 'master'] as const),
  publishStatus({ queueMs: 1500, bytes: 900_000, droppedGops: 2, droppedUnits: 50 }),
  'status',
);
board.setFound({
  ...{ id: 'cam-1', via: ['mdns'], addresses: ['10.0.0.2'], lastSeenAt: 'now' },
  ...{ code: 'undecided', reason: 'Nobody has decided.' },
});

const health = await new HealthSampler({
  board,
  refresh() {},
  dataDir: '/tmp',
  now: Date.now,
}).sample();
const info: GatewayInfo = {
  ...{ schema: 1, id: 'box "1"', session: 3, startedAt: '2026-11-25T10:00:00.000Z', urls: {} },
  ...{ version: '1.2.3', host: 'box', board: null, arch: 'arm64', node: '20.0.0' },
  ...{ addresses: [], streams: ['door'], configHash: 'abc', canRestart: false },
};
const context: MetricsContext = {
  ...{ board, info: () => info, health: async () => health, isMqttConnected: () => true },
};

function value(text: string, name: string, labels: Record<string, string> = {}) {
  const samples = parseMetrics(text).get(name)?.samples ?? [];
  return samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;
}

describe('metrics', () => {
  const text = metricsText(context, health);

  it('are in base units', () => {
    const door = { stream: 'door' };
    const master = { stream: 'door', target: 'master' };
    for (const [name, labels, want] of [
      ['sluice_stream_up', door, 1],
      ['sluice_stream_up', { stream: 'yard' }, 0],
      ['sluice_stream_state', { stream: 'yard', state: 'unreachable' }, 1],
      ['sluice_stream_failed_attempts', { stream: 'yard' }, 9],
      ['sluice_stream_last_frame_timestamp_seconds', door, 1_795_600_800.5],
      ['sluice_stream_media_bytes_per_second', { ...door, media: 'video' }, 250_000],
      ['sluice_stream_media_bytes_per_second', { ...door, media: 'audio' }, 8_000],
      ['sluice_stream_frames_per_second', door, 25],
      ['sluice_stream_gop_seconds', door, 2],
      ['sluice_stream_jitter_seconds', door, 0.0015],
      ['sluice_stream_received_bytes_total', door, 1_000_000],
      ['sluice_stream_lost_packets_total', door, 3],
      ['sluice_stream_damaged_units_total', door, 1],
      ['sluice_stream_reconnects_total', door, 2],
      ['sluice_stream_viewers', door, 4],
      ['sluice_streams', { state: 'online' }, 1],
      ['sluice_streams', { state: 'stalled' }, 0],
      ['sluice_publishes', { state: 'publishing' }, 1],
      ['sluice_publish_up', master, 1],
      ['sluice_publish_queue_seconds', master, 1.5],
      ['sluice_publish_sent_bytes_total', master, 900_000],
      ['sluice_publish_dropped_gops_total', master, 2],
      ['sluice_publish_dropped_units_total', master, 50],
      ['sluice_found_devices', {}, 1],
      ['sluice_mqtt_connected', {}, 1],
    ] as const) {
      assert.equal(value(text, name, labels), want, name);
    }
  });

  it('tell of the process and the box, and which gateway it is', () => {
    for (const name of [
      ...['process_cpu_seconds_total', 'process_resident_memory_bytes'],
      ...['sluice_anonymous_memory_bytes', 'sluice_event_loop_active_seconds_total'],
      ...['sluice_box_memory_total_bytes', 'sluice_box_disk_free_bytes'],
    ]) {
      assert.ok((value(text, name) ?? 0) > 0, name);
    }
    const startedS = value(text, 'process_start_time_seconds') ?? 0;
    assert.ok(Math.abs(Date.now() / 1000 - startedS) < 3600);
    const sample = parseMetrics(text).get('sluice_gateway_info')?.samples[0];
    const { gateway, version, board: model } = sample?.labels ?? {};
    assert.deepEqual([gateway, version, model], ['box "1"', '1.2.3', '']);
  });

  it('are named after what they are', () => {
    for (const { name, type, help } of parseMetrics(text).values()) {
      assert.equal(type === 'counter', name.endsWith('_total'), name);
      assert.match(help, /^[A-Z].*\.$/, name);
      assert.doesNotMatch(name, /_(?:ms|kbps|mb|percent)(?:_|$)/i);
    }
  });

  it('leave out what is not known: no stream yet, no broker, nothing that this machine tells', () => {
    const silent = { ...health, temperatureC: null, anonMb: null, clockSynchronised: null };
    const empty = metricsText(
      { ...context, board: new Board(), isMqttConnected: () => undefined },
      silent,
    );
    const names = [...parseMetrics(empty).keys()];
    assert.ok(names.includes('sluice_streams'));
    assert.deepEqual(
      names.filter((name) => /stream_|publish_|mqtt|temperature|anonymous|clock/.test(name)),
      [],
    );
  });

  it('are a page of the server, of Prometheus’ type', async () => {
    const server = new HttpServer({
      ...{ listen: '127.0.0.1:0', limits: { viewers: 10, viewersPerAddress: 10 } },
      ...{ admin: undefined, play: undefined, cors: [], log: collectingLog().log },
      routes: [metricsRoute(context)],
    });
    await server.start();
    try {
      const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
      assert.equal(response.status, 200);
      const type = response.headers.get('content-type');
      assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
      assert.ok(parseMetrics(await response.text()).has('sluice_stream_up'));
    } finally {
      await server.stop();
    }
  });
});
