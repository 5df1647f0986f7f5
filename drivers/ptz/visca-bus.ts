/**
 * VISCA on a serial line: up to seven heads in a chain or on a bus. One is spoken to at a time, and the bus is his until he has
 * answered; what others have to say meanwhile (that they are there) goes to them.
 */
import timers from 'node:timers/promises';
import type { Logger } from 'pino';
import { ViscaFramer } from '../../protocols/visca/visca-framer.ts';
import { ADDRESS_SET, CLEAR_ALL } from '../../protocols/visca/visca-language.ts';
import type { ViscaReply } from '../../protocols/visca/visca-reply.ts';
import { BusQueue } from '../serial/bus-queue.ts';
import type { SerialLine } from '../serial/serial-line.ts';
import type { HeadJob, HeadLink } from './head-link.ts';
import { ViscaDialogue, type ViscaExchange } from './visca-dialogue.ts';
import { ViscaPeer } from './visca-peer.ts';

/** Sony's heads answer within a picture or two; imitators on a bus that is passed on take some 100 ms. */
const ANSWER_TIMEOUT_MS = 500;
/** Two wires change their direction in between. */
const SILENCE_MS = 5;
/** A head that is switched on and off all the time must not have the bus all the time. */
const INTRODUCE_EVERY_MS = 10_000;
/** The head that has the bus while addresses are set. */
const NOBODY = '';

export class ViscaBus {
  /** IF_Clear. */
  readonly stopsAll = true;
  readonly #line: SerialLine;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #queue = new BusQueue();
  readonly #framer = new ViscaFramer();
  readonly #peers = new Map<number, ViscaPeer>();
  #broadcast: ((reply: ViscaReply | undefined) => void) | undefined;
  #introducedAtMs = Number.NEGATIVE_INFINITY;

  constructor(line: SerialLine, { log, now }: { log: Logger; now: () => number }) {
    this.#line = line;
    this.#log = log;
    this.#now = now;
  }

  link(head: string, address: number): HeadLink {
    const peer = new ViscaPeer();
    this.#peers.set(address, peer);
    const exchange: ViscaExchange = async (packet, sent) => {
      const answerMs = this.#line.transmissionMs(packet.length) + ANSWER_TIMEOUT_MS;
      const answer = peer.answerTo(sent, answerMs);
      try {
        await this.#line.write(packet);
        const reply = await answer;
        if (reply === undefined) this.#line.assertOpen();
        return reply;
      } finally {
        peer.giveUp();
        await timers.setTimeout(SILENCE_MS);
      }
    };
    const dialogue = new ViscaDialogue(head, address, peer, exchange);
    const say = (job: HeadJob) => {
      this.#line.assertOpen();
      return dialogue.say(job);
    };
    return {
      send: (job, signal) => this.#queue.do(head, job.kind, async () => say(job), signal),
      ask: (inquiry, signal) => this.#queue.do(head, 'other', () => dialogue.ask(inquiry), signal),
    };
  }

  bytes(bytes: Uint8Array): void {
    for (const reply of this.#framer.push(bytes)) this.#heard(reply);
  }

  /** Heads of a chain have no addresses before they are given some. */
  opened(): void {
    this.#introducedAtMs = this.#now();
    this.#queue.do(NOBODY, 'other', () => this.#introduce()).catch(() => undefined);
  }

  lost(error: Error): void {
    this.#queue.rejectAll(error);
    this.#broadcast?.(undefined);
    for (const peer of this.#peers.values()) {
      peer.giveUp();
      peer.running.clear();
    }
  }

  #heard(reply: ViscaReply): void {
    switch (reply.kind) {
      case 'addresses':
      case 'all-cleared':
        this.#broadcast?.(reply);
        break;
      case 'network-change':
        // Somebody may set the clock back, by years.
        if (Math.abs(this.#now() - this.#introducedAtMs) >= INTRODUCE_EVERY_MS) this.opened();
        break;
      case 'ack':
      case 'completion':
      case 'error':
        this.#peers.get(reply.from)?.heard(reply);
        break;
    }
  }

  /** Heads on a bus with addresses of their own say nothing to this, and need not. */
  async #introduce(): Promise<void> {
    const addresses = await this.#say(ADDRESS_SET);
    await this.#say(CLEAR_ALL);
    for (const peer of this.#peers.values()) peer.running.clear();
    if (addresses?.kind !== 'addresses') return;
    const { heads } = addresses;
    const highest = Math.max(...this.#peers.keys());
    const fields = { heads, configured: [...this.#peers.keys()] };
    if (heads >= highest) this.#log.info(fields, 'VISCA heads have their addresses');
    else this.#log.warn(fields, 'fewer VISCA heads on the line than addresses in serial');
  }

  async #say(broadcast: Uint8Array): Promise<ViscaReply | undefined> {
    const answer = new Promise<ViscaReply | undefined>((resolve) => {
      this.#broadcast = resolve;
    });
    const timer = setTimeout(() => this.#broadcast?.(undefined), ANSWER_TIMEOUT_MS);
    try {
      await this.#line.write(broadcast);
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#broadcast = undefined;
    }
  }
}
