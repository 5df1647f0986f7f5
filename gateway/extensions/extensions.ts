/**
 * The modules of the configuration's `extensions`: loaded at the start, each by itself. One that cannot be loaded, or
 * fails, is told and done without.
 *
 * What an extension throws in a callback of Node's, where nobody of ours catches it, would end the process. The
 * async context tells whose callback it was; that extension is ended, and the rest goes on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { pathToFileURL } from 'node:url';
import { UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { type Credentials, emptyStats, type StreamDriver } from '../../drivers/driver.ts';
import type { ExtensionConfig } from '../config/schema.ts';
import { schemeOf } from '../config/urls.ts';
import { CheckedSink } from './checked-sink.ts';
import type { Extension, Source } from './extension-api.ts';
import { type ExtensionContext, ExtensionHost } from './extension-host.ts';

const API_VERSION = 1;
const ACTIVATE_MS = 10_000;

export class Extensions {
  readonly #configs: readonly ExtensionConfig[];
  readonly #context: ExtensionContext;
  readonly #running = new AsyncLocalStorage<ExtensionHost>();
  readonly #hosts = new Set<ExtensionHost>();

  constructor(configs: readonly ExtensionConfig[], context: ExtensionContext) {
    this.#configs = configs;
    this.#context = context;
  }

  /** Never fails. */
  async start(): Promise<void> {
    if (this.#configs.length === 0) return;
    process.on('uncaughtException', this.#uncaught);
    await Promise.all(this.#configs.map((config) => this.#load(config)));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => host.end()));
    process.off('uncaughtException', this.#uncaught);
  }

  /** The driver of a source `x-NAME://…`. Who serves it is looked for at each attempt. */
  openSource(url: string, credentials: Credentials | undefined): StreamDriver {
    const { username, password } = credentials ?? {};
    const source = { url, username, password };
    const stats = emptyStats();
    return {
      stats,
      notes: [],
      run: async (sink, signal) => {
        Object.assign(stats, emptyStats());
        await this.#run(source, sink, signal, (bytes) => {
          stats.receivedBytes = bytes;
        });
      },
    };
  }

  async #run(
    source: Source,
    sink: StreamSink,
    signal: AbortSignal,
    received: (bytes: number) => void,
  ): Promise<void> {
    const scheme = schemeOf(source.url).slice(0, -1);
    for (const host of this.#hosts) {
      const driver = host.openSource(scheme, source);
      if (driver === undefined) continue;
      const checked = new CheckedSink(host.ours(sink), received);
      try {
        await host.runDriver(driver, checked, signal);
      } finally {
        checked.stop();
      }
      return;
    }
    throw new UnsupportedError(`no extension serves ${scheme}://`);
  }

  async #load({ module, options }: ExtensionConfig): Promise<void> {
    let host: ExtensionHost | undefined;
    try {
      const extension = checked(await import(pathToFileURL(module).href));
      host = new ExtensionHost(extension, this.#context, this.#running);
      this.#hosts.add(host);
      await inTime(host.activate(options));
      this.#context.log.info({ extension: extension.name, module }, 'extension is active');
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      this.#context.log.error(
        { err: error, module },
        `The extension ${module} is left out: ${words}`,
      );
      if (host !== undefined) this.#hosts.delete(host);
      await host?.end();
    }
  }

  readonly #uncaught = (error: unknown): void => {
    const host = this.#running.getStore();
    if (host !== undefined) {
      this.#hosts.delete(host);
      void host.end(error);
      return;
    }
    // Not theirs: as if nobody listened.
    process.off('uncaughtException', this.#uncaught);
    setImmediate(() => {
      throw error;
    });
  };
}

/** What the module exports, if it is an extension for this version. */
function checked(module: unknown): Extension {
  const extension: unknown = Object(module).extension;
  if (typeof extension !== 'object' || extension === null) {
    throw new TypeError('it exports no `extension`');
  }
  // What follows looks at each property before it is relied on.
  const { apiVersion, name, activate } = extension as Partial<Extension>;
  if (apiVersion !== API_VERSION) {
    throw new TypeError(
      `it is for version ${apiVersion} of the interface, and this is ${API_VERSION}`,
    );
  }
  if (typeof name !== 'string' || name === '' || typeof activate !== 'function') {
    throw new TypeError('an extension has a name and activate()');
  }
  return extension as Extension;
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `activate() has not settled within ${ACTIVATE_MS / 1000} s`;
    timer = setTimeout(() => reject(new Error(words)), ACTIVATE_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
