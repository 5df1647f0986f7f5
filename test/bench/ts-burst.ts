/** One access unit as MPEG-TS packets (ISO/IEC 13818-1), ready but for what differs each time. */
import { crc32 } from '../../protocols/mpegts/crc32.ts';
import { AUDIO_CONFIG_HEX, PARAMETER_SETS } from './media.ts';
import { STAMP_BYTES, type Stamp, writeStamp } from './stamp.ts';

export const TS_PACKET_BYTES = 188;
const HEADER_BYTES = 4;
/** Length, flags and PCR, §2.4.3.4. */
const PCR_FIELD_BYTES = 8;
const PES_HEADER_BYTES = 14;
const PAT_PID = 0;
const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;
const AUDIO_PID = 0x101;
const PIDS = 8192;
/** Stream types: H.264, AAC in ADTS. */
const H264_STREAM = 0x1b;
const ADTS_STREAM = 0x0f;
const START_CODE = Buffer.from([0, 0, 0, 1]);
/** Access unit delimiter: any kind of picture. H.264 §7.3.2.4. */
const DELIMITER = Buffer.from([9, 0xf0]);
/** How long before its presentation a picture is sent, by its clock. */
const DECODE_DELAY_TICKS = 9000;

/** The counters of one sender, §2.4.3.3. */
export class Continuity {
  readonly #counters = new Uint8Array(PIDS);

  next(pid: number): number {
    const counter = this.#counters[pid] ?? 0;
    this.#counters[pid] = (counter + 1) & 0x0f;
    return counter;
  }
}

export class TsBurst {
  readonly bytes: Buffer;
  readonly #ptsAt: number;
  readonly #pcrAt: number | undefined;
  readonly #stampAt: number;

  private constructor(before: readonly Buffer[], pid: number, pes: Buffer, stampInPes: number) {
    const isVideo = pid === VIDEO_PID;
    const firstAt = before.length * TS_PACKET_BYTES;
    const fieldBytes = isVideo ? PCR_FIELD_BYTES : 0;
    this.bytes = Buffer.concat([...before, packetize(pid, pes, isVideo)]);
    this.#pcrAt = isVideo ? firstAt + HEADER_BYTES + 2 : undefined;
    this.#ptsAt = firstAt + HEADER_BYTES + fieldBytes + 9;
    this.#stampAt = firstAt + HEADER_BYTES + fieldBytes + stampInPes;
    if (this.#stampAt + STAMP_BYTES > firstAt + TS_PACKET_BYTES) throw new Error('stamp is cut');
  }

  /** `withTables`: a receiver may begin here. */
  static video(slice: Buffer, isIdr: boolean, withTables: boolean, stampOffset: number): TsBurst {
    const sets = isIdr ? PARAMETER_SETS.h264 : [];
    const before = [DELIMITER, ...sets].flatMap((nalUnit) => [START_CODE, nalUnit]);
    // Without a length, as most encoders send pictures: the next one ends it.
    const pes = Buffer.concat([pesHeader(0xe0, 0), ...before, START_CODE, slice]);
    const stampInPes = pes.length - slice.length + stampOffset;
    return new TsBurst(withTables ? [pat(), pmt()] : [], VIDEO_PID, pes, stampInPes);
  }

  static audio(frame: Buffer, stampOffset: number): TsBurst {
    const adts = adtsHeader(frame.length);
    const length = PES_HEADER_BYTES - 6 + adts.length + frame.length;
    const pes = Buffer.concat([pesHeader(0xc0, length), adts, frame]);
    return new TsBurst([], AUDIO_PID, pes, PES_HEADER_BYTES + adts.length + stampOffset);
  }

  /** Writes the packets into `target` and returns the part that they fill. `ticks`: of 90 kHz. */
  fill(target: Buffer, ticks: number, continuity: Continuity, stamp: Stamp): Buffer {
    this.bytes.copy(target);
    for (let at = 0; at < this.bytes.length; at += TS_PACKET_BYTES) {
      const pid = target.readUInt16BE(at + 1) & 0x1fff;
      target[at + 3] = ((target[at + 3] ?? 0) & 0xf0) | continuity.next(pid);
    }
    writePts(target, this.#ptsAt, ticks + DECODE_DELAY_TICKS);
    if (this.#pcrAt !== undefined) writePcr(target, this.#pcrAt, ticks);
    writeStamp(target, this.#stampAt, stamp);
    return target.subarray(0, this.bytes.length);
  }
}

function packetize(pid: number, payload: Buffer, withPcr: boolean): Buffer {
  const packets: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const isFirst = at === 0;
    const minField = isFirst && withPcr ? PCR_FIELD_BYTES : 0;
    const length = Math.min(payload.length - at, TS_PACKET_BYTES - HEADER_BYTES - minField);
    const fieldBytes = TS_PACKET_BYTES - HEADER_BYTES - length;
    const packet = Buffer.alloc(TS_PACKET_BYTES, 0xff);
    packet[0] = 0x47;
    packet.writeUInt16BE((isFirst ? 0x4000 : 0) | pid, 1);
    packet[3] = fieldBytes > 0 ? 0x30 : 0x10;
    if (fieldBytes > 0) packet[4] = fieldBytes - 1;
    if (fieldBytes > 1) packet[5] = minField > 0 ? 0x10 : 0;
    payload.copy(packet, TS_PACKET_BYTES - length, at, at + length);
    packets.push(packet);
    at += length;
  }
  return Buffer.concat(packets);
}

/** §2.4.3.6, with a PTS. */
function pesHeader(streamId: number, length: number): Buffer {
  const header = Buffer.from([0, 0, 1, streamId, 0, 0, 0x84, 0x80, 5, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(length, 4);
  return header;
}

function writePts(target: Buffer, at: number, ticks: number): void {
  const low = ticks % 2 ** 30;
  target[at] = 0x21 | ((Math.floor(ticks / 2 ** 30) & 7) << 1);
  target.writeUInt16BE(((low >>> 15) << 1) | 1, at + 1);
  target.writeUInt16BE(((low & 0x7fff) << 1) | 1, at + 3);
}

function writePcr(target: Buffer, at: number, ticks: number): void {
  target.writeUInt32BE(Math.floor(ticks / 2) % 2 ** 32, at);
  target.writeUInt16BE(((ticks & 1) << 15) | 0x7e00, at + 4);
}

/** §2.4.4.3: one programme. */
function pat(): Buffer {
  return section(PAT_PID, [0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (PMT_PID >> 8), 0]);
}

/** §2.4.4.8. */
function pmt(): Buffer {
  const pid = (value: number) => [0xe0 | (value >> 8), value & 0xff];
  const streams = [
    H264_STREAM,
    ...pid(VIDEO_PID),
    0xf0,
    0,
    ADTS_STREAM,
    ...pid(AUDIO_PID),
    0xf0,
    0,
  ];
  const head = [0x02, 0xb0, 13 + streams.length, 0, 1, 0xc1, 0, 0, ...pid(VIDEO_PID), 0xf0, 0];
  return section(PMT_PID, [...head, ...streams]);
}

function section(pid: number, bytes: readonly number[]): Buffer {
  const packet = Buffer.alloc(TS_PACKET_BYTES, 0xff);
  const body = Buffer.from(bytes);
  packet.set([0x47, 0x40 | (pid >> 8), pid & 0xff, 0x10, 0, ...body]);
  packet.writeUInt32BE(crc32(body), 5 + body.length);
  return packet;
}

/** ISO/IEC 13818-7 §6.2, of the AudioSpecificConfig that RTSP cameras announce. */
function adtsHeader(frameBytes: number): Buffer {
  const config = Number.parseInt(AUDIO_CONFIG_HEX, 16);
  const [objectType, rateIndex, channels] = [config >> 11, (config >> 7) & 15, (config >> 3) & 15];
  const length = frameBytes + 7;
  return Buffer.from([
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
}
