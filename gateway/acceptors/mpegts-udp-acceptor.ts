/**
 * MPEG-TS over UDP: a port of ours, or a group that is joined. One stream, as there are no connections: it is
 * published when pictures come, and given up when nothing has come for a while; a sender that returns begins anew.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { MpegtsUdpEncoder } from '../../drivers/encoder/mpegts-udp-encoder.ts';
import { parseHostPort } from '../config/fields.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import { LogRepeats } from '../log-repeats.ts';
import { toName } from '../names.ts';
import type { Acceptor } from './acceptor.ts';
import type { PushContext } from './push-acceptor.ts';
import type { Publication } from './pushed-stream.ts';

const RETRY_MS = 5_000;
const COUNT_PERIOD_MS = 1_000;
const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function makeMpegtsUdpAcceptor(config: AcceptorConfig, context: PushContext): Acceptor {
  return new MpegtsUdpAcceptor(config, context);
}

class MpegtsUdpAcceptor implements Acceptor {
  readonly port: number;
  readonly #config: AcceptorConfig;
  readonly #context: PushContext;
  readonly #name: string;
  readonly #repeats: LogRepeats;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(config: AcceptorConfig, context: PushContext) {
    const { host = '', port = 0 } = parseHostPort(config.listen) ?? {};
    this.port = port;
    this.#config = config;
    this.#context = context;
    const place = ANY.has(host) ? `ts-${port}` : `ts-${host}-${port}`;
    this.#name = config.localStreamName ?? toName(place, 'ts');
    this.#repeats = new LogRepeats(context.log);
    context.publications.expect(this.#name);
  }

  start(): Promise<void> {
    this.#running = this.#run(this.#stopping.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('this gateway is stopping'));
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failure = await this.#listen(signal);
      if (signal.aborted || failure === undefined) continue;
      // Silence is no fault of ours: listen on.
      if (failure instanceof ProtocolError && failure.code === 'NOTHING_COMES') continue;
      this.#tell(failure);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until something fails; undefined where the stream was only given up. */
  async #listen(signal: AbortSignal): Promise<unknown> {
    const attempt = new AbortController();
    const driver = new MpegtsUdpEncoder(
      { url: this.#url, transport: 'auto', interface: this.#config.interface },
      { log: this.#context.log, now: Date.now },
    );
    const publishing = new Publishing(
      (end) => this.#open(end),
      () => attempt.abort(),
    );
    const timer = setInterval(() => {
      publishing.received(driver.stats.receivedBytes);
    }, COUNT_PERIOD_MS);
    try {
      await driver.run(publishing, AbortSignal.any([signal, attempt.signal]));
      return undefined;
    } catch (error) {
      return attempt.signal.aborted ? undefined : error;
    } finally {
      clearInterval(timer);
      publishing.close();
    }
  }

  /** Where the sender is to be one, it is in `publish.addresses`. */
  get #url(): string {
    const sender = this.#config.publish?.addresses?.[0];
    const from = sender?.includes(':') === true ? `[${sender}]` : (sender ?? '');
    return `udp://${from}@${this.#config.listen}`;
  }

  #open(end: () => void): Publication {
    return this.#context.publications.open({
      name: this.#name,
      protocol: 'MPEG-TS',
      peer: `UDP ${this.#config.listen}`,
      via: [],
      publishType: 'live',
      duplicate: this.#config.duplicatePublisher,
      end,
    });
  }

  #tell(error: unknown): void {
    const words = error instanceof Error ? error.message : String(error);
    const { listen } = this.#config;
    this.#repeats.report(
      words,
      'warn',
      { listen },
      `Nothing is taken on UDP ${listen}: ${words}; trying again every ${RETRY_MS / 1000} s`,
    );
  }
}

/** Opens the publication when the stream starts, and knows what has come for it. */
class Publishing implements StreamSink {
  readonly #open: (end: () => void) => Publication;
  readonly #onEnd: () => void;
  #publication: Publication | undefined;
  #receivedBytes = 0;

  constructor(open: (end: () => void) => Publication, onEnd: () => void) {
    this.#open = open;
    this.#onEnd = onEnd;
  }

  start(tracks: readonly Track[]): void {
    this.#publication ??= this.#open(this.#onEnd);
    this.#publication.start(tracks);
  }

  write(unit: AccessUnit): void {
    this.#publication?.write(unit);
  }

  stop(): void {
    this.#publication?.stop();
  }

  /** `total`: in all, so far. */
  received(total: number): void {
    if (total > this.#receivedBytes) this.#publication?.received(total - this.#receivedBytes);
    this.#receivedBytes = total;
  }

  close(): void {
    this.#publication?.close('nothing comes any more');
  }
}
