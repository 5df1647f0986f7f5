/** The broker of `mqtt.url`, which may come and go: one connection at a time, for as long as the gateway runs. */
import type { Logger } from 'pino';
import { AttemptBudget } from '../attempt-budget.ts';
import type { Cause } from '../causes.ts';
import type { MqttConfig } from '../config/schema.ts';
import { LogRepeats } from '../log-repeats.ts';
import { scrub } from '../secrets.ts';
import { type SupervisedState, Supervisor } from '../supervisor.ts';
import { explainBroker, explainTwin } from './broker-causes.ts';
import type { BrokerLink, IncomingMessage } from './broker-link.ts';
import { MqttSession } from './mqtt-session.ts';
import type { Topics } from './topics.ts';

/** A connection that the broker ends sooner than this, without a word … */
const SHORT_LIVED_MS = 60_000;
/** … so many times in a row: not a broker that was restarted. */
const OFTEN = 3;

export interface RemoteBrokerContext {
  readonly url: string;
  readonly config: MqttConfig;
  readonly gatewayId: string;
  readonly topics: Topics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** undefined: it has gone. */
  readonly changed: (link: BrokerLink | undefined) => void;
  readonly message: (message: IncomingMessage, link: BrokerLink) => void;
}

export class RemoteBroker {
  readonly #context: RemoteBrokerContext;
  readonly #session: MqttSession;
  readonly #repeats: LogRepeats;
  /** Since the login; undefined: there was none. */
  #upAtMs: number | undefined;
  #shortLived = 0;

  constructor(context: RemoteBrokerContext) {
    const { url, config, gatewayId, topics, log } = context;
    this.#context = context;
    this.#repeats = new LogRepeats(log);
    this.#session = new MqttSession({
      url,
      config,
      clientId: `sluice-${gatewayId}`,
      will: { topic: topics.state, payload: 'offline' },
    });
  }

  /** Returns after `signal` has aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, random } = this.#context;
    const supervisor = new Supervisor(
      {
        run: (attempt, up) => this.#connect(attempt, up),
        explain: (error) => this.#explain(error),
        changed: (state) => this.#tellConnection(state),
      },
      { budget: new AttemptBudget(1, 3, now), now, random },
    );
    await supervisor.run(signal);
    this.#repeats.close();
  }

  async #connect(signal: AbortSignal, up: () => void): Promise<void> {
    const { url, now, changed, message } = this.#context;
    this.#upAtMs = undefined;
    let link: BrokerLink | undefined;
    try {
      await this.#session.run(
        {
          up: (connected, protocolVersion) => {
            up();
            this.#upAtMs = now();
            // A broker that comes and goes for days is a line a minute.
            const fields = { broker: scrub(url), protocolVersion };
            this.#repeats.report('mqtt connected', 'info', fields, 'connected to the MQTT broker');
            link = connected;
            changed(connected);
          },
          message: (one) => {
            if (link !== undefined) message(one, link);
          },
          refused: (topic, why) => {
            const words = `the MQTT broker does not take ${topic}: ${why}`;
            this.#repeats.report('mqtt refused', 'warn', { topic }, words);
          },
        },
        signal,
      );
    } finally {
      changed(undefined);
    }
  }

  #explain(error: unknown): Cause {
    const { url, gatewayId, now } = this.#context;
    const cause = explainBroker(error, url);
    const wasClosed = this.#upAtMs !== undefined && cause.code === 'network';
    const wasShort = wasClosed && now() - (this.#upAtMs ?? 0) < SHORT_LIVED_MS;
    this.#shortLived = wasShort ? this.#shortLived + 1 : 0;
    return this.#shortLived < OFTEN ? cause : explainTwin(url, gatewayId);
  }

  #tellConnection(state: SupervisedState): void {
    if (state.at !== 'waiting') return;
    const { code, reason } = state.cause;
    this.#repeats.report(`mqtt ${code}`, 'warn', { code }, reason);
  }
}
