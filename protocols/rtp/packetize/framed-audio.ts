/**
 * Audio in frames behind a short header: MP3 (RFC 2250 §3.5), AC-3 (RFC 4184 §4.1.1) and E-AC-3 (RFC 4598 §4.2.1).
 * A frame to a packet, or a large one over several.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { MAX_PAYLOAD_BYTES, type PacketBlock } from './packet-block.ts';
import type { Packetizer } from './packetizer.ts';

/** Of a piece: how many there are, the byte of the frame at which it begins, and how many bytes the first has. */
interface Piece {
  readonly count: number;
  readonly at: number;
  readonly frameBytes: number;
}

interface FramedFormat {
  readonly headerBytes: number;
  readonly writeHeader: (piece: Piece, out: PacketBlock) => void;
}

/** MBZ and Frag_offset. */
const MPA: FramedFormat = {
  headerBytes: 4,
  writeHeader: ({ at }, out) => {
    out.u16(0);
    out.u16(at);
  },
};

/** FT, and NF: the number of frames, or of packets that hold the pieces of one. */
const AC3: FramedFormat = {
  headerBytes: 2,
  writeHeader: ({ count, at, frameBytes }, out) => {
    out.u8(count === 1 ? 0 : at > 0 ? 3 : holdsFiveEighths(frameBytes) ? 1 : 2);
    out.u8(count);
  },
};

/** F, and NF as in AC-3. */
const EAC3: FramedFormat = {
  headerBytes: 2,
  writeHeader: ({ count }, out) => {
    out.u8(count === 1 ? 0 : 1);
    out.u8(count);
  },
};

/** The first piece of AC-3 is told apart by whether a decoder could begin with it. */
function holdsFiveEighths(frameBytes: number): boolean {
  return (MAX_PAYLOAD_BYTES - AC3.headerBytes) * 8 >= frameBytes * 5;
}

class FramedAudioPacketizer implements Packetizer {
  readonly #format: FramedFormat;

  constructor(format: FramedFormat) {
    this.#format = format;
  }

  packetize({ data }: AccessUnit, timestamp: number, out: PacketBlock): void {
    const { headerBytes, writeHeader } = this.#format;
    const most = MAX_PAYLOAD_BYTES - headerBytes;
    const count = Math.ceil(data.length / most);
    for (let at = 0; at < data.length; at += most) {
      out.packet(timestamp);
      writeHeader({ count, at, frameBytes: data.length }, out);
      out.bytes(data, at, Math.min(data.length, at + most));
    }
    // RFC 4184 §4: the last packet of a frame; of MP3 a receiver does not care.
    out.markLast();
  }
}

export function mp3Packetizer(): Packetizer {
  return new FramedAudioPacketizer(MPA);
}

export function ac3Packetizer(codec: 'ac3' | 'eac3'): Packetizer {
  return new FramedAudioPacketizer(codec === 'ac3' ? AC3 : EAC3);
}
