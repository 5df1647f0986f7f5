/**
 * Events for one broker, which does not keep them: those that happen while it is away wait here, the oldest give way, and
 * how many did is told with the first that follows. One is done with when the broker says that it has it, so that none is
 * lost in a connection that is dead and does not know it yet; the broker may get one twice then.
 */
import { scrubbedJson } from '../secrets.ts';
import type { BrokerLink } from './broker-link.ts';
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

export class EventQueue {
  readonly #topic: string;
  #waiting: Waiting[] = [];
  #sent: Waiting[] = [];
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
    this.#sent.push(next);
    const dropped = this.#dropped === 0 ? {} : { dropped: this.#dropped };
    this.#dropped = 0;
    const payload = scrubbedJson({ ...next.event, ...dropped });
    link.publish({ topic: this.#topic, payload, qos: 1, retain: false }, (error) => {
      // Of an earlier link: it waits again already. An error means that the link is going.
      if (this.#link !== link || error) return;
      this.#sent = this.#sent.filter((one) => one !== next);
      this.#pump();
    });
  }
}
