/** What others connect to: they push streams in, or pull them out. */
import type { Logger } from 'pino';
import type { AcceptorConfig } from '../config/schema.ts';
import type { Hub } from '../hub/hub.ts';
import type { FanOutContext } from '../viewers/fan-out.ts';
import type { RtmpFanOuts } from '../viewers/rtmp-fan-outs.ts';
import type { VodLibrary } from '../vod/vod-library.ts';
import type { Publications } from './publications.ts';

export interface Acceptor {
  /** Listens, or goes on trying to; never fails. */
  start(): Promise<void>;
  /** Ends every session; bounded to less than a second. */
  stop(): Promise<void>;
  /** What it really listens on: the configured port may be 0. undefined while it does not. */
  readonly port: number | undefined;
}

export interface AcceptorContext {
  readonly hub: Hub;
  readonly publications: Publications;
  readonly rtmpFanOuts: RtmpFanOuts;
  readonly vod: VodLibrary;
  readonly log: Logger;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  readonly dataDir: string;
  readonly gatewayId: string;
  /** What all viewers of the process share. */
  readonly viewers: FanOutContext;
}

export type MakeAcceptor = (config: AcceptorConfig, context: AcceptorContext) => Acceptor;
