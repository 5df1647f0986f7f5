/**
 * What can be asked of the gateway, whoever carries the question. A request is a JSON object: the
 * verb's arguments, and beside them `id` (given back), `ts` (when it was sent) and `ttlMs`. The
 * reply says what happened, not that it was queued.
 */
import { EventEmitter } from 'node:events';
import * as z from 'zod/mini';
import { ParseError } from '../../codecs/errors.ts';
import { parseScanNetwork, SCAN_EXPECTED } from '../../drivers/discovery/scan-network.ts';
import { checkedText, name, oneOf, text, wholeNumber } from '../config/fields.ts';
import { profile } from '../config/profile-schema.ts';
import { LOG_LEVELS } from '../config/schema.ts';
import { scrub } from '../secrets.ts';
import { CAMERA_COMMANDS } from './camera-commands.ts';
import { CommandPlaces } from './command-places.ts';
import { CONFIG_COMMANDS } from './config-commands.ts';

/** The verbs and their arguments. Unknown arguments are ignored. */
export const COMMANDS = {
  'stream/restart': z.object({ name: name() }),
  discover: z.object({
    timeoutMs: z._default(wholeNumber(500, 30_000), 5_000),
    scan: z.optional(checkedText(SCAN_EXPECTED, scanProblem)),
  }),
  restart: z.object({}),
  'log/level': z.object({ level: oneOf(LOG_LEVELS) }),
  adopt: z.object({
    /** The id of a found device, or the name of its stream. */
    device: name(),
    decision: z._default(oneOf(['adopt', 'ignore', 'forget']), 'adopt'),
    name: z.optional(name()),
    username: z.optional(text('a user name')),
    password: z.optional(text('a password')),
    profile: z.optional(profile),
  }),
  ...CAMERA_COMMANDS,
  ...CONFIG_COMMANDS,
} as const;

export type CommandVerb = keyof typeof COMMANDS;
export type CommandArguments<Verb extends CommandVerb> = z.output<(typeof COMMANDS)[Verb]>;

/** What a handler returns becomes the reply's `data`. */
export type CommandHandlers = {
  readonly [Verb in CommandVerb]: (args: CommandArguments<Verb>) => unknown;
};

/** Thrown by a handler that knows why: `code` is stable, the message is for people. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type CommandReply = { readonly id?: string | number } & (
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }
);

/** Arguments are names and numbers; anything larger is a mistake. */
export const MAX_REQUEST_BYTES = 64 * 1024;
/** How long a command waits for its turn at most, however long its ttlMs. */
const MAX_WAIT_MS = 30_000;
const RUN_TIMEOUT_MS = 60_000;
const DEFAULT_TTL_MS = 10_000;
const MAX_TTL_MS = 24 * 60 * 60_000;

const id = z.optional(z.union([z.string().check(z.maxLength(128)), z.number()]));
/** Whoever asks wrongly is to know which request that was. */
const envelopeId = z.looseObject({ id });
const request = z.looseObject({
  id,
  ts: z.optional(z.union([z.string().check(z.maxLength(64)), z.number()])),
  ttlMs: z._default(wholeNumber(1, MAX_TTL_MS), DEFAULT_TTL_MS),
});

export type CommandOutcome =
  | { readonly kind: 'reply'; readonly reply: CommandReply }
  | { readonly kind: 'ignored'; readonly why: string };

export interface CommandEvents {
  /** Of whoever asked, with what was asked as it came. */
  done: [verb: string, request: Readonly<Record<string, unknown>>];
}

export class CommandDispatcher extends EventEmitter<CommandEvents> {
  readonly #handlers: CommandHandlers;
  readonly #now: () => number;
  readonly #places = new CommandPlaces();

  constructor(handlers: CommandHandlers, now: () => number) {
    super();
    this.#handlers = handlers;
    this.#now = now;
  }

  /** Never rejects. An empty payload is a request without arguments. */
  async run(verb: string, payload: Uint8Array): Promise<CommandOutcome> {
    if (payload.length > MAX_REQUEST_BYTES) {
      return failed('too-large', `expected at most ${MAX_REQUEST_BYTES} bytes`);
    }
    const asked = parseJson(payload);
    const parsed = request.safeParse(asked);
    if (!parsed.success) {
      const words = 'expected a JSON object with valid id, ts and ttlMs';
      return failed('bad-request', words, envelopeId.safeParse(asked).data?.id);
    }
    const { id, ts, ttlMs } = parsed.data;
    let ageMs = 0;
    if (ts !== undefined) {
      const sentAtMs = typeof ts === 'number' ? ts : Date.parse(ts);
      if (Number.isNaN(sentAtMs)) return failed('bad-request', 'expected ts as an ISO time', id);
      ageMs = this.#now() - sentAtMs;
      if (ageMs > ttlMs)
        return { kind: 'ignored', why: `sent ${ageMs} ms ago by this box’s clock` };
    }
    // Not a move: it would come behind the stop of whoever has let go meanwhile.
    const maxWaitMs = verb === 'ptz' ? 0 : Math.min(ttlMs - Math.max(0, ageMs), MAX_WAIT_MS);
    if (!(await this.#places.take(isStop(verb, parsed.data), maxWaitMs))) {
      return failed('busy', 'too many commands are running', id);
    }
    try {
      const data = await withTimeout(this.#dispatch(verb, parsed.data));
      this.emit('done', verb, parsed.data);
      return { kind: 'reply', reply: { ...idOf(id), ok: true, data: data ?? null } };
    } catch (error) {
      if (error instanceof CommandError) return failed(error.code, error.message, id);
      return failed('failed', error instanceof Error ? error.message : String(error), id);
    } finally {
      this.#places.leave();
    }
  }

  async #dispatch(verb: string, args: unknown): Promise<unknown> {
    if (isVerb(verb)) return this.#call(verb, args);
    throw new CommandError('unknown-verb', `known verbs: ${Object.keys(COMMANDS).join(', ')}`);
  }

  #call<Verb extends CommandVerb>(verb: Verb, args: unknown): unknown {
    return this.#handlers[verb](checked(verb, args));
  }
}

function scanProblem(network: string): string | undefined {
  try {
    parseScanNetwork(network);
    return undefined;
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}

function isVerb(verb: string): verb is CommandVerb {
  return Object.hasOwn(COMMANDS, verb);
}

function isStop(verb: string, { action }: Readonly<Record<string, unknown>>): boolean {
  return verb === 'ptz' && action === 'stop';
}

function checked<Verb extends CommandVerb>(verb: Verb, args: unknown): CommandArguments<Verb> {
  const result = z.safeParse(COMMANDS[verb], args);
  // The schema is that verb's, which the compiler does not follow through the table.
  if (result.success) return result.data as CommandArguments<Verb>;
  const issue = result.error.issues[0];
  throw new CommandError(
    'bad-request',
    `${issue?.path.join('.') ?? ''}: expected ${issue?.message ?? 'something else'}`,
  );
}

function parseJson(payload: Uint8Array): unknown {
  if (payload.length === 0) return {};
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    // Not JSON: the schema says what is expected.
    return undefined;
  }
}

function failed(code: string, message: string, id?: string | number): CommandOutcome {
  return {
    kind: 'reply',
    reply: { ...idOf(id), ok: false, error: { code, message: scrub(message) } },
  };
}

function idOf(id: string | number | undefined): { id?: string | number } {
  return id === undefined ? {} : { id };
}

async function withTimeout(work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new CommandError('timeout', `not done after ${RUN_TIMEOUT_MS} ms`)),
      RUN_TIMEOUT_MS,
    );
    timer.unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
