/**
 * What others connect to, but for the API: acceptors, players over HTTP, recordings and files. Loaded when it is needed, for an
 * edge that only publishes does without its code (ARCHITECTURE.md, "Decisions").
 */
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { Acceptors } from './acceptors/acceptors.ts';
import type { Publications } from './acceptors/publications.ts';
import type { Config } from './config/schema.ts';
import { LiveRoutes } from './http/live-routes.ts';
import type { Route } from './http/route.ts';
import { snapshotRoute } from './http/snapshot-route.ts';
import type { Hub } from './hub/hub.ts';
import { Recordings } from './recording/recordings.ts';
import type { Board } from './report/board.ts';
import { BacklogBudget } from './viewers/backlog-budget.ts';
import { hlsRoutes } from './viewers/hls/hls-routes.ts';
import { HlsStreams } from './viewers/hls/hls-streams.ts';
import { playerPageRoute } from './viewers/hls/player-page.ts';
import { RtmpFanOuts } from './viewers/rtmp-fan-outs.ts';
import { VodLibrary } from './vod/vod-library.ts';
import { vodRoutes } from './vod/vod-routes.ts';

export interface ServingContext {
  readonly config: Config;
  readonly log: Logger;
  readonly board: Board;
  readonly hub: Hub;
  readonly publications: Publications;
  readonly gatewayId: string;
  /** A camera's own picture; undefined where there is none. */
  readonly snapshot: (name: string) => Promise<Uint8Array> | undefined;
}

export class Serving {
  /** For players. */
  readonly routes: readonly Route[];
  readonly #acceptors: Acceptors;
  readonly #recordings: Recordings;
  readonly #hls: HlsStreams;

  constructor(context: ServingContext) {
    const { config, log, board, hub, publications, gatewayId, snapshot } = context;
    const now = () => performance.now();
    const viewers = { now, budget: new BacklogBudget() };
    const recordingsDir = resolve(config.gateway.dataDir, config.recording.dir);
    const vod = new VodLibrary([recordingsDir].concat(config.vod.dir ?? []));
    this.#recordings = new Recordings({
      ...config.recording,
      dir: recordingsDir,
      board,
      log: log.child({ part: 'recording' }),
      now: Date.now,
    });
    publications.record = (stream, type) => this.#recordings.record(stream, type);
    this.#hls = new HlsStreams({
      hub,
      maxBytes: config.limits.hlsMaxBytes,
      log: log.child({ part: 'hls' }),
      now,
      wallClock: Date.now,
    });
    this.#acceptors = new Acceptors(config.acceptors, {
      hub,
      publications,
      rtmpFanOuts: new RtmpFanOuts(hub, viewers),
      vod,
      log,
      now,
      dataDir: config.gateway.dataDir,
      gatewayId,
      viewers,
    });
    this.routes = [
      ...new LiveRoutes(hub, viewers).routes,
      ...hlsRoutes(this.#hls),
      playerPageRoute,
      snapshotRoute(snapshot),
      ...vodRoutes(vod),
    ];
  }

  async start(): Promise<void> {
    await this.#recordings.start();
    await this.#acceptors.start();
  }

  /** Publishers have been sent away before. */
  async stop(): Promise<void> {
    await this.#acceptors.stop();
    this.#hls.stop();
    await this.#recordings.close();
  }
}
