/**
 * Events for one broker, which does not keep them: those that happen while it is away wait here, the oldest give way, and
 * how many did is told with the first that follows. One is done with when the broker says that it has it, so that none is
 * lost in a connection that is dead and does not know it yet; the broker may get one twice then.
 */
import { scrubbedJson } from '../secrets.ts';
import { type BrokerLink, RefusedError } from './broker-link.ts';
import type { GatewayEvent } from './status.ts';

/** The story of a bad night; all of it is in the log. */
const MAX_EVENTS = 200;
const MAX_BYTES = 64 * 1024;
/** Without acknowledgement at one time; the rest of the broker's window is for state. */
const WINDOW = 4;

interface Waiting {
  readonly event: GatewayEvent;
  readonly bytes: number;
}

interface Sent extends Waiting {
  /** Told with it. */
  readonly dropped: number;
}

export class EventQueue {
  readonly #topic: string;
  #waiting: Waiting[] = [];
  #sent: Sent[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #link: BrokerLink | undefined;

  constructor(topic: string) {
    this.#topic = topic;
  }

  push(event: GatewayEvent): void {
    this.#wait([...this.#waiting, { event, bytes: Buffer.byteLength(scrubbedJson(event)) }]);
    this.#pump();
  }

  attach(link: BrokerLink): void {
    this.#link = link;
    this.#pump();
  }

  detach(): void {
    this.#link = undefined;
    for (const { dropped } of this.#sent) this.#dropped += dropped;
    this.#wait([...this.#sent, ...this.#waiting]);
    this.#sent = [];
  }

  #wait(waiting: Waiting[]): void {
    this.#waiting = waiting;
    this.#waitingBytes = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
    while (this.#waiting.length > MAX_EVENTS || this.#waitingBytes > MAX_BYTES) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0;
      this.#dropped += 1;
    }
  }

  #pump(): void {
    const link = this.#link;
    while (link !== undefined && this.#sent.length < WINDOW) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#send(link, next);
    }
  }

  #send(link: BrokerLink, next: Waiting): void {
    const sent = { ...next, dropped: this.#dropped };
    this.#sent.push(sent);
    this.#dropped = 0;
    const dropped = sent.dropped === 0 ? {} : { dropped: sent.dropped };
    const payload = scrubbedJson({ ...next.event, ...dropped });
    link.publish({ topic: this.#topic, payload, qos: 1, retain: false }, (error) => {
      // Of an earlier link: it waits again already.
      if (this.#link !== link) return;
      // The link is going, and it will wait again.
      if (error && !(error instanceof RefusedError)) return;
      this.#sent = this.#sent.filter((one) => one !== sent);
      this.#pump();
    });
  }
}
