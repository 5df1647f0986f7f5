/** RTP packets with H.264 and H.265 payloads made by hand, for tests of receivers. */
import { concat } from '../../codecs/bytes.ts';
import { RtpPacket } from '../../protocols/rtp/rtp-packet.ts';

export interface RtpFields {
  readonly sequenceNumber?: number;
  readonly timestamp?: number;
  readonly marker?: boolean;
  readonly payloadType?: number;
  readonly ssrc?: number;
  readonly csrcs?: readonly number[];
  /** Words of 32 bits behind an extension header. */
  readonly extensionWords?: number;
  /** Bytes of padding, the last of which counts them. */
  readonly padding?: number;
  readonly payload?: Uint8Array;
}

export function rtpBytes(fields: RtpFields = {}): Uint8Array {
  const { sequenceNumber = 0, timestamp = 0, marker = false, payloadType = 96, ssrc = 1 } = fields;
  const { csrcs = [], extensionWords, padding = 0, payload = new Uint8Array(0) } = fields;
  const header = new Uint8Array(12 + csrcs.length * 4);
  const view = new DataView(header.buffer);
  const flags = (padding > 0 ? 0x20 : 0) | (extensionWords === undefined ? 0 : 0x10);
  view.setUint8(0, 0x80 | flags | csrcs.length);
  view.setUint8(1, (marker ? 0x80 : 0) | payloadType);
  view.setUint16(2, sequenceNumber & 0xffff);
  view.setUint32(4, timestamp >>> 0);
  view.setUint32(8, ssrc >>> 0);
  for (const [index, csrc] of csrcs.entries()) view.setUint32(12 + index * 4, csrc);
  const extension = new Uint8Array(extensionWords === undefined ? 0 : 4 + extensionWords * 4);
  if (extensionWords !== undefined) new DataView(extension.buffer).setUint16(2, extensionWords);
  const pad = new Uint8Array(padding);
  if (padding > 0) pad[padding - 1] = padding;
  return concat(header, extension, payload, pad);
}

export function rtpPacket(fields: RtpFields = {}): RtpPacket {
  const bytes = rtpBytes(fields);
  const packet = new RtpPacket();
  if (!packet.read(bytes, 0, bytes.length)) throw new Error('no RTP packet');
  return packet;
}

/** A NAL unit whose bytes tell which one it is; a slice begins at macroblock 0. */
export function nalUnit(header: number, byteLength: number, fill = 0x5a): Uint8Array {
  const bytes = new Uint8Array(byteLength).fill(fill);
  bytes[0] = header;
  if (byteLength > 1) bytes[1] = 0x80 | (fill & 0x7f);
  return bytes;
}

/** RFC 6184 §5.7.1. */
export function stapA(...nalUnits: readonly Uint8Array[]): Uint8Array {
  const sized = nalUnits.flatMap((unit) => [
    Uint8Array.of(unit.length >> 8, unit.length & 0xff),
    unit,
  ]);
  return concat(Uint8Array.of(0x78), ...sized);
}

/** RFC 6184 §5.8. */
export function fuA(unit: Uint8Array, bytesPerFragment: number): Uint8Array[] {
  const indicator = (unit[0]! & 0xe0) | 28;
  const type = unit[0]! & 0x1f;
  const fragments: Uint8Array[] = [];
  for (let at = 1; at < unit.length; at += bytesPerFragment) {
    const end = Math.min(unit.length, at + bytesPerFragment);
    const flags = (at === 1 ? 0x80 : 0) | (end === unit.length ? 0x40 : 0);
    fragments.push(concat(Uint8Array.of(indicator, flags | type), unit.subarray(at, end)));
  }
  return fragments;
}

/** The same for H.265, whose header has two bytes. */
export function h265NalUnit(type: number, byteLength: number, fill = 0x5a): Uint8Array {
  const bytes = new Uint8Array(byteLength).fill(fill);
  bytes.set([type << 1, 1, 0x80 | (fill & 0x7f)].slice(0, byteLength));
  return bytes;
}

/** RFC 7798 §4.4.2; with a decoding order number of the first NAL unit, and differences to it. */
export function aggregation(nalUnits: readonly Uint8Array[], donl?: number): Uint8Array {
  const parts = nalUnits.flatMap((unit, index) => {
    const order = index === 0 ? u16(donl ?? 0) : Uint8Array.of(0);
    return donl === undefined ? [u16(unit.length), unit] : [order, u16(unit.length), unit];
  });
  return concat(Uint8Array.of(48 << 1, 1), ...parts);
}

/** RFC 7798 §4.4.3. */
export function fragmentationUnits(
  unit: Uint8Array,
  bytesPerFragment: number,
  donl?: number,
): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  for (let at = 2; at < unit.length; at += bytesPerFragment) {
    const end = Math.min(unit.length, at + bytesPerFragment);
    const flags = (at === 2 ? 0x80 : 0) | (end === unit.length ? 0x40 : 0);
    const header = Uint8Array.of(
      (unit[0]! & 0x81) | (49 << 1),
      unit[1]!,
      flags | ((unit[0]! >> 1) & 0x3f),
    );
    const order = at === 2 && donl !== undefined ? u16(donl) : new Uint8Array(0);
    fragments.push(concat(header, order, unit.subarray(at, end)));
  }
  return fragments;
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** NAL units behind 4-byte lengths. */
export function avcc(...nalUnits: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...nalUnits.flatMap((unit) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, unit.length);
      return [length, unit];
    }),
  );
}
