/** The API: the board, as arrays of what the topics carry; and whether the service is well. */
import type { Board } from '../report/board.ts';
import { countUp } from '../report/health.ts';
import { type Answer, sendAnswer } from './answer.ts';
import type { Access, Route } from './route.ts';

export type ServiceStatus = 'starting' | 'running' | 'stopping';

export interface ApiContext {
  readonly board: Board;
  readonly status: () => ServiceStatus;
}

export function apiRoutes(context: ApiContext): Route[] {
  const { board } = context;
  const route = (path: RegExp, access: Access, answer: () => Answer): Route => ({
    path,
    access,
    handle: ({ response }) => sendAnswer(response, answer()),
  });
  return [
    // Whoever balances load or restarts containers has no login.
    route(/^\/healthz$/, 'everybody', () => health(context)),
    route(/^\/api\/v1\/streams$/, 'admin', () => ok([...board.streams.values()].map(streamOf))),
    route(/^\/api\/v1\/publish$/, 'admin', () => ok([...board.publishes.values()])),
    route(/^\/api\/v1\/recordings$/, 'admin', () => ok([...board.recordings.values()])),
    route(/^\/api\/v1\/devices$/, 'admin', () => ok([...board.found.values()])),
  ];
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
