/**
 * MPEG-TS in UDP datagrams: seven packets in each as a rule; or in RTP (RFC 2250 §2), which puts them
 * into order and shows by itself, so that nobody need say so. A datagram need not begin with a packet.
 */
import type { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import { SYNC_BYTE, TS_PACKET_BYTES } from '../../protocols/mpegts/ts-packet.ts';
import { Reception } from '../../protocols/rtp/reception.ts';
import { ReorderWindow } from '../../protocols/rtp/reorder-window.ts';
import { RtpPacket } from '../../protocols/rtp/rtp-packet.ts';

/** RFC 3551 §6. Others are dynamic. */
const PAYLOAD_TYPE_MP2T = 33;
const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;
/** TP_extra_header of 192-byte packets. */
const M2TS_HEADER_BYTES = 4;

export class MpegtsDatagrams {
  readonly #demuxer: TsDemuxer;
  readonly #packet = new RtpPacket();
  readonly #reception = new Reception();
  readonly #window = new ReorderWindow((bytes, start, end) => this.#inOrder(bytes, start, end));
  #isRtp = false;

  constructor(demuxer: TsDemuxer) {
    this.#demuxer = demuxer;
  }

  /** RTP has been seen. */
  get isRtp(): boolean {
    return this.#isRtp;
  }

  /** One datagram, `bytes[start…end)`. */
  push(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (bytes[start] !== SYNC_BYTE && this.#packet.read(bytes, start, end)) {
      // Later on a datagram that begins in the middle of a packet could look like it.
      if (this.#demuxer.receivedPackets === 0) this.#isRtp ||= isMp2t(this.#packet);
      if (this.#isRtp) {
        this.#window.push(bytes, start, end, nowMs);
        return;
      }
    }
    this.#demuxer.push(bytes, start, end);
  }

  #inOrder(bytes: Uint8Array, start: number, end: number): void {
    const packet = this.#packet;
    if (!packet.read(bytes, start, end)) return;
    // Jitter is measured by the PCR.
    if (this.#reception.note(packet, 0) === 'late') return;
    this.#demuxer.push(bytes, packet.start, packet.end);
  }
}

function isMp2t({ payloadType, bytes, start, end }: RtpPacket): boolean {
  if (payloadType !== PAYLOAD_TYPE_MP2T && payloadType < FIRST_DYNAMIC_PAYLOAD_TYPE) return false;
  return [0, M2TS_HEADER_BYTES].some((offset) => {
    const first = start + offset;
    const second = first + offset + TS_PACKET_BYTES;
    return bytes[first] === SYNC_BYTE && (second >= end || bytes[second] === SYNC_BYTE);
  });
}
