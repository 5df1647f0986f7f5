/** The client's side of a dialogue with our RTMP server, held by a test: says what it is told, and reads what the session wrote. */
import { concat } from '../../codecs/bytes.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import { ChunkReader } from '../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../protocols/rtmp/chunk-writer.ts';
import { commandMessage, parseCommand } from '../../protocols/rtmp/command.ts';
import { HANDSHAKE_BYTES } from '../../protocols/rtmp/handshake.ts';
import type { RtmpMessage } from '../../protocols/rtmp/message.ts';
import { hex } from './hex.ts';

/** C0, C1 and C2 of a client that knows no digests. */
export const CLIENT_HANDSHAKE = concat(hex`03`, new Uint8Array(2 * HANDSHAKE_BYTES));

export class RtmpClientDialogue {
  readonly #push: (chunk: Uint8Array) => void;
  #written: Uint8Array[] = [];
  readonly #reader = new ChunkReader();
  #skip = 1 + 2 * HANDSHAKE_BYTES;

  constructor(push: (chunk: Uint8Array) => void) {
    this.#push = push;
  }

  /** What the server writes goes in here. */
  readonly hear = (bytes: Uint8Array): void => {
    this.#written.push(bytes.slice());
  };

  shakeHands(): this {
    return this.raw(CLIENT_HANDSHAKE);
  }

  raw(bytes: Uint8Array): this {
    this.#push(bytes.slice());
    return this;
  }

  say(...messages: RtmpMessage[]): this {
    for (const message of messages) this.raw(serializeMessage(message, 3, 128));
    return this;
  }

  command(messageStreamId: number, name: string, id: number, ...values: Amf0Value[]): this {
    return this.say(commandMessage(messageStreamId, name, id, ...values));
  }

  connect(properties: Record<string, Amf0Value> = {}): this {
    return this.command(0, 'connect', 1, { app: 'live', flashVer: 'LNX 9,0,124,2', ...properties });
  }

  /** What the server wrote since the last time, handshake left out. */
  heard(): RtmpMessage[] {
    const bytes = concat(...this.#written.splice(0));
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    return this.#reader.push(bytes.subarray(skipped));
  }

  /** Its commands: message stream, name, transaction, and the values behind the command object. */
  commands(): unknown[][] {
    return this.heard().flatMap((message) => {
      const command = parseCommand(message);
      if (command === undefined) return [];
      const { name, transactionId, values } = command;
      return [[message.messageStreamId, name, transactionId, ...values.slice(1).map(plain)]];
    });
  }

  /** Codes and stream ids of the statuses among them: "1 NetStream.Play.Start". */
  codes(): string[] {
    return this.commands().map(([stream, name, , info]) => {
      const code = (info as Record<string, unknown> | undefined)?.['code'];
      return `${stream} ${code ?? name}`;
    });
  }
}

/** Without the missing prototype of AMF0 objects. */
function plain(value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { ...value } : value;
}
