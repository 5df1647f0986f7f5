/** All heads on serial lines: one line for each entry of the configuration, opened when it is started. */
import type { Logger } from 'pino';
import type { HeadLanguage } from '../../protocols/head-language.ts';
import { pelcoD } from '../../protocols/pelco/pelco-d.ts';
import { pelcoP } from '../../protocols/pelco/pelco-p.ts';
import type { SerialLineState } from '../serial/line-state.ts';
import {
  SerialLine,
  type SerialLineContext,
  type SerialLineOptions,
} from '../serial/serial-line.ts';
import { PelcoBus } from './pelco-bus.ts';
import type { PtzHead } from './ptz-head.ts';
import { WireHead } from './wire-head.ts';

type HeadProtocol = 'pelco-d' | 'pelco-p';

/** One entry of `serial` in the configuration; those of other protocols are not ours. */
export interface HeadLineConfig {
  readonly name: string;
  readonly path: string;
  readonly protocol: HeadProtocol;
  readonly baudRate?: number | undefined;
  readonly rs485: boolean;
  readonly addresses: Readonly<Record<string, number>>;
}

export interface SerialLineStatus extends SerialLineState {
  readonly name: string;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface SerialHeadsContext extends SerialLineContext {
  readonly log: Logger;
  /** A line's state has changed. */
  readonly changed?: (status: SerialLineStatus) => void;
}

const LANGUAGES: Record<
  HeadProtocol,
  { language(address: number): HeadLanguage; baudRate: number }
> = {
  'pelco-d': { language: pelcoD, baudRate: 2400 },
  'pelco-p': { language: pelcoP, baudRate: 4800 },
};

export class SerialHeads {
  readonly #lines: readonly HeadLine[];
  #running: Promise<unknown> = Promise.resolve();

  constructor(configs: readonly HeadLineConfig[], context: SerialHeadsContext) {
    this.#lines = configs.map((config) => new HeadLine(config, context));
  }

  /** `name`: LINE/HEAD. */
  head(name: string): PtzHead | undefined {
    for (const line of this.#lines) {
      const head = line.heads.get(name);
      if (head !== undefined) return head;
    }
    return undefined;
  }

  lines(): readonly SerialLineStatus[] {
    return this.#lines.map((line) => line.status);
  }

  /** Opens the lines, and keeps them open until `signal` aborts; heads that move are stopped then. */
  start(signal: AbortSignal): void {
    this.#running = Promise.all(this.#lines.map((line) => line.run(signal)));
  }

  /** When `signal` has aborted and nothing is open any more. */
  async stopped(): Promise<void> {
    await this.#running;
  }
}

class HeadLine {
  readonly heads: ReadonlyMap<string, WireHead>;
  readonly #config: HeadLineConfig;
  readonly #line: SerialLine;

  constructor(config: HeadLineConfig, context: SerialHeadsContext) {
    this.#config = config;
    const { name, path, protocol, rs485, addresses } = config;
    const { language, baudRate } = LANGUAGES[protocol];
    const options: SerialLineOptions = { path, baudRate: config.baudRate ?? baudRate, rs485 };
    this.#line = new SerialLine(
      options,
      {
        // Pelco's heads say nothing that is needed.
        bytes: () => undefined,
        opened: () => {
          for (const head of this.heads.values()) head.comeBack();
        },
        lost: (error) => bus.lost(error),
        closing: () => this.#closing(),
        changed: () => context.changed?.(this.status),
      },
      context,
    );
    const bus = new PelcoBus(this.#line);
    this.heads = new Map(
      Object.entries(addresses).map(([head, address]) => {
        const fullName = `${name}/${head}`;
        const link = bus.link(fullName);
        const { log } = context;
        return [fullName, new WireHead({ name: fullName, language: language(address), link, log })];
      }),
    );
  }

  get status(): SerialLineStatus {
    const { name, path } = this.#config;
    return { name, path, ...this.#line.state };
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#line.run(signal);
  }

  async #closing(): Promise<void> {
    await Promise.allSettled(Array.from(this.heads.values(), (head) => head.close()));
  }
}
