/** What this gateway tells of itself and of the machine it runs on, to whoever asks. */
import type { Logger } from 'pino';
import { nextSession } from '../config/identity.ts';
import { configHash } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { VERSION } from '../version.ts';
import type { Board } from './board.ts';
import type { GatewayInfo, Health } from './box-status.ts';
import { HealthSampler, SharedHealth } from './health.ts';
import { describeGateway } from './info.ts';

export interface BoxContext {
  /** As it is now. */
  readonly config: () => Config;
  readonly id: string;
  readonly board: Board;
  /** Brings what has been sent up to now onto the board. */
  readonly refresh: () => void;
  readonly log: Logger;
  readonly urls: () => GatewayInfo['urls'];
  readonly canRestart: boolean;
}

export class Box {
  readonly #context: BoxContext;
  readonly #life: { readonly session: number; readonly startedAt: string };
  readonly #health: SharedHealth;
  /** Of the configuration that was asked for last: all of it is read for this. */
  #hashed: { readonly config: Config; readonly hash: string } | undefined;

  constructor(context: BoxContext) {
    const { board, refresh, log } = context;
    const config = context.config();
    const { dataDir } = config.gateway;
    this.#context = context;
    this.#life = { session: nextSession(config, log), startedAt: new Date().toISOString() };
    const sampler = new HealthSampler({ board, refresh, dataDir, now: Date.now });
    this.#health = new SharedHealth(sampler, () => performance.now());
  }

  info(): GatewayInfo {
    const { board, id, urls, canRestart } = this.#context;
    const source = { id, version: VERSION, configHash: this.#configHash(), urls: urls() };
    return describeGateway({ ...this.#life, ...source, canRestart }, board);
  }

  health(): Promise<Health> {
    return this.#health.sample();
  }

  #configHash(): string {
    const config = this.#context.config();
    if (this.#hashed?.config !== config) this.#hashed = { config, hash: configHash(config) };
    return this.#hashed.hash;
  }
}
