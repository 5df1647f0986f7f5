/** The paths and what they answer: the board, as arrays of what the topics carry. */
import type { Board } from '../report/board.ts';
import { countUp } from '../report/health.ts';

export type ServiceStatus = 'starting' | 'running' | 'stopping';

export interface ApiContext {
  readonly board: Board;
  readonly status: () => ServiceStatus;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const PATHS = new Map<string, (context: ApiContext) => Answer>([
  ['/healthz', health],
  ['/api/v1/streams', ({ board }) => ok([...board.streams.values()].map(streamOf))],
  ['/api/v1/publish', ({ board }) => ok([...board.publishes.values()])],
  ['/api/v1/devices', ({ board }) => ok([...board.found.values()])],
]);

/** undefined: no such path. */
export function answer(path: string, context: ApiContext): Answer | undefined {
  return PATHS.get(path)?.(context);
}

/** 503 while starting and stopping. A camera that is down does not make the service unhealthy. */
function health({ board, status }: ApiContext): Answer {
  const { streamsUp, streamsTotal } = countUp(board);
  return {
    status: status() === 'running' ? 200 : 503,
    body: { status: status(), streamsUp, streamsTotal, uptimeS: Math.round(process.uptime()) },
  };
}

function streamOf({
  name,
  status,
  info,
  stats,
}: {
  readonly name: string;
  readonly status: unknown;
  readonly info: unknown;
  readonly stats: unknown;
}): unknown {
  return { name, status, info: info ?? null, stats: stats ?? null };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
