/**
 * `/metrics`: what the board and the process know, for Prometheus. Loaded with the first scrape. Names and base units as
 * Prometheus' conventions have them: seconds, bytes, `_total` for what only grows within a life of the process; where a number
 * begins again with each connection, its help says so.
 *
 * What streams and publish sessions count is as old as the board: up to 10 s.
 */
import { performance } from 'node:perf_hooks';
import type { Board } from '../report/board.ts';
import type { GatewayInfo, Health } from '../report/box-status.ts';
import type { PublishState, StreamState } from '../report/status.ts';
import { METRICS_CONTENT_TYPE, MetricsText, type Sample } from './metrics-text.ts';
import type { Route } from './route.ts';

const MEBIBYTE = 1024 * 1024;
const BYTES_PER_S_OF_KBPS = 125;

const STREAM_STATES: readonly StreamState[] = [
  ...(['online', 'connecting', 'stalled', 'unauthorized', 'unreachable'] as const),
  ...(['unsupported', 'disabled'] as const),
];
const PUBLISH_STATES: readonly PublishState[] = [
  ...(['idle', 'connecting', 'publishing', 'refused', 'waiting', 'spooling'] as const),
];

export interface MetricsContext {
  readonly board: Board;
  readonly info: () => GatewayInfo;
  readonly health: () => Promise<Health>;
  /** undefined: there is no broker to be connected to. */
  readonly isMqttConnected: () => boolean | undefined;
}

export function metricsRoute(context: MetricsContext): Route {
  return {
    path: /^\/metrics$/,
    access: 'reader',
    handle: async ({ response }) => {
      const body = Buffer.from(metricsText(context, await context.health()));
      response.writeHead(200, {
        'content-type': METRICS_CONTENT_TYPE,
        'content-length': body.length,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    },
  };
}

export function metricsText(context: MetricsContext, health: Health): string {
  const text = new MetricsText();
  addGateway(text, context);
  addProcess(text, health);
  addBox(text, health);
  addStreams(text, context.board);
  addPublishes(text, context.board);
  return text.toString();
}

function addGateway(text: MetricsText, { board, info, isMqttConnected }: MetricsContext): void {
  const { id, version, arch, node, board: model } = info();
  const labels = { gateway: id, version, arch, node, board: model ?? '' };
  text.family('sluice_gateway_info', 'gauge', 'What this gateway is; always 1.', [[labels, 1]]);
  text.family('sluice_found_devices', 'gauge', 'Devices that discovery knows of.', [
    [{}, board.found.size],
  ]);
  const isConnected = isMqttConnected();
  text.family('sluice_mqtt_connected', 'gauge', 'Whether the MQTT broker is connected.', [
    [{}, isConnected === undefined ? undefined : Number(isConnected)],
  ]);
}

function addProcess(text: MetricsText, health: Health): void {
  const { user, system } = process.cpuUsage();
  const { anonMb } = health;
  text.family('process_cpu_seconds_total', 'counter', 'CPU time of the process, all threads.', [
    [{}, (user + system) / 1e6],
  ]);
  text.family('process_resident_memory_bytes', 'gauge', 'Memory of the process (RSS).', [
    [{}, process.memoryUsage.rss()],
  ]);
  text.family('sluice_anonymous_memory_bytes', 'gauge', 'Memory of its own alone (RssAnon).', [
    [{}, anonMb === null ? undefined : Math.round(anonMb * MEBIBYTE)],
  ]);
  text.family('process_start_time_seconds', 'gauge', 'When the process began, Unix time.', [
    [{}, Math.round(performance.timeOrigin) / 1000],
  ]);
  text.family('sluice_event_loop_active_seconds_total', 'counter', 'Time the event loop worked.', [
    [{}, performance.eventLoopUtilization().active / 1000],
  ]);
}

function addBox(text: MetricsText, health: Health): void {
  const one = (name: string, help: string, value: number | null) =>
    text.family(name, 'gauge', help, [[{}, value ?? undefined]]);
  const bytes = (mebibytes: number | null) =>
    mebibytes === null ? null : Math.round(mebibytes * MEBIBYTE);
  one('sluice_box_load1', 'Load average of a minute.', health.load1);
  one('sluice_box_temperature_celsius', 'Of the processor.', health.temperatureC);
  one('sluice_box_memory_total_bytes', 'Memory of the box.', bytes(health.memoryTotalMb));
  one(
    'sluice_box_memory_available_bytes',
    'Memory of the box that programs could have.',
    bytes(health.memoryAvailableMb),
  );
  one('sluice_box_disk_total_bytes', 'The file system with dataDir.', bytes(health.diskTotalMb));
  one('sluice_box_disk_free_bytes', 'Free there.', bytes(health.diskFreeMb));
  one(
    'sluice_box_clock_synchronised',
    'Whether a time service sets the clock.',
    health.clockSynchronised === null ? null : Number(health.clockSynchronised),
  );
}

function addStreams(text: MetricsText, board: Board): void {
  const streams = [...board.streams.values()];
  const states = STREAM_STATES.map(
    (state): Sample => [{ state }, streams.filter(({ status }) => status.state === state).length],
  );
  text.family('sluice_streams', 'gauge', 'Streams in each state.', states);
  const each = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (stream: (typeof streams)[number]) => number | undefined,
  ) =>
    text.family(
      `sluice_stream_${name}`,
      type,
      help,
      streams.map((stream) => [{ stream: stream.name }, value(stream)]),
    );
  each('up', 'gauge', 'Whether the stream is online.', ({ status }) =>
    Number(status.state === 'online'),
  );
  text.family(
    'sluice_stream_state',
    'gauge',
    'The state that the stream is in is 1, the others are 0.',
    streams.flatMap(({ name, status }) =>
      STREAM_STATES.map(
        (state): Sample => [{ stream: name, state }, Number(status.state === state)],
      ),
    ),
  );
  each(
    'last_frame_timestamp_seconds',
    'gauge',
    'When the last frame came, Unix time.',
    ({ status }) =>
      status.lastFrameAt === null ? undefined : Date.parse(status.lastFrameAt) / 1000,
  );
  each('failed_attempts', 'gauge', 'Since the last success.', ({ status }) => status.attempts);
  text.family(
    'sluice_stream_media_bytes_per_second',
    'gauge',
    'Media received, of the last 10 s.',
    streams.flatMap(({ name, stats }): Sample[] => [
      [{ stream: name, media: 'video' }, scaled(stats?.videoKbps, BYTES_PER_S_OF_KBPS)],
      [{ stream: name, media: 'audio' }, scaled(stats?.audioKbps, BYTES_PER_S_OF_KBPS)],
    ]),
  );
  each(
    'frames_per_second',
    'gauge',
    'Pictures received, of the last 10 s.',
    ({ stats }) => stats?.fps,
  );
  each('gop_seconds', 'gauge', 'Between the last two random access points.', ({ stats }) =>
    scaled(stats?.gopMs ?? undefined, 0.001),
  );
  each('jitter_seconds', 'gauge', 'Interarrival jitter of the video (RFC 3550).', ({ stats }) =>
    scaled(stats?.jitterMs, 0.001),
  );
  each('viewers', 'gauge', 'Who plays it here now.', ({ stats }) => stats?.viewers);
  each('received_bytes_total', 'counter', 'Media received.', ({ stats }) => stats?.bytes);
  each(
    'received_units_total',
    'counter',
    'Pictures and audio frames received.',
    ({ stats }) => stats?.units,
  );
  each(
    'reconnects_total',
    'counter',
    'Times that it was lost while online.',
    ({ stats }) => stats?.reconnects,
  );
  each(
    'lost_packets_total',
    'counter',
    'Packets that did not come; begins again with each connection.',
    ({ stats }) => stats?.lostPackets,
  );
  each(
    'damaged_units_total',
    'counter',
    'Pictures and audio frames thrown away for a lost part; begins again with each connection.',
    ({ stats }) => stats?.damagedUnits,
  );
}

function addPublishes(text: MetricsText, board: Board): void {
  const publishes = [...board.publishes.values()];
  const states = PUBLISH_STATES.map(
    (state): Sample => [{ state }, publishes.filter(({ status }) => status.state === state).length],
  );
  text.family('sluice_publishes', 'gauge', 'Publish sessions in each state.', states);
  const each = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (status: (typeof publishes)[number]['status']) => number,
  ) =>
    text.family(
      `sluice_publish_${name}`,
      type,
      help,
      publishes.map(({ stream, target, status }) => [{ stream, target }, value(status)]),
    );
  each('up', 'gauge', 'Whether it is publishing.', ({ state }) => Number(state === 'publishing'));
  text.family(
    'sluice_publish_state',
    'gauge',
    'The state that it is in is 1, the others are 0.',
    publishes.flatMap(({ stream, target, status }) =>
      PUBLISH_STATES.map(
        (state): Sample => [{ stream, target, state }, Number(status.state === state)],
      ),
    ),
  );
  each(
    'queue_seconds',
    'gauge',
    'Media that wait for the target.',
    ({ queueMs }) => queueMs / 1000,
  );
  each('failed_attempts', 'gauge', 'Since the last success.', ({ attempts }) => attempts);
  each('sent_bytes_total', 'counter', 'Sent to the target.', ({ bytes }) => bytes);
  each(
    'dropped_gops_total',
    'counter',
    'Whole GOPs that the target was too slow for.',
    ({ droppedGops }) => droppedGops,
  );
  each(
    'dropped_units_total',
    'counter',
    'Pictures and audio frames in them.',
    ({ droppedUnits }) => droppedUnits,
  );
}

/** Without the noise of binary fractions. */
function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * factor * 1e6) / 1e6;
}
