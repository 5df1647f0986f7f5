/**
 * Chunks → messages. RTMP 1.0 §5.3; Set Chunk Size and Abort (§5.4.1, §5.4.2) are obeyed here and
 * not handed on.
 *
 *   basic header   fmt (2 bits), chunk stream id (6 bits, or 0 or 1: one or two more bytes)
 *   type 0         timestamp 24, message length 24, type id 8, message stream id 32 little-endian
 *   type 1         timestamp delta 24, message length 24, type id 8
 *   type 2         timestamp delta 24
 *   type 3         nothing
 *   extended timestamp, 32 bits, where the 24-bit field says 0xffffff
 *
 * The header is gathered in a small buffer of its own; payload goes straight to its message, or is
 * handed on as a view where it is whole in what was pushed. No garbage per chunk, and none per picture: the buffers
 * in which messages come together are used again.
 */
import { ParseError } from '../../codecs/errors.ts';
import { MAX_MESSAGE_BYTES, MessageType, type RtmpMessage } from './message.ts';

/** §5.4.1. */
export const DEFAULT_CHUNK_SIZE = 128;
/** A message has at most 0xffffff bytes, so larger chunk sizes mean the same (§5.4.1). */
export const MAX_CHUNK_SIZE = 0xffffff;
/** Real peers use fewer than ten. */
const MAX_CHUNK_STREAMS = 64;
/** All messages that are begun and not complete: one picture, and room for what is interleaved. */
const MAX_UNFINISHED_MESSAGES = 2;

/** One for pictures and one for sounds. */
const MAX_SPARE_BUFFERS = 2;
/** Holds nearly every picture; what one large one needed is not held for ever. */
const MAX_SPARE_BYTES = 1024 * 1024;
const MIN_BUFFER_BYTES = 4096;

const MAX_HEADER_BYTES = 3 + 11 + 4;
const EXTENDED_TIMESTAMP_BYTES = 4;
export const EXTENDED_TIMESTAMP = 0xffffff;
/** Message header bytes of chunk types 0 to 3. */
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;

interface ChunkStream {
  /** The 24-bit field of the last header, or what its extension said: absolute or a delta. */
  timestampField: number;
  isExtended: boolean;
  timestampMs: number;
  length: number;
  typeId: number;
  messageStreamId: number;
  /** Received bytes of the message that is incomplete; undefined between messages. */
  received: number | undefined;
  /** Holds them, and grows with them; undefined until a message turns out to come in pieces. */
  buffer: Uint8Array | undefined;
}

export class ChunkReader {
  /** Less where nobody has anything large to say. */
  maxMessageBytes = MAX_MESSAGE_BYTES;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerLength = 0;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  /** The chunk whose payload comes next; undefined while its header is read. */
  #current: ChunkStream | undefined;
  #chunkRemaining = 0;
  #unfinishedBytes = 0;
  #offset = 0;
  /** Of messages that the last push has handed on. */
  #lent: Uint8Array[] = [];
  #spare: Uint8Array[] = [];

  /** Payloads are valid until the next push, or as long as `chunk` is: copy what is needed later. */
  push(chunk: Uint8Array): RtmpMessage[] {
    this.#takeBack();
    const messages: RtmpMessage[] = [];
    this.#consume(chunk, messages);
    return messages;
  }

  #consume(chunk: Uint8Array, messages: RtmpMessage[]): void {
    let at = 0;
    while (at < chunk.length) {
      const before = at;
      at =
        this.#current === undefined
          ? this.#readHeader(chunk, at, messages)
          : this.#readPayload(this.#current, chunk, at, messages);
      this.#offset += at - before;
    }
  }

  #readHeader(chunk: Uint8Array, from: number, messages: RtmpMessage[]): number {
    const header = this.#header;
    let at = from;
    for (let needed = this.#headerNeeds(); this.#headerLength < needed; ) {
      const byte = chunk[at];
      if (byte === undefined) return at;
      header[this.#headerLength] = byte;
      this.#headerLength += 1;
      at += 1;
      if (this.#headerLength === needed) needed = this.#headerNeeds();
    }
    this.#endHeader(messages);
    return at;
  }

  /** How long the header is as far as the bytes gathered so far can tell. */
  #headerNeeds(): number {
    const have = this.#headerLength;
    if (have === 0) return 1;
    const basic = this.#basicHeaderLength();
    if (have < basic) return basic;
    const type = this.#chunkType();
    const plain = basic + (MESSAGE_HEADER_BYTES[type] ?? 0);
    if (have < plain) return plain;
    const isExtended =
      type === 3
        ? this.#streams.get(this.#chunkStreamId())?.isExtended === true
        : this.#u24(basic) === EXTENDED_TIMESTAMP;
    return isExtended ? plain + EXTENDED_TIMESTAMP_BYTES : plain;
  }

  #endHeader(messages: RtmpMessage[]): void {
    const type = this.#chunkType();
    const basic = this.#basicHeaderLength();
    const stream = this.#stream(this.#chunkStreamId(), type);
    const length = this.#headerLength;
    this.#headerLength = 0;
    if (type === 3) {
      this.#beginType3(stream, basic, length, messages);
      return;
    }
    if (type <= 1) {
      stream.length = this.#u24(basic + 3);
      stream.typeId = this.#u8(basic + 6);
    }
    if (type === 0) stream.messageStreamId = this.#messageStreamId(basic + 7);
    const plain = basic + (MESSAGE_HEADER_BYTES[type] ?? 0);
    stream.isExtended = length > plain;
    stream.timestampField = stream.isExtended ? this.#u32(plain) : this.#u24(basic);
    this.#abandon(stream);
    this.#begin(stream, type === 0);
    this.#beginChunk(stream, messages);
  }

  /**
   * §5.3.1.3 wants the extended timestamp repeated in type 3 chunks. Old Flash Media Servers and
   * their imitators leave it out; then these four bytes are something else, nearly always.
   */
  #beginType3(stream: ChunkStream, basic: number, length: number, messages: RtmpMessage[]): void {
    const isOmitted = length > basic && this.#u32(basic) !== stream.timestampField;
    // Kept apart before the buffer is used for the next header.
    const notHeader = isOmitted ? this.#header.slice(basic, length) : undefined;
    if (stream.received === undefined) this.#begin(stream, false);
    this.#beginChunk(stream, messages);
    if (notHeader === undefined) return;
    this.#offset -= notHeader.length;
    this.#consume(notHeader, messages);
  }

  #begin(stream: ChunkStream, isAbsolute: boolean): void {
    const { length, timestampField } = stream;
    const { maxMessageBytes } = this;
    if (length > maxMessageBytes) {
      throw this.#error(`RTMP message of ${length} bytes, more than ${maxMessageBytes}`);
    }
    const maxBytes = MAX_UNFINISHED_MESSAGES * maxMessageBytes;
    if (this.#unfinishedBytes + length > maxBytes) {
      throw this.#error(`more than ${maxBytes} bytes of unfinished RTMP messages`);
    }
    this.#unfinishedBytes += length;
    stream.timestampMs = (isAbsolute ? timestampField : stream.timestampMs + timestampField) >>> 0;
    stream.received = 0;
  }

  #beginChunk(stream: ChunkStream, messages: RtmpMessage[]): void {
    const remaining = stream.length - (stream.received ?? 0);
    this.#chunkRemaining = Math.min(this.#chunkSize, remaining);
    this.#current = stream;
    if (remaining === 0) this.#end(stream, new Uint8Array(0), messages);
  }

  #readPayload(
    stream: ChunkStream,
    chunk: Uint8Array,
    from: number,
    messages: RtmpMessage[],
  ): number {
    const size = Math.min(this.#chunkRemaining, chunk.length - from);
    const bytes = chunk.subarray(from, from + size);
    if (size === stream.length) {
      this.#end(stream, bytes, messages);
      return from + size;
    }
    const received = stream.received ?? 0;
    const buffer = this.#bufferFor(stream, received, received + size);
    buffer.set(bytes, received);
    stream.received = received + size;
    this.#chunkRemaining -= size;
    if (stream.received === stream.length) this.#endGathered(stream, buffer, messages);
    else if (this.#chunkRemaining === 0) this.#current = undefined;
    return from + size;
  }

  #endGathered(stream: ChunkStream, buffer: Uint8Array, messages: RtmpMessage[]): void {
    if (buffer.length <= MAX_SPARE_BYTES) this.#lent.push(buffer);
    this.#end(stream, buffer.subarray(0, stream.length), messages);
  }

  #end(stream: ChunkStream, payload: Uint8Array, messages: RtmpMessage[]): void {
    const { typeId, timestampMs, messageStreamId } = stream;
    this.#abandon(stream);
    this.#current = undefined;
    if (typeId === MessageType.setChunkSize) this.#setChunkSize(this.#controlValue(payload));
    else if (typeId === MessageType.abort) this.#abort(this.#controlValue(payload));
    else messages.push({ typeId, timestampMs, messageStreamId, payload });
  }

  /** One with room for `needed` bytes, of which the first `received` are kept. What only was announced takes no memory. */
  #bufferFor(stream: ChunkStream, received: number, needed: number): Uint8Array {
    const before = stream.buffer ?? this.#takeSpare(stream.length);
    stream.buffer = before;
    if (before !== undefined && before.length >= needed) return before;
    const larger = new Uint8Array(capacityFor(needed));
    if (before !== undefined) larger.set(before.subarray(0, received));
    stream.buffer = larger;
    return larger;
  }

  /** The smallest that will do for the whole message. */
  #takeSpare(length: number): Uint8Array | undefined {
    const index = this.#spare.findIndex((spare) => spare.length >= length);
    return index === -1 ? undefined : this.#spare.splice(index, 1)[0];
  }

  #takeBack(): void {
    if (this.#lent.length === 0) return;
    this.#spare.push(...this.#lent.splice(0));
    this.#spare.sort((a, b) => a.length - b.length);
    if (this.#spare.length > MAX_SPARE_BUFFERS)
      this.#spare.splice(0, this.#spare.length - MAX_SPARE_BUFFERS);
  }

  /** §5.4.1: the topmost bit must be zero. */
  #setChunkSize(size: number): void {
    if (size === 0 || size > 0x7fffffff) throw this.#error(`RTMP chunk size ${size}`);
    this.#chunkSize = Math.min(size, MAX_CHUNK_SIZE);
  }

  #abort(chunkStreamId: number): void {
    const stream = this.#streams.get(chunkStreamId);
    if (stream !== undefined) this.#abandon(stream);
  }

  /** The message is over, complete or not. */
  #abandon(stream: ChunkStream): void {
    if (stream.received === undefined) return;
    this.#unfinishedBytes -= stream.length;
    stream.received = undefined;
    stream.buffer = undefined;
  }

  #stream(chunkStreamId: number, type: number): ChunkStream {
    const known = this.#streams.get(chunkStreamId);
    if (known !== undefined) return known;
    // librtmp begins chunk stream 2 with a type 1 chunk; 2 and 3 need something to refer to.
    if (type > 1) throw this.#error(`RTMP chunk stream ${chunkStreamId} begins with type ${type}`);
    if (this.#streams.size >= MAX_CHUNK_STREAMS) {
      throw this.#error(`more than ${MAX_CHUNK_STREAMS} RTMP chunk streams`);
    }
    const stream: ChunkStream = {
      timestampField: 0,
      isExtended: false,
      timestampMs: 0,
      length: 0,
      typeId: 0,
      messageStreamId: 0,
      received: undefined,
      buffer: undefined,
    };
    this.#streams.set(chunkStreamId, stream);
    return stream;
  }

  #chunkType(): number {
    return this.#u8(0) >>> 6;
  }

  /** §5.3.1.1. */
  #basicHeaderLength(): number {
    const id = this.#u8(0) & 0x3f;
    return id === 0 ? 2 : id === 1 ? 3 : 1;
  }

  #chunkStreamId(): number {
    switch (this.#basicHeaderLength()) {
      case 2:
        return 64 + this.#u8(1);
      case 3:
        return 64 + this.#u8(1) + this.#u8(2) * 256;
      default:
        return this.#u8(0) & 0x3f;
    }
  }

  #controlValue(payload: Uint8Array): number {
    if (payload.length < 4) throw this.#error('RTMP control message shorter than 4 bytes');
    return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
  }

  #u8(at: number): number {
    return this.#header[at] ?? 0;
  }

  #u24(at: number): number {
    return (this.#u8(at) << 16) | (this.#u8(at + 1) << 8) | this.#u8(at + 2);
  }

  #u32(at: number): number {
    return this.#u8(at) * 0x1000000 + this.#u24(at + 1);
  }

  /** The one little-endian field of RTMP, §5.3.1.2.5. */
  #messageStreamId(at: number): number {
    return (
      (this.#u8(at) |
        (this.#u8(at + 1) << 8) |
        (this.#u8(at + 2) << 16) |
        (this.#u8(at + 3) << 24)) >>>
      0
    );
  }

  #error(message: string): ParseError {
    return new ParseError(message, this.#offset);
  }
}

/** Sizes that fit many messages, and are doubled as a message comes. */
function capacityFor(length: number): number {
  let capacity = MIN_BUFFER_BYTES;
  while (capacity < length) capacity *= 2;
  return capacity;
}
