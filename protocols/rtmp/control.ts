/** Protocol control and user control messages. RTMP 1.0 §5.4 and §7.1.7. */
import { ByteReader } from '../../codecs/byte-reader.ts';
import { ByteWriter } from '../../codecs/byte-writer.ts';
import { MessageType, type RtmpMessage } from './message.ts';

/** §7.1.7. */
export const UserControlEvent = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** A message of one 32-bit number: chunk size, acknowledgement, window size. */
export function controlMessage(typeId: number, value: number): RtmpMessage {
  return message(typeId, new ByteWriter().u32(value).toBytes());
}

/** The 32-bit number a control message begins with. */
export function parseControlValue(payload: Uint8Array): number {
  return new ByteReader(payload).u32();
}

export function userControlMessage(event: number, data: Uint8Array): RtmpMessage {
  return message(MessageType.userControl, new ByteWriter().u16(event).bytes(data).toBytes());
}

export interface UserControl {
  readonly event: number;
  /** A view. */
  readonly data: Uint8Array;
}

export function parseUserControl(payload: Uint8Array): UserControl {
  const reader = new ByteReader(payload);
  return { event: reader.u16(), data: reader.rest() };
}

/** Both kinds live on message stream 0. */
function message(typeId: number, payload: Uint8Array): RtmpMessage {
  return { typeId, timestampMs: 0, messageStreamId: 0, payload };
}
