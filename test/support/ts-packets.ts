/** MPEG-TS for tests, written field by field (ISO/IEC 13818-1 §2.4): packets, tables, PES packets. */
import { concat } from '../../codecs/bytes.ts';
import { crc32 } from '../../protocols/mpegts/crc32.ts';
import { TS_PACKET_BYTES } from '../../protocols/mpegts/ts-packet.ts';

export interface TsPacketFields {
  readonly pid: number;
  readonly counter?: number;
  readonly unitStart?: boolean;
  readonly payload?: Uint8Array;
  /** In ticks of 90 kHz. */
  readonly pcr?: number;
  readonly discontinuity?: boolean;
  readonly error?: boolean;
  readonly scrambled?: boolean;
}

/** A packet of 188 bytes; a payload that is too short is preceded by stuffing. */
export function tsPacket(fields: TsPacketFields): Uint8Array {
  const { pid, counter = 0, unitStart = false, payload, pcr, discontinuity = false } = fields;
  const packet = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
  const room = TS_PACKET_BYTES - 4 - (payload?.length ?? 0);
  const hasAdaptation = pcr !== undefined || discontinuity || room > 0;
  const scrambling = fields.scrambled === true ? 0x80 : 0;
  packet[0] = 0x47;
  packet[1] = (fields.error ? 0x80 : 0) | (unitStart ? 0x40 : 0) | (pid >> 8);
  packet[2] = pid & 0xff;
  packet[3] =
    scrambling | (hasAdaptation ? 0x20 : 0) | (payload === undefined ? 0 : 0x10) | counter;
  if (hasAdaptation) {
    packet[4] = room - 1;
    if (room > 1) packet[5] = (discontinuity ? 0x80 : 0) | (pcr === undefined ? 0 : 0x10);
    if (pcr !== undefined) packet.set(pcrBytes(pcr), 6);
  }
  if (room < 0) throw new Error('the payload does not fit');
  if (payload !== undefined) packet.set(payload, 4 + room);
  return packet;
}

function pcrBytes(ticks: number): Uint8Array {
  const bytes = new Uint8Array(6);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(ticks / 2));
  view.setUint16(4, ((ticks % 2) << 15) | 0x7e00);
  return bytes;
}

/** A section with its length and CRC, from table_id_extension on. */
export function section(
  tableId: number,
  extension: number,
  body: Uint8Array,
  { version = 0, current = true, number = 0 } = {},
): Uint8Array {
  const length = 5 + body.length + 4;
  const flags = 0xc0 | (version << 1) | (current ? 1 : 0);
  const head = [tableId, 0xb0 | (length >> 8), length & 0xff, extension >> 8, extension & 0xff];
  const bytes = concat(Uint8Array.of(...head, flags, number, number), body);
  const crc = crc32(bytes);
  return concat(bytes, Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc));
}

/** `programs`: program_number → PID of its PMT. */
export function patSection(
  programs: Readonly<Record<number, number>>,
  options: { version?: number; current?: boolean; number?: number } = {},
): Uint8Array {
  const body = Object.entries(programs).flatMap(([program, pid]) => [
    Number(program) >> 8,
    Number(program) & 0xff,
    0xe0 | (pid >> 8),
    pid & 0xff,
  ]);
  return section(0, 1, Uint8Array.from(body), options);
}

export interface PmtStream {
  readonly pid: number;
  readonly type: number;
  readonly descriptors?: Uint8Array;
}

export function pmtSection(
  program: number,
  streams: readonly PmtStream[],
  options: { pcrPid?: number; version?: number; current?: boolean } = {},
): Uint8Array {
  const { pcrPid = streams[0]?.pid ?? 0x1fff } = options;
  const rows = streams.map(({ pid, type, descriptors = new Uint8Array() }) =>
    concat(
      Uint8Array.of(type, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, descriptors.length),
      descriptors,
    ),
  );
  const head = Uint8Array.of(0xe0 | (pcrPid >> 8), pcrPid & 0xff, 0xf0, 0);
  return section(2, program, concat(head, ...rows), options);
}

export interface PesFields {
  readonly pts?: number;
  readonly dts?: number;
  /** PES_packet_length is stated; otherwise it is 0. */
  readonly bounded?: boolean;
  /** States a length that is off by so much. */
  readonly lengthError?: number;
  readonly streamId?: number;
  /** Stuffing in the header. */
  readonly stuffing?: number;
}

export function pes(payload: Uint8Array, fields: PesFields = {}): Uint8Array {
  const { pts, dts, bounded = false, lengthError = 0, streamId = 0xe0, stuffing = 0 } = fields;
  const times =
    pts === undefined
      ? new Uint8Array()
      : dts === undefined
        ? timestamp(2, pts)
        : concat(timestamp(3, pts), timestamp(1, dts));
  const optional = concat(times, new Uint8Array(stuffing).fill(0xff));
  const flags = (pts === undefined ? 0 : 0x80) | (dts === undefined ? 0 : 0x40);
  const length = bounded ? 3 + optional.length + payload.length + lengthError : 0;
  const head = [0, 0, 1, streamId, (length >> 8) & 0xff, length & 0xff, 0x80, flags];
  return concat(Uint8Array.of(...head, optional.length), optional, payload);
}

function timestamp(prefix: number, ticks: number): Uint8Array {
  const high = Math.floor(ticks / 0x40000000) & 7;
  const middle = Math.floor(ticks / 0x8000) & 0x7fff;
  const low = ticks & 0x7fff;
  return Uint8Array.of(
    (prefix << 4) | (high << 1) | 1,
    middle >> 7,
    ((middle & 0x7f) << 1) | 1,
    low >> 7,
    ((low & 0x7f) << 1) | 1,
  );
}

/** Writes one transport stream: counts continuity by PID. */
export class TsWriter {
  readonly #counters = new Map<number, number>();

  /** One packet; its counter goes on where it has a payload. */
  packet(fields: TsPacketFields): Uint8Array {
    const before = this.#counters.get(fields.pid) ?? 15;
    const counter = fields.payload === undefined ? before : (before + 1) & 0x0f;
    this.#counters.set(fields.pid, counter);
    return tsPacket({ counter, ...fields });
  }

  section(pid: number, bytes: Uint8Array): Uint8Array[] {
    return this.#split(pid, concat(Uint8Array.of(0), bytes), {});
  }

  pes(pid: number, bytes: Uint8Array, first: Partial<TsPacketFields> = {}): Uint8Array[] {
    return this.#split(pid, bytes, first);
  }

  #split(pid: number, bytes: Uint8Array, first: Partial<TsPacketFields>): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const extra = at === 0 ? first : {};
      const room = extra.pcr !== undefined ? 176 : extra.discontinuity ? 182 : 184;
      const payload = bytes.subarray(at, at + room);
      packets.push(this.packet({ pid, unitStart: at === 0, payload, ...extra }));
      at += payload.length;
    }
    return packets;
  }
}
