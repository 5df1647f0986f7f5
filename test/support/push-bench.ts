/** What an acceptor needs around it: a hub, publications, and sinks that keep what comes out. */
import { pino } from 'pino';
import type { Acceptor } from '../../gateway/acceptors/acceptor.ts';
import { Publications } from '../../gateway/acceptors/publications.ts';
import type { PushContext } from '../../gateway/acceptors/push-acceptor.ts';
import { parseConfig } from '../../gateway/config/load.ts';
import type { AcceptorConfig } from '../../gateway/config/schema.ts';
import { Hub } from '../../gateway/hub/hub.ts';
import { Board } from '../../gateway/report/board.ts';
import { RecordingSink } from './recording-sink.ts';

type MakePushAcceptor = (config: AcceptorConfig, context: PushContext) => Acceptor;

export class PushBench {
  readonly board = new Board();
  readonly hub = new Hub(0, () => performance.now());
  readonly publications: Publications;
  /** Lines of warnings and errors. */
  readonly said: string[] = [];
  readonly #context: PushContext;
  readonly #acceptors: Acceptor[] = [];

  constructor() {
    const log = pino(
      { level: 'warn' },
      { write: (line: string) => void this.said.push((JSON.parse(line) as { msg: string }).msg) },
    );
    this.publications = new Publications({
      hub: this.hub,
      board: this.board,
      log,
      now: () => performance.now(),
      gatewayId: 'here',
      stallMs: 8_000,
      isReserved: () => false,
    });
    const now = () => performance.now();
    this.#context = { publications: this.publications, log, now };
  }

  /** `yaml`: the keys of one acceptor, as in a configuration. */
  async start(make: MakePushAcceptor, yaml: string): Promise<Acceptor> {
    const source = `acceptors: [{ ${yaml} }]`;
    const config = parseConfig(source, { file: 'test', folder: '.', env: {} }).acceptors[0];
    if (config === undefined) throw new Error('no acceptor');
    const acceptor = make(config, this.#context);
    this.#acceptors.push(acceptor);
    await acceptor.start();
    return acceptor;
  }

  follow(name: string): RecordingSink {
    const sink = new RecordingSink();
    this.hub.follow(name, sink);
    return sink;
  }

  get names(): string[] {
    return [...this.hub.streams].map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.stop()));
  }
}
