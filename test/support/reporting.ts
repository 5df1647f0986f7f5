/** A reporter with a board, for tests: everything around it is plain and small. */
import { type Logger, pino } from 'pino';
import { parseConfig } from '../../gateway/config/load.ts';
import { Board } from '../../gateway/report/board.ts';
import {
  COMMANDS,
  CommandDispatcher,
  type CommandHandlers,
} from '../../gateway/report/commands.ts';
import { HealthSampler } from '../../gateway/report/health.ts';
import { describeGateway } from '../../gateway/report/info.ts';
import { MqttReporter } from '../../gateway/report/mqtt-reporter.ts';
import type { PublishStatus, StreamStats, StreamStatus } from '../../gateway/report/status.ts';

export const GATEWAY_ID = 'test-1';

export interface Reporting {
  readonly board: Board;
  readonly reporter: MqttReporter;
  /** Every log line, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Of what `info` is made. */
  readonly source: { configHash: string };
}

export function makeReporting(
  /** The `mqtt` section as YAML would have it. */
  mqtt: Record<string, unknown>,
  handlers: Partial<CommandHandlers> = {},
  sweepAfterMs = 60_000,
  takeSnapshot: (stream: string) => Promise<Uint8Array> | undefined = () => undefined,
): Reporting {
  const config = parseConfig(JSON.stringify({ mqtt }), { file: 'test', folder: '/tmp', env: {} });
  const board = new Board();
  const { log, lines } = collectingLog();
  const source = {
    id: GATEWAY_ID,
    session: 7,
    startedAt: new Date().toISOString(),
    version: '0.0.0',
    configHash: 'abc',
    canRestart: false,
    urls: {},
  };
  const sampler = new HealthSampler({ board, refresh() {}, dataDir: '/tmp', now: Date.now });
  const reporter = new MqttReporter({
    config: config.mqtt,
    gatewayId: GATEWAY_ID,
    board,
    log,
    commands: new CommandDispatcher(
      commandHandlers({
        'stream/restart': ({ name }) => ({ name }),
        discover: () => [],
        ...handlers,
      }),
      Date.now,
    ),
    info: () => describeGateway(source, board),
    health: () => sampler.sample(),
    snapshot: takeSnapshot,
    now: Date.now,
    random: () => 0,
    sweepAfterMs,
  });
  return { board, reporter, lines, source };
}

/** Verbs that a test is not about give back their arguments. */
export function commandHandlers(handlers: Partial<CommandHandlers>): CommandHandlers {
  const echoes = Object.keys(COMMANDS).map((verb) => [verb, (args: unknown) => args]);
  return { ...Object.fromEntries(echoes), ...handlers } as CommandHandlers;
}

export function collectingLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

export function streamStatus(change: Partial<StreamStatus> = {}): StreamStatus {
  return {
    state: 'online',
    code: 'ok',
    reason: 'ok',
    since: '2026-01-01T00:00:00.000Z',
    lastFrameAt: null,
    attempts: 0,
    nextRetryAt: null,
    ...change,
  };
}

export function streamStats(change: Partial<StreamStats> = {}): StreamStats {
  return {
    videoKbps: 4000,
    audioKbps: 64,
    fps: 25,
    gopMs: 2000,
    lostPackets: 0,
    damagedUnits: 0,
    jitterMs: 1,
    reconnects: 0,
    units: 1,
    bytes: 2,
    viewers: 3,
    ...change,
  };
}

export function publishStatus(change: Partial<PublishStatus> = {}): PublishStatus {
  return {
    state: 'publishing',
    code: 'ok',
    reason: 'ok',
    target: 'rtmp://master.example/live',
    queueMs: 0,
    droppedGops: 0,
    droppedUnits: 0,
    bytes: 0,
    since: '2026-01-01T00:00:00.000Z',
    attempts: 0,
    nextRetryAt: null,
    ...change,
  };
}
