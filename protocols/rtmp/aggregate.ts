/**
 * Aggregate messages: several messages in one, each as a FLV tag. RTMP 1.0 §7.1.6. Flash Media Server
 * and Wowza send recordings so, and what they hold back of a live stream.
 */
import { ByteReader } from '../../codecs/byte-reader.ts';
import { FLV_PREVIOUS_TAG_SIZE_BYTES, FLV_TAG_HEADER_BYTES } from '../../codecs/flv/tag.ts';
import type { RtmpMessage } from './message.ts';

/**
 * Payloads are views. The first message has the time of the aggregate, the others keep their distance from
 * it. Throws ParseError when a message is not whole; the size behind the last one may be missing.
 */
export function* aggregatedMessages(aggregate: RtmpMessage): Generator<RtmpMessage> {
  const { messageStreamId } = aggregate;
  const reader = new ByteReader(aggregate.payload);
  let offsetMs: number | undefined;
  while (reader.remaining >= FLV_TAG_HEADER_BYTES) {
    const typeId = reader.u8();
    const length = reader.u24();
    const lower = reader.u24();
    const ownMs = reader.u8() * 0x1000000 + lower;
    reader.u24(); // message stream id
    const payload = reader.take(length);
    offsetMs ??= aggregate.timestampMs - ownMs;
    yield { typeId, timestampMs: (ownMs + offsetMs) >>> 0, messageStreamId, payload };
    reader.take(Math.min(FLV_PREVIOUS_TAG_SIZE_BYTES, reader.remaining));
  }
}
