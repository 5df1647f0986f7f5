/** The API: the board, as arrays of what the topics carry; commands, as over MQTT; and whether the service is well. */
import type { Board } from '../report/board.ts';
import {
  type CommandDispatcher,
  type CommandOutcome,
  MAX_REQUEST_BYTES,
} from '../report/commands.ts';
import { countUp } from '../report/health.ts';
import { type Answer, problem, sendAnswer } from './answer.ts';
import type { Access, Route } from './route.ts';

export type ServiceStatus = 'starting' | 'running' | 'stopping';

export interface ApiContext {
  readonly board: Board;
  readonly status: () => ServiceStatus;
  readonly commands: CommandDispatcher;
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
    route(/^\/api\/v1\/position$/, 'admin', () =>
      ok(board.position === undefined ? [] : [board.position]),
    ),
    route(/^\/api\/v1\/serial$/, 'admin', () => ok([...board.serial.values()])),
    commandRoute(context.commands),
  ];
}

/** The body is the verb's arguments. */
function commandRoute(commands: CommandDispatcher): Route {
  return {
    path: /^\/api\/v1\/cmd\/([a-z/-]{1,64})$/,
    access: 'admin',
    maxBodyBytes: MAX_REQUEST_BYTES,
    handle: async ({ response, captured, body }) => {
      const outcome = await commands.run(captured[0] ?? '', body);
      sendAnswer(response, answerTo(outcome));
    },
  };
}

const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ['bad-request', 400],
  ['unknown-verb', 404],
  ['not-found', 404],
  ['unsupported', 422],
  ['refused', 502],
  ['unreachable', 502],
  ['busy', 503],
  ['timeout', 504],
]);

function answerTo(outcome: CommandOutcome): Answer {
  if (outcome.kind === 'ignored') return problem(409, 'too-old', outcome.why);
  const { reply } = outcome;
  if (reply.ok) return ok(reply);
  return { status: STATUS_OF_CODE.get(reply.error.code) ?? 500, body: reply };
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
  motion,
}: {
  readonly name: string;
  readonly status: unknown;
  readonly info: unknown;
  readonly stats: unknown;
  readonly motion: unknown;
}): unknown {
  return { name, status, info: info ?? null, stats: stats ?? null, motion: motion ?? null };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
