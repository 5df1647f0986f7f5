/** All heads on serial lines: one line for each entry of the configuration, opened when it is started. */
import type { Logger } from 'pino';
import type { HeadLanguage } from '../../protocols/head-language.ts';
import { pelcoD } from '../../protocols/pelco/pelco-d.ts';
import { pelcoP } from '../../protocols/pelco/pelco-p.ts';
import { visca } from '../../protocols/visca/visca-language.ts';
import type { SerialLineState } from '../serial/line-state.ts';
import {
  SerialLine,
  type SerialLineContext,
  type SerialLineOptions,
} from '../serial/serial-line.ts';
import type { HeadLink } from './head-link.ts';
import { PelcoBus } from './pelco-bus.ts';
import type { PtzHead } from './ptz-head.ts';
import { ViscaBus } from './visca-bus.ts';
import { WireHead } from './wire-head.ts';

type HeadProtocol = HeadLanguage['protocol'];

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

interface HeadBus {
  /** When it is opened. */
  readonly stopsAll: boolean;
  link(head: string, address: number): HeadLink;
  bytes(bytes: Uint8Array): void;
  opened(): void;
  lost(error: Error): void;
}

interface SpokenProtocol {
  readonly language: (address: number) => HeadLanguage;
  /** As heads leave the factory. */
  readonly baudRate: number;
  readonly bus: (line: SerialLine, context: SerialHeadsContext) => HeadBus;
}

const PROTOCOLS: Readonly<Record<HeadProtocol, SpokenProtocol>> = {
  'pelco-d': { language: pelcoD, baudRate: 2400, bus: (line) => new PelcoBus(line) },
  'pelco-p': { language: pelcoP, baudRate: 4800, bus: (line) => new PelcoBus(line) },
  visca: { language: visca, baudRate: 9600, bus: (line, context) => new ViscaBus(line, context) },
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
    const { language, baudRate, bus: busOf } = PROTOCOLS[protocol];
    let isFirst = true;
    const options: SerialLineOptions = { path, baudRate: config.baudRate ?? baudRate, rs485 };
    this.#line = new SerialLine(
      options,
      {
        bytes: (bytes) => bus.bytes(bytes),
        opened: () => {
          bus.opened();
          for (const head of this.heads.values()) head.comeBack(isFirst && !bus.stopsAll);
          isFirst = false;
        },
        lost: (error) => bus.lost(error),
        closing: () => this.#closing(),
        changed: () => context.changed?.(this.status),
      },
      context,
    );
    const bus = busOf(this.#line, context);
    this.heads = new Map(
      Object.entries(addresses).map(([head, address]) => {
        const fullName = `${name}/${head}`;
        const link = bus.link(fullName, address);
        const { log } = context;
        return [fullName, new WireHead({ name: fullName, language: language(address), link, log })];
      }),
    );
  }

  get status(): SerialLineStatus {
    const { name, path } = this.#config;
    return { name, path, ...this.#line.state };
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#line.run(signal);
    // Where the line was not open at the end: no timer stays.
    await this.#closing();
  }

  async #closing(): Promise<void> {
    await Promise.allSettled(Array.from(this.heads.values(), (head) => head.close()));
  }
}
