/** One message stream of a client at our server: what it is used for, and what the client is told on it. RTMP 1.0 §7.2.2. */
import { ByteWriter } from '../../codecs/byte-writer.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import { UserControlEvent, userControlMessage } from './control.ts';
import type { RtmpMessage } from './message.ts';

/** What publish or play has made of a stream. Nothing of it is called after `close`. */
export interface StreamUse {
  /** Audio, video, script data and aggregates of the client. The payload may be a view: copy what is needed later. */
  media(message: RtmpMessage): void;
  pause(isPaused: boolean, timeMs: number): void;
  seek(timeMs: number): void;
  /** The client has ended it, or is gone; `words` say which. */
  close(words: string): void;
}

/** The connection, as a stream sees it. */
export interface ServerStreamCarrier {
  command(messageStreamId: number, name: string, id: number, ...values: Amf0Value[]): void;
  control(message: RtmpMessage): void;
  /** Whole messages on message stream 1, which others get too: see ServerStream.send. */
  sendShared(bytes: Uint8Array, messageStreamId: number): void;
}

export class ServerStream {
  readonly id: number;
  /** undefined: made, and not used for anything. */
  use: StreamUse | undefined;
  /** What the player wants to have ahead; 0: it has not said. */
  bufferMs = 0;
  readonly #carrier: ServerStreamCarrier;

  constructor(id: number, carrier: ServerStreamCarrier) {
    this.id = id;
    this.#carrier = carrier;
  }

  /** `code` without "NetStream.". */
  status(level: 'status' | 'error', code: string, description: string): void {
    const info = { level, code: `NetStream.${code}`, description };
    this.#carrier.command(this.id, 'onStatus', 0, null, info);
  }

  /** Media comes, §7.1.7. */
  begin(): void {
    this.#userControl(UserControlEvent.streamBegin);
  }

  /** What comes is a recording: it can be sought. */
  recorded(): void {
    this.#userControl(UserControlEvent.streamIsRecorded);
  }

  /** No more media comes. */
  eof(): void {
    this.#userControl(UserControlEvent.streamEof);
  }

  /** Whole messages in chunks, framed once for all players: on message stream 1, each with a type 0 header. */
  send(bytes: Uint8Array): void {
    this.#carrier.sendShared(bytes, this.id);
  }

  /** What it is used for is over; `words` say why, for people. */
  release(words: string): void {
    const { use } = this;
    this.use = undefined;
    use?.close(words);
  }

  #userControl(event: number): void {
    this.#carrier.control(userControlMessage(event, new ByteWriter().u32(this.id).toBytes()));
  }
}
