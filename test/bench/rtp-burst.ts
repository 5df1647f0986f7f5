/** One access unit as the RTP packets of one burst, interleaved into RTSP, ready but for what differs each time. */
import type { VideoCodec } from './media.ts';
import { type Stamp, writeStamp } from './stamp.ts';

/** What fits an Ethernet frame, as cameras do over TCP too. */
const MAX_RTP_PAYLOAD = 1400;
export const INTERLEAVED_HEADER = 4;
const RTP_HEADER = 12;
const FU_A = 28;
const FU_H265 = 49;

export class RtpBurst {
  readonly bytes: Buffer;
  /** Where each packet's interleaved header begins. */
  readonly packetOffsets: readonly number[];
  readonly #stampOffset: number;

  private constructor(payloads: readonly Buffer[], payloadType: number, stampOffset: number) {
    this.packetOffsets = offsetsOf(payloads);
    const packets = payloads.map((payload, index) =>
      packet(payload, payloadType, index === payloads.length - 1),
    );
    this.bytes = Buffer.concat(packets);
    this.#stampOffset = stampOffset;
  }

  /** RFC 6184 §5.6 and §5.8, RFC 7798 §4.4.1 and §4.4.3; `stampOffset` lies in the last of the NAL units. */
  static video(
    codec: VideoCodec,
    nalUnits: readonly Buffer[],
    payloadType: number,
    stampOffset: number,
  ): RtpBurst {
    const before = nalUnits.slice(0, -1);
    const slice = nalUnits.at(-1) ?? Buffer.alloc(0);
    const headers = (before.length + 1) * (INTERLEAVED_HEADER + RTP_HEADER);
    // The NAL unit's header became longer by one byte.
    const sliceAt = headers + before.reduce((sum, nalUnit) => sum + nalUnit.length, 0) + 1;
    const payloads = [...before, ...fragments(codec, slice)];
    return new RtpBurst(payloads, payloadType, sliceAt + stampOffset);
  }

  /** RFC 3640 §3.3.6 (AAC-hbr), one frame in a packet. */
  static audio(frame: Buffer, payloadType: number, stampOffset: number): RtpBurst {
    const auHeaders = Buffer.from([0, 16, frame.length >> 5, (frame.length << 3) & 0xff]);
    const at = INTERLEAVED_HEADER + RTP_HEADER + auHeaders.length + stampOffset;
    return new RtpBurst([Buffer.concat([auHeaders, frame])], payloadType, at);
  }

  /** Writes the burst into `target` and returns the part that it fills. */
  fill(
    target: Buffer,
    rtp: { sequenceNumber: number; timestamp: number; ssrc: number },
    stamp: Stamp,
  ): Buffer {
    this.bytes.copy(target);
    let sequenceNumber = rtp.sequenceNumber;
    for (const offset of this.packetOffsets) {
      target.writeUInt16BE(sequenceNumber & 0xffff, offset + INTERLEAVED_HEADER + 2);
      target.writeUInt32BE(rtp.timestamp >>> 0, offset + INTERLEAVED_HEADER + 4);
      target.writeUInt32BE(rtp.ssrc, offset + INTERLEAVED_HEADER + 8);
      sequenceNumber += 1;
    }
    writeStamp(target, this.#stampOffset, stamp);
    return target.subarray(0, this.bytes.length);
  }
}

function fragments(codec: VideoCodec, nalUnit: Buffer): Buffer[] {
  const [first = 0, second = 0] = nalUnit;
  const isH264 = codec === 'h264';
  const payloadHeader = isH264
    ? [(first & 0xe0) | FU_A]
    : [(first & 0x81) | (FU_H265 << 1), second];
  const type = isH264 ? first & 0x1f : (first >> 1) & 0x3f;
  const body = nalUnit.subarray(payloadHeader.length);
  const size = MAX_RTP_PAYLOAD - payloadHeader.length - 1;
  const out: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const start = at === 0 ? 0x80 : 0;
    const end = at + size >= body.length ? 0x40 : 0;
    const headers = Buffer.from([...payloadHeader, start | end | type]);
    out.push(Buffer.concat([headers, body.subarray(at, at + size)]));
  }
  return out;
}

function packet(payload: Buffer, payloadType: number, marker: boolean): Buffer {
  const header = Buffer.alloc(INTERLEAVED_HEADER + RTP_HEADER);
  header[0] = 0x24; // '$', RFC 2326 §10.12
  header.writeUInt16BE(RTP_HEADER + payload.length, 2);
  header[INTERLEAVED_HEADER] = 0x80;
  header[INTERLEAVED_HEADER + 1] = (marker ? 0x80 : 0) | payloadType;
  return Buffer.concat([header, payload]);
}

function offsetsOf(payloads: readonly Buffer[]): number[] {
  let at = 0;
  return payloads.map((payload) => {
    const offset = at;
    at += INTERLEAVED_HEADER + RTP_HEADER + payload.length;
    return offset;
  });
}
