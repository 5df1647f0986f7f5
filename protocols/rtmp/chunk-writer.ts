/**
 * Messages → chunks. RTMP 1.0 §5.3.
 *
 * A message begins with a type 0 chunk, whose timestamp is absolute, and goes on in type 3 chunks.
 * Types 1 and 2 would save four bytes of a picture of 20 000, and cost a state per chunk stream;
 * a type 3 chunk that begins a message means different things to different servers.
 */
import { EXTENDED_TIMESTAMP } from './chunk-reader.ts';
import type { RtmpMessage } from './message.ts';

/** Chunk streams that we write on. §5.4: 2 is for protocol control. */
export const ChunkStreamId = { control: 2, command: 3, audio: 4, data: 5, video: 6 } as const;

/** For a chunk stream id below 64, with an extended timestamp. */
export const MAX_MESSAGE_HEADER_BYTES = 1 + 11 + 4;

/** Behind a basic header of one byte: timestamp, length and type. */
const MESSAGE_STREAM_ID_AT = 1 + 7;

/** The bytes `writeMessageHeader` writes. */
export function messageHeaderLength(chunkStreamId: number, timestampMs: number): number {
  return continuationHeaderLength(chunkStreamId, timestampMs) + 11;
}

/** A type 0 chunk header; returns the offset behind it. */
export function writeMessageHeader(
  target: Uint8Array,
  offset: number,
  chunkStreamId: number,
  message: Omit<RtmpMessage, 'payload'>,
  length: number,
): number {
  const { timestampMs, typeId, messageStreamId } = message;
  const at = writeBasicHeader(target, offset, 0, chunkStreamId);
  const isExtended = timestampMs >= EXTENDED_TIMESTAMP;
  writeU24(target, at, isExtended ? EXTENDED_TIMESTAMP : timestampMs);
  writeU24(target, at + 3, length);
  target[at + 6] = typeId;
  // Little-endian, §5.3.1.2.5.
  target[at + 7] = messageStreamId;
  target[at + 8] = messageStreamId >>> 8;
  target[at + 9] = messageStreamId >>> 16;
  target[at + 10] = messageStreamId >>> 24;
  return isExtended ? writeU32(target, at + 11, timestampMs) : at + 11;
}

/** The bytes of `continuationHeader`. */
export function continuationHeaderLength(chunkStreamId: number, timestampMs: number): number {
  const basic = chunkStreamId < 64 ? 1 : chunkStreamId < 320 ? 2 : 3;
  return timestampMs >= EXTENDED_TIMESTAMP ? basic + 4 : basic;
}

/** A type 3 chunk header: it repeats the extended timestamp, §5.3.1.3. */
export function continuationHeader(chunkStreamId: number, timestampMs: number): Uint8Array {
  const header = new Uint8Array(continuationHeaderLength(chunkStreamId, timestampMs));
  const at = writeBasicHeader(header, 0, 3, chunkStreamId);
  if (timestampMs >= EXTENDED_TIMESTAMP) writeU32(header, at, timestampMs);
  return header;
}

/** A whole message in chunks. Not for media: see media-writer.ts. */
export function serializeMessage(
  message: RtmpMessage,
  chunkStreamId: number,
  chunkSize: number,
): Uint8Array {
  const { payload, timestampMs } = message;
  const continuation = continuationHeader(chunkStreamId, timestampMs);
  const continuations = Math.max(0, Math.ceil(payload.length / chunkSize) - 1);
  const bytes = new Uint8Array(
    messageHeaderLength(chunkStreamId, timestampMs) +
      payload.length +
      continuations * continuation.length,
  );
  let at = writeMessageHeader(bytes, 0, chunkStreamId, message, payload.length);
  for (let done = 0; done < payload.length; done += chunkSize) {
    if (done > 0) {
      bytes.set(continuation, at);
      at += continuation.length;
    }
    const piece = payload.subarray(done, done + chunkSize);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * The same messages on another message stream, as a copy. Only for what was written here: whole messages, each
 * begun with a type 0 chunk on a chunk stream below 64.
 */
export function onMessageStream(
  messages: Uint8Array,
  messageStreamId: number,
  chunkSize: number,
): Uint8Array {
  const copy = Uint8Array.from(messages);
  const view = new DataView(copy.buffer);
  for (let at = 0; at + MESSAGE_STREAM_ID_AT + 4 <= copy.length; ) {
    const extraBytes = view.getUint32(at) % 2 ** 24 === EXTENDED_TIMESTAMP ? 4 : 0;
    const length = view.getUint32(at + 3) % 2 ** 24;
    view.setUint32(at + MESSAGE_STREAM_ID_AT, messageStreamId, true);
    const continuations = Math.max(0, Math.ceil(length / chunkSize) - 1);
    at += MESSAGE_STREAM_ID_AT + 4 + extraBytes + length + continuations * (1 + extraBytes);
  }
  return copy;
}

/** §5.3.1.1: ids from 3 to 65599 in one, two or three bytes. */
function writeBasicHeader(
  target: Uint8Array,
  offset: number,
  type: number,
  chunkStreamId: number,
): number {
  const first = type << 6;
  if (chunkStreamId < 64) {
    target[offset] = first | chunkStreamId;
    return offset + 1;
  }
  const rest = chunkStreamId - 64;
  target[offset] = chunkStreamId < 320 ? first : first | 1;
  target[offset + 1] = rest;
  if (chunkStreamId < 320) return offset + 2;
  target[offset + 2] = rest >>> 8;
  return offset + 3;
}

function writeU24(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 16;
  target[offset + 1] = value >>> 8;
  target[offset + 2] = value;
}

function writeU32(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 24;
  writeU24(target, offset + 1, value);
  return offset + 4;
}
