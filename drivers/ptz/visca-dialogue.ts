/**
 * What is said to one VISCA head for a job, and what its answers mean. A job is done when the head has accepted it: a head that is
 * sent to a place says much later that it is there, and nobody waits for that.
 *
 * Answers have no numbers, so that one which comes too late would be taken for that of the next command. After an answer that did
 * not come a head is therefore told first to forget everything (IF_Clear).
 */
import { ProtocolError } from '../../codecs/errors.ts';
import { viscaCancel, viscaClear } from '../../protocols/visca/visca-language.ts';
import { ViscaErrorCode, type ViscaReply } from '../../protocols/visca/visca-reply.ts';
import type { HeadJob } from './head-link.ts';
import type { ViscaPeer, ViscaSent } from './visca-peer.ts';

/** "Two sockets": commands that a head takes at once. */
const SOCKETS = 2;

/** Sends one packet and returns the answer to it; undefined: none came. Rejects when the line or network fails. */
export type ViscaExchange = (
  packet: Uint8Array,
  sent: ViscaSent,
) => Promise<ViscaReply | undefined>;

export class ViscaDialogue {
  readonly #name: string;
  readonly #address: number;
  readonly #peer: ViscaPeer;
  readonly #exchange: ViscaExchange;
  /** An answer did not come: it may yet. */
  #isUnsure = false;

  constructor(name: string, address: number, peer: ViscaPeer, exchange: ViscaExchange) {
    this.#name = name;
    this.#address = address;
    this.#peer = peer;
    this.#exchange = exchange;
  }

  async say({ kind, packets, onSend }: HeadJob): Promise<void> {
    await this.#makeSure();
    if (kind !== 'other') await this.#makeRoom();
    onSend?.();
    if (kind === 'stop') return await this.#stop(packets);
    for (const packet of packets) await this.#command(packet, kind === 'motion');
  }

  /** The payload of the answer. */
  async ask(inquiry: Uint8Array): Promise<Uint8Array> {
    await this.#makeSure();
    const reply = await this.#answer(inquiry, 'inquiry');
    if (reply.kind === 'completion') return reply.payload;
    throw this.#refusal(reply);
  }

  /**
   * A head that has a zoom and nothing else refuses one half of a stop, and a head without a zoom the other. What it was on its
   * way to is cancelled as well: not every head takes a stop for that.
   */
  async #stop(packets: readonly Uint8Array[]): Promise<void> {
    const before = new Map(this.#peer.running);
    let refusal: unknown;
    let isAccepted = false;
    for (const packet of packets) {
      try {
        await this.#command(packet, true);
        isAccepted = true;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal = error;
      }
    }
    for (const [socket, command] of before) {
      const isRunning = this.#peer.running.get(socket) === command;
      if (isRunning && (await this.#cancel(socket))) isAccepted = true;
    }
    if (!isAccepted) throw refusal;
  }

  async #command(packet: Uint8Array, isUrgent: boolean): Promise<void> {
    let reply = await this.#answer(packet, 'command');
    if (isUrgent && isBufferFull(reply)) {
      // Somebody else, or we before we were started anew, has taken both.
      for (let socket = 1; socket <= SOCKETS; socket += 1) await this.#cancel(socket);
      reply = await this.#answer(packet, 'command');
    }
    if (reply.kind === 'error') throw this.#refusal(reply);
  }

  /** What the head does is given up where it would take nothing more. */
  async #makeRoom(): Promise<void> {
    const { running } = this.#peer;
    if (running.size < SOCKETS) return;
    for (const socket of [...running.keys()]) await this.#cancel(socket);
  }

  /** Returns whether something was given up. */
  async #cancel(socket: number): Promise<boolean> {
    const reply = await this.#exchange(viscaCancel(this.#address, socket), 'cancel');
    // Whatever is answered, or not: nothing is known to run there now.
    this.#peer.running.delete(socket);
    return reply?.kind === 'error' && reply.code === ViscaErrorCode.cancelled;
  }

  async #makeSure(): Promise<void> {
    if (!this.#isUnsure) return;
    await this.#exchange(viscaClear(this.#address), 'clear');
    this.#isUnsure = false;
    this.#peer.running.clear();
  }

  async #answer(packet: Uint8Array, sent: ViscaSent): Promise<ViscaReply> {
    const reply = await this.#exchange(packet, sent);
    if (reply !== undefined) return reply;
    this.#isUnsure = true;
    throw new ProtocolError(
      'VISCA_TIMEOUT',
      `${this.#name} does not answer. Is it switched on, is its address ${this.#address}, and are both at the same speed?`,
    );
  }

  #refusal(reply: ViscaReply): ProtocolError {
    const code = reply.kind === 'error' ? reply.code : 0;
    const [name, words] = REFUSALS.get(code) ?? ['VISCA_REFUSED', `error 0x${code.toString(16)}`];
    return new ProtocolError(name, `${this.#name} refuses: ${words}`, code);
  }
}

const REFUSALS: ReadonlyMap<number, readonly [code: string, words: string]> = new Map([
  [ViscaErrorCode.messageLength, ['VISCA_SYNTAX', 'it does not know a command of this length']],
  [ViscaErrorCode.syntax, ['VISCA_SYNTAX', 'it does not know the command, or not this value']],
  [ViscaErrorCode.bufferFull, ['VISCA_BUFFER_FULL', 'it carries out two commands already']],
  [ViscaErrorCode.notExecutable, ['VISCA_NOT_EXECUTABLE', 'not in its present state or mode']],
]);

function isBufferFull(reply: ViscaReply): boolean {
  return reply.kind === 'error' && reply.code === ViscaErrorCode.bufferFull;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProtocolError && error.status !== undefined;
}
