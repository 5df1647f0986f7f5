/**
 * VISCA over UDP: one packet is under way at a time, and sent again under the same number until it is answered. A head that says
 * the number was used has had the packet before; if it says so the first time, its count is not ours (it was switched off, or
 * somebody else speaks to it), and both begin anew.
 *
 * Sony BRC-X400 "Command List", p. 12 "Delivery confirmation". Many imitators take bare VISCA on UDP port 1259, without header and
 * number (glikely/obs-ptz#177): nothing is sent twice there, for the second answer would be taken for that of the next command.
 * Not here: bare VISCA over TCP, and firmware that answers with a number of its own (vwout/obs-visca-control#7).
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import timers from 'node:timers/promises';
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import { ViscaFramer } from '../../protocols/visca/visca-framer.ts';
import {
  parseViscaIp,
  serializeViscaIp,
  serializeViscaReset,
  type ViscaIpMessage,
} from '../../protocols/visca/visca-ip.ts';
import { parseViscaReply, type ViscaReply } from '../../protocols/visca/visca-reply.ts';
import { BusQueue } from '../serial/bus-queue.ts';
import { withTimeout } from '../with-timeout.ts';
import type { HeadJob, HeadLink } from './head-link.ts';
import { ViscaDialogue } from './visca-dialogue.ts';
import { ViscaPeer, type ViscaSent } from './visca-peer.ts';

/** Heads answer within 20 ms; Wi-Fi and switches add to that. */
const SEND_AGAIN_MS = 300;
/** One lost of ten is a bad network; three in a row are none. */
const MAX_SENDS = 3;
const OPEN_TIMEOUT_MS = 3_000;
const BARE_PORT = 1259;
/** Then the next job looks up the address again, and resets the count. */
const IDLE_MS = 60_000;

export interface ViscaIpOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly address: number;
}

interface UnderWay {
  readonly sequence: number;
  readonly sent: ViscaSent | 'reset';
  sends: number;
}

export class ViscaIpLink implements HeadLink {
  readonly #options: ViscaIpOptions;
  readonly #queue = new BusQueue();
  readonly #peer = new ViscaPeer();
  readonly #dialogue: ViscaDialogue;
  readonly #isBare: boolean;
  #socket: Socket | undefined;
  #sequence = 0;
  #underWay: UnderWay | undefined;
  #resetDone: (() => void) | undefined;
  #isOutOfStep = false;
  #failure: Error | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ViscaIpOptions) {
    this.#options = options;
    this.#isBare = options.port === BARE_PORT;
    this.#dialogue = new ViscaDialogue(options.name, options.address, this.#peer, (packet, sent) =>
      this.#exchange(packet, sent),
    );
  }

  send(job: HeadJob, signal?: AbortSignal): Promise<void> {
    return this.#do(job.kind, () => this.#dialogue.say(job), signal);
  }

  ask(inquiry: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return this.#do('other', () => this.#dialogue.ask(inquiry), signal);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    this.#queue.rejectAll(this.#closedError());
    // What is under way ends, too: nothing is waited for at the end of the process.
    this.#fail(this.#closedError());
    this.#closeSocket();
  }

  #do<T>(kind: HeadJob['kind'], work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const run = async () => {
      this.#assertOpen();
      clearTimeout(this.#idle);
      try {
        await this.#open();
        return await work();
      } finally {
        if (!this.#isClosed) this.#idle = setTimeout(() => this.#closeSocket(), IDLE_MS);
      }
    };
    return this.#queue.do(this.#options.name, kind, run, signal);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): ProtocolError {
    return new ProtocolError('PTZ_CLOSED', `${this.#options.name} is not in use any more`);
  }

  async #exchange(packet: Uint8Array, sent: ViscaSent): Promise<ViscaReply | undefined> {
    const reply = await this.#deliver(packet, sent);
    if (!this.#isOutOfStep) return reply;
    await this.#reset();
    return await this.#deliver(packet, sent);
  }

  async #deliver(packet: Uint8Array, sent: ViscaSent): Promise<ViscaReply | undefined> {
    this.#assertOpen();
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) % 2 ** 32;
    this.#isOutOfStep = false;
    this.#failure = undefined;
    const underWay: UnderWay = { sequence, sent, sends: 0 };
    const answer = this.#peer.answerTo(sent, SEND_AGAIN_MS * MAX_SENDS);
    const datagram = this.#isBare ? packet : serializeViscaIp(sequence, packet);
    const again = this.#sendUntilAnswered(underWay, datagram);
    try {
      const reply = await answer;
      if (this.#failure !== undefined) throw this.#failure;
      return reply;
    } finally {
      clearInterval(again);
    }
  }

  #sendUntilAnswered(underWay: UnderWay, datagram: Uint8Array): NodeJS.Timeout {
    this.#underWay = underWay;
    const most = this.#isBare ? 1 : MAX_SENDS;
    const send = () => {
      if (underWay.sends === most) return;
      underWay.sends += 1;
      // What cannot be sent is told by the socket's own event.
      this.#socket?.send(datagram, () => undefined);
    };
    send();
    return setInterval(send, SEND_AGAIN_MS);
  }

  async #open(): Promise<void> {
    if (this.#socket !== undefined) return;
    const { host, port } = this.#options;
    const { address, family } = await withTimeout(lookup(host), OPEN_TIMEOUT_MS);
    this.#assertOpen();
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      socket.connect(port, address);
      await once(socket, 'connect', { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
      this.#assertOpen();
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.on('message', (datagram) => this.#datagram(datagram));
    // ICMP: nothing listens there, or there is no way.
    socket.on('error', (error) => this.#fail(error));
    this.#socket = socket;
    if (!this.#isBare) await this.#reset();
  }

  #closeSocket(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#peer.giveUp();
    this.#peer.running.clear();
  }

  /** A head that does not know it is spoken to all the same. */
  async #reset(): Promise<void> {
    this.#sequence = 1;
    this.#failure = undefined;
    const datagram = serializeViscaReset(0);
    const answer = new Promise<void>((resolve) => {
      this.#resetDone = resolve;
    });
    const life = new AbortController();
    const again = this.#sendUntilAnswered({ sequence: 0, sent: 'reset', sends: 0 }, datagram);
    const timeout = timers.setTimeout(SEND_AGAIN_MS * MAX_SENDS, undefined, life);
    try {
      await Promise.race([answer, timeout]);
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      clearInterval(again);
      life.abort();
      timeout.catch(() => undefined);
      this.#resetDone = undefined;
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#resetDone?.();
    this.#peer.giveUp();
  }

  #datagram(datagram: Uint8Array): void {
    if (this.#isBare) {
      for (const reply of new ViscaFramer().push(datagram)) this.#peer.heard(reply);
      return;
    }
    try {
      this.#message(parseViscaIp(datagram));
    } catch (error) {
      // Whatever it was, what is waited for may still come.
      if (!(error instanceof ParseError)) throw error;
    }
  }

  #message(message: ViscaIpMessage): void {
    const underWay = this.#underWay;
    switch (message.kind) {
      case 'reset-done':
        this.#resetDone?.();
        break;
      case 'reply': {
        const reply = parseViscaReply(message.packet.subarray(0, -1));
        if (reply === undefined) break;
        if (message.sequence === underWay?.sequence) this.#peer.heard(reply);
        else this.#peer.note(reply);
        break;
      }
      case 'wrong-sequence':
        if (message.sequence === underWay?.sequence) this.#wrongSequence(underWay);
        break;
      case 'wrong-message':
        if (message.sequence !== underWay?.sequence) break;
        this.#fail(
          new ProtocolError('VISCA_REFUSED', `${this.#options.name} does not take this message`),
        );
        break;
    }
  }

  #wrongSequence({ sent, sends }: UnderWay): void {
    if (sends > 1 && sent === 'command') {
      // Only its answer was lost.
      this.#peer.heard({ kind: 'ack', from: this.#options.address, socket: 0 });
      return;
    }
    this.#isOutOfStep = sends === 1 || sent === 'inquiry';
    this.#peer.giveUp();
  }
}
