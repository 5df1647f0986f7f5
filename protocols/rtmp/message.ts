/** RTMP messages: what a chunk stream carries. RTMP 1.0 §5.4, §6 and §7. */
import { MAX_ACCESS_UNIT_BYTES } from '../../codecs/access-unit.ts';

/** RTMP 1.0 §5.4 and §7.1. */
export const MessageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  dataAmf0: 18,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** The largest access unit and its headers. A message's length field could say 16 MiB. */
export const MAX_MESSAGE_BYTES = MAX_ACCESS_UNIT_BYTES + 64 * 1024;

export interface RtmpMessage {
  readonly typeId: number;
  /** 32 bits, wraps after 49 days. */
  readonly timestampMs: number;
  readonly messageStreamId: number;
  readonly payload: Uint8Array;
}
