/** All heads that are no cameras' own: on serial lines, and those that speak VISCA over IP. Loaded where there is one. */
import type { Logger } from 'pino';
import type { PtzHead } from '../../drivers/ptz/ptz-head.ts';
import type { HeadLineConfig, SerialHeads } from '../../drivers/ptz/serial-heads.ts';
import type { ClosableHead } from '../../drivers/ptz/visca-ip-head.ts';
import type { Config, SerialConfig } from '../config/schema.ts';
import { parseViscaUrl } from '../config/urls.ts';
import type { Board } from '../report/board.ts';
import { tellLine } from '../serial-reports.ts';

export interface HeadsContext {
  readonly board: Board;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

export class Heads {
  readonly #config: Pick<Config, 'serial' | 'streams'>;
  readonly #context: HeadsContext;
  #lines: SerialHeads | undefined;
  readonly #overIp = new Map<string, ClosableHead>();

  constructor(config: Pick<Config, 'serial' | 'streams'>, context: HeadsContext) {
    this.#config = config;
    this.#context = context;
  }

  /** `where`: `streams.<name>.ptz`. undefined before `start`. */
  head(where: string): PtzHead | undefined {
    return this.#overIp.get(where) ?? this.#lines?.head(where);
  }

  async start(signal: AbortSignal): Promise<void> {
    const lines = this.#config.serial.filter(hasHeads);
    if (lines.length > 0) await this.#openLines(lines, signal);
    await this.follow(this.#config.streams);
  }

  /** Heads over IP are those of the streams that there are now. */
  async follow(streams: Config['streams']): Promise<void> {
    const wanted = new Set(Object.values(streams).map(({ ptz }) => ptz));
    for (const [ptz, head] of this.#overIp) {
      if (wanted.has(ptz)) continue;
      this.#overIp.delete(ptz);
      // What a head that is not there any more answers to that does not matter.
      void head.close().catch(() => undefined);
    }
    for (const ptz of wanted) {
      const address = ptz === undefined ? undefined : parseViscaUrl(ptz);
      if (ptz === undefined || address === undefined || this.#overIp.has(ptz)) continue;
      const { openViscaIp } = await import('../../drivers/ptz/visca-ip-head.ts');
      this.#overIp.set(ptz, openViscaIp(address, this.#context));
    }
  }

  /** After the abort of `start`'s signal: heads that move have been stopped, nothing is open. */
  async stopped(): Promise<void> {
    const closed = Array.from(this.#overIp.values(), (head) => head.close());
    await Promise.allSettled([this.#lines?.stopped(), ...closed]);
  }

  async #openLines(lines: readonly HeadLineConfig[], signal: AbortSignal): Promise<void> {
    const { SerialHeads } = await import('../../drivers/ptz/serial-heads.ts');
    this.#lines = new SerialHeads(lines, {
      ...this.#context,
      changed: (status) => tellLine(this.#context, status),
    });
    for (const line of this.#lines.lines()) tellLine(this.#context, line);
    this.#lines.start(signal);
  }
}

function hasHeads(line: SerialConfig): line is SerialConfig & HeadLineConfig {
  return line.protocol !== 'nmea';
}
