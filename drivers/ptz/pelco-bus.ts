/** Heads on a line that are told and do not answer: packets one after another, with a silence behind each. */

import timers from 'node:timers/promises';
import { ProtocolError } from '../../codecs/errors.ts';
import { BusQueue } from '../serial/bus-queue.ts';
import type { SerialLine } from '../serial/serial-line.ts';
import type { HeadJob, HeadLink } from './head-link.ts';

/**
 * Where there is a way back a head may say that it received (four bytes, 17 ms at 2400 baud), and then takes the next command;
 * on two wires both would be lost.
 */
const SILENCE_MS = 40;

export class PelcoBus {
  readonly stopsAll = false;
  readonly #line: SerialLine;
  readonly #queue = new BusQueue();

  constructor(line: SerialLine) {
    this.#line = line;
  }

  link(head: string): HeadLink {
    return {
      send: ({ kind, packets, onSend }: HeadJob, signal) =>
        this.#queue.do(head, kind, () => this.#say(packets, onSend), signal),
      ask: () => Promise.reject(new ProtocolError('PTZ_NO_ANSWERS', `${head} answers nothing`)),
    };
  }

  bytes(): void {
    // That they received: they say no more.
  }

  opened(): void {
    // They wait for nothing.
  }

  lost(error: Error): void {
    this.#queue.rejectAll(error);
  }

  async #say(packets: readonly Uint8Array[], onSend: (() => void) | undefined): Promise<void> {
    this.#line.assertOpen();
    onSend?.();
    for (const packet of packets) {
      await this.#line.write(packet);
      await timers.setTimeout(this.#line.transmissionMs(packet.length) + SILENCE_MS);
    }
  }
}
