/** The server's side of an RTMP dialogue, held by a test: says what it is told, and reads what the session wrote. */
import { concat } from '../../codecs/bytes.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import { ChunkReader } from '../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../protocols/rtmp/chunk-writer.ts';
import { commandMessage, parseCommand } from '../../protocols/rtmp/command.ts';
import { HANDSHAKE_BYTES } from '../../protocols/rtmp/handshake.ts';
import type { RtmpMessage } from '../../protocols/rtmp/message.ts';
import { hex } from './hex.ts';

interface Session {
  open(): void;
  push(chunk: Uint8Array): void;
}

/** S0, S1 and S2. */
export const SERVER_HANDSHAKE = concat(hex`03`, new Uint8Array(2 * HANDSHAKE_BYTES));

export class RtmpDialogue<S extends Session> {
  readonly session: S;
  readonly #written: Uint8Array[] = [];
  readonly #reader = new ChunkReader();
  #skip = 1 + 2 * HANDSHAKE_BYTES;

  constructor(open: (write: (bytes: Uint8Array) => void) => S) {
    this.session = open((bytes) => {
      this.#written.push(bytes.slice());
    });
    this.session.open();
  }

  shakeHands(): this {
    this.session.push(SERVER_HANDSHAKE);
    return this;
  }

  say(...messages: RtmpMessage[]): this {
    for (const message of messages) this.session.push(serializeMessage(message, 3, 128));
    return this;
  }

  command(name: string, id: number, ...values: Amf0Value[]): this {
    return this.say(commandMessage(0, name, id, ...values));
  }

  status(code: string, level = 'error', description = ''): this {
    return this.command('onStatus', 0, null, { level, code, description });
  }

  /** What the session wrote since the last time, handshake left out. */
  heard(): RtmpMessage[] {
    const bytes = concat(...this.#written.splice(0));
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    return this.#reader.push(bytes.subarray(skipped));
  }

  heardCommands(): unknown[][] {
    return this.heard().flatMap((message) => {
      const command = parseCommand(message);
      if (command === undefined) return [];
      const { name, transactionId, values } = command;
      return [[message.messageStreamId, name, transactionId, ...values.map(plain)]];
    });
  }
}

/** Without the missing prototype of AMF0 objects. */
function plain(value: Amf0Value): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { ...value } : value;
}
