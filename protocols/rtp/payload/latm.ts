/**
 * AAC in LATM over RTP, RFC 6416 §6 (formerly RFC 3016): one AudioMuxElement, or a piece of one, in a packet;
 * the marker is on the last piece. Tolerated: no marker at all, then a new timestamp ends the element.
 */
import { LatmReader, type StreamMuxConfig } from '../../../codecs/aac/latm.ts';
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import type { AacTrack } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

/** More than a second of AAC at 320 kbit/s; an element is a few frames. */
const MAX_ELEMENT_BYTES = 65_536;

/** So many in a row that cannot be carried: then the stream is of that kind. */
const PROVEN_ELEMENTS = 3;

export interface LatmPayloadFormat {
  /** The RTP clock. */
  readonly clockRate: number;
  /** `cpresent`: elements may carry their configuration. */
  readonly isConfigInBand: boolean;
  /** The one of the description. */
  readonly config: StreamMuxConfig | undefined;
}

export class LatmDepacketizer implements Depacketizer {
  damagedUnits = 0;
  refusal: string | undefined;
  readonly #receiver: UnitReceiver;
  readonly #clockRate: number;
  readonly #reader: LatmReader;
  readonly #assembler = new AccessUnitAssembler();
  /** The element so far, when it comes in pieces. */
  #element = new Uint8Array(0);
  #elementLength = 0;
  #timestamp = 0;
  #unsupportedElements = 0;
  /** Elements of this stream come in pieces: after a loss nobody knows which piece a packet holds. */
  #comesInPieces = false;
  /** Of an element that lost a piece. */
  #droppedTimestamp: number | undefined;

  constructor(receiver: UnitReceiver, format: LatmPayloadFormat) {
    this.#receiver = receiver;
    this.#clockRate = format.clockRate;
    this.#reader = new LatmReader(format.isConfigInBand, format.config);
  }

  get track(): AacTrack | undefined {
    return this.#reader.config?.track;
  }

  push(packet: RtpPacket, isGap: boolean): void {
    if (this.refusal !== undefined) return;
    const { bytes, start, end, timestamp, marker } = packet;
    if (isGap) this.#noteGap(timestamp);
    else if (this.#elementLength > 0 && timestamp !== this.#timestamp) this.#finishPieces();
    if (timestamp === this.#droppedTimestamp) return;
    this.#droppedTimestamp = undefined;
    this.#timestamp = timestamp;
    if (marker && this.#elementLength === 0) {
      this.#read(bytes.subarray(start, end));
      return;
    }
    this.#append(bytes.subarray(start, end));
    if (marker) this.#finishPieces();
  }

  #noteGap(timestamp: number): void {
    if (!this.#comesInPieces) {
      // What waits for its marker is whole.
      if (this.#elementLength > 0) this.#finishPieces();
      return;
    }
    this.#elementLength = 0;
    this.#droppedTimestamp = timestamp;
    this.damagedUnits += 1;
  }

  #append(piece: Uint8Array): void {
    const length = this.#elementLength + piece.length;
    if (this.#elementLength > 0) this.#comesInPieces = true;
    if (length > MAX_ELEMENT_BYTES) {
      this.#elementLength = 0;
      this.#droppedTimestamp = this.#timestamp;
      this.damagedUnits += 1;
      return;
    }
    if (length > this.#element.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#element.subarray(0, this.#elementLength));
      this.#element = larger;
    }
    this.#element.set(piece, this.#elementLength);
    this.#elementLength = length;
  }

  #finishPieces(): void {
    const element = this.#element.subarray(0, this.#elementLength);
    this.#elementLength = 0;
    this.#read(element);
  }

  #read(element: Uint8Array): void {
    try {
      let n = 0;
      for (const frame of this.#reader.frames(element)) this.#deliver(frame, n++);
      if (n > 0) this.#unsupportedElements = 0;
    } catch (error) {
      if (error instanceof UnsupportedError) this.#noteUnsupported(error.message);
      else if (error instanceof ParseError) this.damagedUnits += 1;
      else throw error;
    }
  }

  /** A single one is damage: bits that were put together wrongly can say anything. */
  #noteUnsupported(what: string): void {
    if (this.track !== undefined) this.damagedUnits += 1;
    this.#unsupportedElements += 1;
    if (this.#unsupportedElements === PROVEN_ELEMENTS) this.refusal = what;
  }

  #deliver(frame: Uint8Array, n: number): void {
    const { config } = this.#reader;
    if (config === undefined || frame.length === 0) return;
    const { frameLength, sampleRate } = config.audio;
    const ticks = Math.round((n * frameLength * this.#clockRate) / sampleRate);
    this.#assembler.append(frame);
    const data = this.#assembler.take();
    const timestamp = (this.#timestamp + ticks) >>> 0;
    const kept = this.#receiver.unit(data, timestamp, true, config.track);
    this.#assembler.release(kept);
  }
}
