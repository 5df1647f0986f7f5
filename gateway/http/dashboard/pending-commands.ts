/** Commands whose reply is awaited. */
import { connectionWords } from './connection-words.ts';
import { fieldOf } from './field-of.ts';
import { CommandFailure } from './model.ts';
import { parsePayload } from './parse-payload.ts';

/** A gateway answers within a minute, whatever it was asked. */
const TIMEOUT_MS = 65_000;
/** Most are quick: who clicked should not wait for a gateway that has gone. */
const QUICK_TIMEOUT_MS = 15_000;
const SLOW_VERBS: ReadonlySet<string> = new Set(['discover', 'adopt', 'config/set', 'stream/add']);
/** People click less often; a screen that asks in a loop is broken. */
const MAX_PENDING = 256;

interface Pending {
  readonly gateway: string;
  readonly settle: (outcome: { readonly data: unknown } | CommandFailure) => void;
}

type Reply =
  | { readonly id?: unknown; readonly ok: true; readonly data: unknown }
  | {
      readonly id?: unknown;
      readonly ok: false;
      readonly error: { code: string; message: string };
    };

export class PendingCommands {
  readonly #pending = new Map<string, Pending>();
  readonly #quickMs: number;
  #lastId = 0;

  constructor(quickMs = QUICK_TIMEOUT_MS) {
    this.#quickMs = quickMs;
  }

  add(gateway: string, verb: string): { readonly id: string; readonly reply: Promise<unknown> } {
    if (this.#pending.size >= MAX_PENDING) {
      throw new CommandFailure('busy', `${MAX_PENDING} commands are running`);
    }
    this.#lastId += 1;
    // Others at the same broker count, too.
    const id = `${this.#lastId}-${Math.random().toString(36).slice(2, 10)}`;
    const timeoutMs = SLOW_VERBS.has(verb) ? TIMEOUT_MS : this.#quickMs;
    const reply = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(id, 'timeout', connectionWords('timeout')),
        timeoutMs,
      );
      this.#pending.set(id, {
        gateway,
        settle: (outcome) => {
          clearTimeout(timer);
          this.#pending.delete(id);
          if (outcome instanceof CommandFailure) reject(outcome);
          else resolve(outcome.data);
        },
      });
    });
    return { id, reply };
  }

  /** Replies to others are none of ours. `id`: by the correlation data, where there is some. */
  answer(gateway: string, payload: Uint8Array, id?: string): void {
    const reply = parsePayload(payload, isReply);
    if (reply === undefined) return;
    const pending = this.#pending.get(id ?? String(reply.id));
    if (pending?.gateway !== gateway) return;
    const { settle } = pending;
    if (reply.ok) settle({ data: reply.data });
    else settle(new CommandFailure(reply.error.code, reply.error.message));
  }

  fail(id: string, code: string, message: string): void {
    this.#pending.get(id)?.settle(new CommandFailure(code, message));
  }

  failAll(code: string, message: string): void {
    for (const { settle } of [...this.#pending.values()]) {
      settle(new CommandFailure(code, message));
    }
  }
}

function isReply(value: unknown): value is Reply {
  const ok = fieldOf(value, 'ok');
  if (ok === true) return true;
  const error = fieldOf(value, 'error');
  return (
    ok === false &&
    typeof fieldOf(error, 'code') === 'string' &&
    typeof fieldOf(error, 'message') === 'string'
  );
}
