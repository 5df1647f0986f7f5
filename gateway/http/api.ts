/** The API: the board, as arrays of what the topics carry; commands, as over MQTT; and whether the service is well. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Board, StreamEntry } from '../report/board.ts';
import type { GatewayInfo, Health } from '../report/box-status.ts';
import {
  type CommandDispatcher,
  type CommandOutcome,
  MAX_REQUEST_BYTES,
} from '../report/commands.ts';
import { countUp } from '../report/health.ts';
import { CAUSE_CODES } from '../report/status.ts';
import { type Answer, problem, sendAnswer } from './answer.ts';
import type { HealthzAnswer, PublishAnswer, ServiceStatus, StreamAnswer } from './api-answers.ts';
import type { Access, Route } from './route.ts';

/** The same from the bundle's entry (dist/gateway/) and from its chunks (dist/chunks/). */
const OPENAPI_FILE = fileURLToPath(new URL('../openapi.json', import.meta.url));

export interface ApiContext {
  readonly board: Board;
  readonly status: () => ServiceStatus;
  readonly commands: CommandDispatcher;
  readonly info: () => GatewayInfo;
  readonly health: () => Promise<Health>;
  /** Left out: beside the bundle. */
  readonly openApiFile?: string;
}

export function apiRoutes(context: ApiContext): Route[] {
  const { board, commands } = context;
  const route = (path: RegExp, access: Access, answer: Route['handle']): Route => ({
    path,
    access,
    handle: answer,
  });
  const reading = (path: RegExp, read: (captured: readonly string[]) => unknown): Route =>
    route(path, 'reader', async ({ response, captured }) => {
      const answer = await read(captured);
      sendAnswer(response, answer === undefined ? NO_SUCH_STREAM : ok(answer));
    });
  return [
    {
      path: /^\/healthz$/,
      // Whoever balances load or restarts containers has no login.
      access: 'everybody',
      isProbe: true,
      handle: ({ response }) => sendAnswer(response, healthz(context)),
    },
    reading(/^\/api\/v1\/info$/, () => context.info()),
    reading(/^\/api\/v1\/health$/, () => context.health()),
    reading(/^\/api\/v1\/streams$/, () => [...board.streams.values()].map(streamOf)),
    reading(/^\/api\/v1\/streams\/([a-z0-9-]{1,48})$/, ([name = '']) => {
      const entry = board.streams.get(name);
      return entry && streamOf(entry);
    }),
    reading(/^\/api\/v1\/publish$/, (): PublishAnswer[] => [...board.publishes.values()]),
    reading(/^\/api\/v1\/recordings$/, () => [...board.recordings.values()]),
    reading(/^\/api\/v1\/devices$/, () => [...board.found.values()]),
    reading(/^\/api\/v1\/position$/, () => (board.position === undefined ? [] : [board.position])),
    reading(/^\/api\/v1\/serial$/, () => [...board.serial.values()]),
    reading(/^\/api\/v1\/events$/, () => board.events),
    route(/^\/api\/v1\/config$/, 'reader', async ({ response }) => {
      sendAnswer(response, dataOf(await commands.run('config/get', NO_ARGUMENTS)));
    }),
    openApiRoute(context.openApiFile ?? OPENAPI_FILE),
    commandRoute(commands),
  ];
}

/** Read when somebody asks: it is as large as all the code of the API. */
function openApiRoute(file: string): Route {
  return {
    path: /^\/api\/v1\/openapi\.json$/,
    access: 'reader',
    handle: async ({ response }) => {
      const text = await readFile(file);
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': text.length,
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
      });
      response.end(text);
    },
  };
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

const NO_ARGUMENTS = new Uint8Array(0);
const NO_SUCH_STREAM = problem(404, 'not-found', 'there is no stream of that name');

const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  // What a camera or a master is the cause of, but for those below.
  ...CAUSE_CODES.map((code) => [code, 502] as const),
  ['bad-request', 400],
  ['invalid', 400],
  ['unknown-verb', 404],
  ['not-found', 404],
  ['configured', 409],
  ['conflict', 409],
  ['disabled', 409],
  ['exists', 409],
  ['name-taken', 409],
  ['too-large', 413],
  ['needs-password', 422],
  ['unsupported', 422],
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

function dataOf(outcome: CommandOutcome): Answer {
  if (outcome.kind === 'reply' && outcome.reply.ok) return ok(outcome.reply.data);
  return answerTo(outcome);
}

/** As systemd is told: 503 while starting and stopping. A camera that is down does not make the service unhealthy. */
function healthz({ board, status }: ApiContext): Answer {
  const { streamsUp, streamsTotal } = countUp(board);
  const uptimeS = Math.round(process.uptime());
  const body: HealthzAnswer = { status: status(), streamsUp, streamsTotal, uptimeS };
  return { status: status() === 'running' ? 200 : 503, body };
}

function streamOf({ name, status, info, stats, motion }: StreamEntry): StreamAnswer {
  return { name, status, info: info ?? null, stats: stats ?? null, motion: motion ?? null };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
