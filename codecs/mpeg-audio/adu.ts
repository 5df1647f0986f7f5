/**
 * ADU frames → MP3 frames, RFC 5219 §4 and appendix A. An MP3 frame points back at data that lies in the frames
 * before it; an ADU has its data behind its own side information. Here the data goes back to where it was.
 *
 * What encoders leave unused between the data of two frames is zero afterwards. Not handled: ADU
 * interleaving (§5), which is for the carrier to undo.
 */
import { ParseError } from '../errors.ts';
import { type MpegAudioHeader, parseMpegAudioHeader } from './frame-header.ts';

/** main_data_begin has nine bits: later frames reach no further back. */
const MAX_BACK_BYTES = 511;

/** A frame whose data has not all come: that of later ones may begin in it. */
interface OpenFrame {
  readonly bytes: Uint8Array;
  readonly timestamp: number;
  /** Where in `bytes` the main data begins, and where that is among the main data of all frames. */
  readonly dataAt: number;
  readonly position: number;
  readonly end: number;
}

export class AduReassembler {
  readonly #deliver: (frame: Uint8Array, timestamp: number) => void;
  #open: OpenFrame[] = [];
  /** Among the main data of all frames: where the next frame's begins, and how far it has come. */
  #position = 0;
  #filled = 0;

  /** `deliver` gets each frame, in order, with the timestamp of its ADU. */
  constructor(deliver: (frame: Uint8Array, timestamp: number) => void) {
    this.#deliver = deliver;
  }

  /** One ADU frame. Throws ParseError for what is none; nothing is changed then. */
  push(adu: Uint8Array, timestamp: number): void {
    const header = parseMpegAudioHeader(adu);
    const dataAt = header.headerBytes + sideInformationBytes(header);
    const capacity = header.frameBytes - dataAt;
    if (header.layer !== 3 || adu.length < dataAt || capacity <= 0) {
      throw new ParseError(`an ADU of ${adu.length} bytes, layer ${header.layer}`);
    }
    const data = adu.subarray(dataAt);
    const back = mainDataBegin(adu, header);
    if (data.length > back + capacity) {
      throw new ParseError(
        `an ADU with ${data.length} bytes of data has room for ${back + capacity}`,
      );
    }
    const bytes = new Uint8Array(header.frameBytes);
    const position = this.#position;
    const start = position - back;
    const available = Math.max(this.#filled, this.#open[0]?.position ?? position);
    this.#position = position + capacity;
    this.#open.push({ bytes, timestamp, dataAt, position, end: this.#position });
    if (start < available && back > 0) {
      // The frames that had room for it were lost: side information of zeros is silence.
      bytes.set(adu.subarray(0, header.headerBytes));
    } else {
      bytes.set(adu.subarray(0, dataAt));
      this.#fill(data, start);
      this.#filled = start + data.length;
    }
    this.#close(Math.max(this.#filled, this.#position - MAX_BACK_BYTES));
  }

  /** After a loss: the frames so far are all there is, and nothing can lie in them any more. */
  reset(): void {
    this.#close(this.#position);
    this.#filled = this.#position;
  }

  /** Puts data into the open frames from `start` on. */
  #fill(data: Uint8Array, start: number): void {
    for (const { bytes, dataAt, position, end } of this.#open) {
      const from = Math.max(start, position);
      const to = Math.min(start + data.length, end);
      if (from < to) bytes.set(data.subarray(from - start, to - start), dataAt + from - position);
    }
  }

  /** Delivers the frames before a position. */
  #close(before: number): void {
    const open = this.#open.findIndex(({ end }) => end > before);
    const closed = this.#open.splice(0, open === -1 ? this.#open.length : open);
    for (const { bytes, timestamp } of closed) this.#deliver(bytes, timestamp);
  }
}

/** ISO/IEC 11172-3 §2.4.1.7, ISO/IEC 13818-3 §2.4.1.7. */
function sideInformationBytes({ version, channels }: MpegAudioHeader): number {
  if (version === 1) return channels === 1 ? 17 : 32;
  return channels === 1 ? 9 : 17;
}

/** The first nine bits of the side information; eight in MPEG-2. */
function mainDataBegin(adu: Uint8Array, { version, headerBytes }: MpegAudioHeader): number {
  const first = adu[headerBytes] ?? 0;
  return version === 1 ? (first << 1) | ((adu[headerBytes + 1] ?? 0) >> 7) : first;
}
