/** Commands that come over MQTT: run, told in the log, and answered where the asker wants the answer. */
import type { Logger } from 'pino';
import { scrubbedJson } from '../secrets.ts';
import type { BrokerLink, IncomingMessage } from './broker-link.ts';
import type { CommandDispatcher, CommandReply } from './commands.ts';
import { RateLimit } from './rate-limit.ts';
import type { Topics } from './topics.ts';

/** In the log: ours are shorter, and a topic may have 64 kB. */
const MAX_VERB_TOLD = 64;
/** Whoever may send commands could fill the disk; a person at a camera's joystick is told whole. */
const LINES_PER_S = 1;
const LINES_BURST = 30;
/** Replies that a broker has not acknowledged, and one more: the largest, of the longest configuration, is as large. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface MqttCommandsContext {
  readonly commands: Pick<CommandDispatcher, 'run'>;
  readonly topics: Topics;
  readonly log: Logger;
  /** Milliseconds of any clock. */
  readonly now: () => number;
}

export class MqttCommands {
  readonly #context: MqttCommandsContext;
  readonly #lines: RateLimit;
  readonly #waitingBytes = new WeakMap<BrokerLink, number>();

  constructor(context: MqttCommandsContext) {
    this.#context = context;
    this.#lines = new RateLimit(LINES_PER_S, LINES_BURST, context.now);
  }

  /** `linkNow`: to whom the answer goes once it is there. */
  async run(
    verb: string,
    message: IncomingMessage,
    linkNow: () => BrokerLink | undefined,
  ): Promise<void> {
    const outcome = await this.#context.commands.run(verb, message.payload);
    if (outcome.kind === 'ignored') {
      const words = 'command ignored: it is older than its ttlMs';
      this.#tell('warn', verb, { why: outcome.why }, words);
      return;
    }
    const { reply } = outcome;
    if (reply.ok) this.#tell('info', verb, {}, 'command done');
    else
      this.#tell(
        'info',
        verb,
        { code: reply.error.code },
        `command not done: ${reply.error.message}`,
      );
    const link = linkNow();
    if (link !== undefined) this.#reply(link, verb, message, reply);
  }

  #reply(link: BrokerLink, verb: string, request: IncomingMessage, reply: CommandReply): void {
    const { topics } = this.#context;
    const { responseTopic = '', correlationData } = request;
    const payload = scrubbedJson(reply);
    const waiting = this.#waitingBytes.get(link) ?? 0;
    if (waiting >= MAX_WAITING_BYTES) {
      this.#tell('warn', verb, {}, 'command not answered: the broker does not take the answers');
      return;
    }
    this.#waitingBytes.set(link, waiting + payload.length);
    const topic = topics.canReplyTo(responseTopic) ? responseTopic : topics.reply(verb);
    link.publish({ topic, payload, qos: 1, retain: false, correlationData }, () => {
      this.#waitingBytes.set(link, (this.#waitingBytes.get(link) ?? 0) - payload.length);
    });
  }

  #tell(level: 'info' | 'warn', verb: string, fields: object, words: string): void {
    const suppressed = this.#lines.take();
    if (suppressed === undefined) return;
    const told = { verb: verb.slice(0, MAX_VERB_TOLD), ...fields };
    this.#context.log[level](suppressed === 0 ? told : { ...told, suppressed }, words);
  }
}
