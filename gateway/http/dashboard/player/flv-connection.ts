/** HTTP-FLV by `fetch`, which tells why when it is refused, and reads no faster than its bytes are used. */
import { FlvReader, type FlvTagHandler } from '../../../../codecs/flv/flv-reader.ts';
import { PlayFailure } from './play-failure.ts';

/** Nothing for so long: cameras exist that send a picture every few seconds. */
const SILENT_MS = 10_000;
const MAX_REASON_BYTES = 4_096;

export interface FlvConnectionContext {
  readonly fetch: typeof fetch;
  /** Until what was read is used. */
  readonly drained: () => Promise<void>;
}

/** Until it ends; always throws, what the signal says or a `PlayFailure`. */
export async function readFlv(
  url: string,
  onTag: FlvTagHandler,
  signal: AbortSignal,
  context: FlvConnectionContext,
): Promise<never> {
  const silence = new Silence(signal);
  const either = silence.signal;
  try {
    const response = await context
      .fetch(url, { signal: either, credentials: 'same-origin' })
      .catch((error: unknown) => {
        either.throwIfAborted();
        throw new PlayFailure('unreachable', error instanceof Error ? error.message : '');
      });
    if (!response.ok) throw await refusal(response);
    if (response.body === null) throw new PlayFailure('ended', '');
    const reader = new FlvReader(onTag);
    const source = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await source.read();
        if (done) throw new PlayFailure('ended', '');
        silence.pause();
        reader.push(value);
        await context.drained();
        silence.begin();
      }
    } finally {
      source.cancel().catch(() => undefined);
    }
  } catch (error) {
    either.throwIfAborted();
    throw error;
  } finally {
    silence.end();
  }
}

/** Aborts when nothing is heard for too long. */
class Silence {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `outer`: ends it as well. (`AbortSignal.any` is too new for some of our browsers.) */
  constructor(outer: AbortSignal) {
    outer.addEventListener('abort', () => this.#controller.abort(outer.reason), {
      once: true,
      signal: this.#controller.signal,
    });
    this.begin();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  begin(): void {
    this.#timer = setTimeout(
      () => this.#controller.abort(new PlayFailure('silent', '')),
      SILENT_MS,
    );
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Leaves no listener behind. */
  end(): void {
    this.pause();
    this.#controller.abort();
  }
}

async function refusal(response: Response): Promise<PlayFailure> {
  const { status } = response;
  if (status === 401 || status === 403) return new PlayFailure('login', '');
  const text = (await response.text().catch(() => '')).slice(0, MAX_REASON_BYTES);
  return new PlayFailure(status === 404 ? 'gone' : 'refused', reasonIn(text) ?? `HTTP ${status}`);
}

/** `{ error: { message } }`, as our own answers say it. */
function reasonIn(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as { error?: { message?: unknown } } | null;
    const message = answer?.error?.message;
    return typeof message === 'string' ? message : undefined;
  } catch {
    // Not one of ours: the status says enough.
    return undefined;
  }
}
