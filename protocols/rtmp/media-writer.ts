/**
 * Access units → RTMP audio and video messages, the hot path of the whole service. RTMP 1.0 §7.1;
 * message bodies as in FLV 10.1 §E.4.
 *
 * The usual picture costs one write and no copy: the chunk header and the AVC tag header go into
 * the headroom before it (access-unit.ts), and in front of them the audio messages that were waiting:
 *
 *   |<- headroom ------------------------------------->|<- unit.data ----------->|
 *               | audio message … | chunk hdr | AVC hdr | NAL units               |
 *               |<- one write ------------------------------------------------->|
 *
 * Pictures larger than a chunk, and those whose headroom another sink's socket still reads, leave as
 * one gathered write of headers and views, again without a copy.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import { concat, equalBytes } from '../../codecs/bytes.ts';
import { serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { streamMetadata } from '../../codecs/flv/metadata.ts';
import { sequenceHeader } from '../../codecs/flv/sequence-header.ts';
import {
  AAC_HEADER_BYTES,
  AacPacketType,
  AVC_HEADER_BYTES,
  AvcPacketType,
  writeAacHeader,
  writeAvcHeader,
} from '../../codecs/flv/tag.ts';
import type { Track } from '../../codecs/track.ts';
import {
  ChunkStreamId,
  continuationHeader,
  MAX_MESSAGE_HEADER_BYTES,
  messageHeaderLength,
  serializeMessage,
  writeMessageHeader,
} from './chunk-writer.ts';
import { MessageType } from './message.ts';
import { SessionClock } from './session-clock.ts';

const MAX_VIDEO_HEADER_BYTES = MAX_MESSAGE_HEADER_BYTES + AVC_HEADER_BYTES;
const MAX_AUDIO_HEADER_BYTES = MAX_MESSAGE_HEADER_BYTES + AAC_HEADER_BYTES;
/** So that waiting audio and the video header always fit into the headroom. */
const MAX_WAITING_AUDIO_BYTES = ACCESS_UNIT_HEADROOM - MAX_VIDEO_HEADER_BYTES;
/** Audio waits this long for a picture to ride with: two and a half pictures at 25 fps. */
const MAX_AUDIO_WAIT_MS = 100;

export interface MediaOutput {
  /** True when it still reads the bytes after it has returned: they must stay as they are. */
  write(bytes: Uint8Array): boolean;
  /** The same for several parts in one system call. */
  writeGathered(parts: readonly Uint8Array[]): boolean;
}

export interface MediaWriterOptions {
  readonly messageStreamId: number;
  /** At least ACCESS_UNIT_HEADROOM, so that audio which waits is one chunk. */
  readonly chunkSize: number;
  /** Who we are, in onMetaData. */
  readonly encoder: string;
}

export class MediaWriter {
  readonly #options: MediaWriterOptions;
  readonly #output: MediaOutput;
  readonly #clock = new SessionClock();
  #tracks: readonly Track[] = [];
  #videoTrack: Track | undefined;
  #audioTrack: Track | undefined;
  /** False when the tracks were set and have not been told to the server. */
  #isAnnounced = false;
  #sentMetadata: Uint8Array | undefined;
  #sentVideoHeader: Uint8Array | undefined;
  #sentAudioHeader: Uint8Array | undefined;
  #audio = new Uint8Array(MAX_WAITING_AUDIO_BYTES);
  #audioLength = 0;
  #audioSinceMs = 0;

  constructor(options: MediaWriterOptions, output: MediaOutput) {
    this.#options = options;
    this.#output = output;
  }

  /** Units whose time went backwards. */
  get clampedUnits(): number {
    return this.#clock.clampedUnits;
  }

  /** Told to the server just before the next unit, as far as it does not know it already. */
  start(tracks: readonly Track[]): void {
    this.#tracks = tracks;
    this.#videoTrack = tracks.find((track) => track.kind === 'video');
    this.#audioTrack = tracks.find((track) => track.kind === 'audio');
    this.#isAnnounced = false;
  }

  /** May set `unit.kept`. */
  write(unit: AccessUnit): void {
    const timestampMs = this.#clock.timestampMs(unit, this.#videoTrack !== undefined);
    if (timestampMs === undefined) return;
    if (unit.track !== this.#videoTrack && unit.track !== this.#audioTrack) {
      this.#changeTrack(unit.track);
    }
    if (!this.#isAnnounced) this.#announce(timestampMs >>> 0);
    if (unit.track.kind === 'video') this.#writeVideo(unit, timestampMs >>> 0);
    else this.#writeAudio(unit, timestampMs);
  }

  /** Audio that waits for a picture goes now. */
  flush(): void {
    if (this.#audioLength === 0) return;
    const isHeld = this.#output.write(this.#audio.subarray(0, this.#audioLength));
    if (isHeld) this.#audio = new Uint8Array(MAX_WAITING_AUDIO_BYTES);
    this.#audioLength = 0;
  }

  #changeTrack(track: Track): void {
    const others = this.#tracks.filter((other) => other.kind !== track.kind);
    this.start(track.kind === 'video' ? [track, ...others] : [...others, track]);
  }

  /** onMetaData and sequence headers, where their bytes are new. */
  #announce(timestampMs: number): void {
    this.#isAnnounced = true;
    this.flush();
    const parts: Uint8Array[] = [];
    const metadata = serializeAmf0(
      '@setDataFrame',
      'onMetaData',
      streamMetadata(this.#tracks, this.#options.encoder),
    );
    if (!isSame(metadata, this.#sentMetadata)) {
      this.#sentMetadata = metadata;
      parts.push(this.#message(MessageType.dataAmf0, ChunkStreamId.data, timestampMs, metadata));
    }
    if (this.#videoTrack !== undefined) {
      const header = sequenceHeader(this.#videoTrack);
      if (!isSame(header, this.#sentVideoHeader)) {
        this.#sentVideoHeader = header;
        parts.push(this.#message(MessageType.video, ChunkStreamId.video, timestampMs, header));
      }
    }
    if (this.#audioTrack !== undefined) {
      const header = sequenceHeader(this.#audioTrack);
      if (!isSame(header, this.#sentAudioHeader)) {
        this.#sentAudioHeader = header;
        parts.push(this.#message(MessageType.audio, ChunkStreamId.audio, timestampMs, header));
      }
    }
    if (parts.length > 0) this.#output.write(concat(...parts));
  }

  #message(typeId: number, chunkStreamId: number, timestampMs: number, payload: Uint8Array) {
    const { messageStreamId, chunkSize } = this.#options;
    const message = { typeId, timestampMs, messageStreamId, payload };
    return serializeMessage(message, chunkStreamId, chunkSize);
  }

  #writeVideo(unit: AccessUnit, timestampMs: number): void {
    const { data } = unit;
    const headerLength = messageHeaderLength(ChunkStreamId.video, timestampMs) + AVC_HEADER_BYTES;
    const leadLength = this.#audioLength + headerLength;
    if (unit.kept || data.byteOffset < leadLength) {
      // A Buffer, because a socket would make one of any other Uint8Array.
      const lead = Buffer.allocUnsafeSlow(leadLength);
      this.#writeLead(lead, unit, timestampMs);
      if (this.#output.writeGathered(this.#chunks(lead, 0, data, timestampMs))) unit.kept = true;
      return;
    }
    const start = data.byteOffset - leadLength;
    const block = Buffer.from(data.buffer, start, leadLength + data.length);
    this.#writeLead(block, unit, timestampMs);
    const isHeld =
      AVC_HEADER_BYTES + data.length <= this.#options.chunkSize
        ? this.#output.write(block)
        : this.#output.writeGathered(this.#chunks(block, leadLength, data, timestampMs));
    if (isHeld) unit.kept = true;
  }

  /** Waiting audio, chunk header and AVC header at the beginning of `target`. */
  #writeLead(target: Uint8Array, unit: AccessUnit, timestampMs: number): void {
    const { data } = unit;
    if (this.#audioLength > 0) {
      target.set(this.#audio.subarray(0, this.#audioLength));
    }
    const at = this.#writeHeader(
      target,
      this.#audioLength,
      ChunkStreamId.video,
      MessageType.video,
      timestampMs,
      AVC_HEADER_BYTES + data.length,
    );
    const compositionTimeMs = this.#clock.compositionTimeMs(unit);
    writeAvcHeader(target, at, AvcPacketType.nalUnits, unit.randomAccess, compositionTimeMs);
    this.#audioLength = 0;
  }

  /**
   * `first`: a block that begins with the headers and, when `leadLength` is not 0, has the data
   * behind them. Cut where chunks end, with continuation headers between.
   */
  #chunks(
    first: Uint8Array,
    leadLength: number,
    data: Uint8Array,
    timestampMs: number,
  ): Uint8Array[] {
    const { chunkSize } = this.#options;
    const inFirstChunk = Math.min(chunkSize - AVC_HEADER_BYTES, data.length);
    const parts: Uint8Array[] =
      leadLength === 0
        ? [first, data.subarray(0, inFirstChunk)]
        : [first.subarray(0, leadLength + inFirstChunk)];
    const continuation = continuationHeader(ChunkStreamId.video, timestampMs);
    for (let done = inFirstChunk; done < data.length; done += chunkSize) {
      parts.push(continuation, data.subarray(done, done + chunkSize));
    }
    return parts;
  }

  #writeAudio(unit: AccessUnit, unwrappedMs: number): void {
    const length = MAX_AUDIO_HEADER_BYTES + unit.data.length;
    if (this.#audioLength + length > MAX_WAITING_AUDIO_BYTES) this.flush();
    if (length > MAX_WAITING_AUDIO_BYTES) {
      this.#writeLargeAudio(unit, unwrappedMs >>> 0);
      return;
    }
    if (this.#audioLength === 0) this.#audioSinceMs = unwrappedMs;
    this.#appendAudio(unit, unwrappedMs >>> 0);
    const waitsMs = unwrappedMs - this.#audioSinceMs;
    if (this.#videoTrack === undefined || waitsMs >= MAX_AUDIO_WAIT_MS) this.flush();
  }

  #appendAudio({ data }: AccessUnit, timestampMs: number): void {
    const at = this.#writeHeader(
      this.#audio,
      this.#audioLength,
      ChunkStreamId.audio,
      MessageType.audio,
      timestampMs,
      AAC_HEADER_BYTES + data.length,
    );
    writeAacHeader(this.#audio, at, AacPacketType.raw);
    this.#audio.set(data, at + AAC_HEADER_BYTES);
    this.#audioLength = at + AAC_HEADER_BYTES + data.length;
  }

  /** Multichannel AAC at a high bit rate: does not fit where audio waits. */
  #writeLargeAudio({ data }: AccessUnit, timestampMs: number): void {
    const body = new Uint8Array(AAC_HEADER_BYTES + data.length);
    writeAacHeader(body, 0, AacPacketType.raw);
    body.set(data, AAC_HEADER_BYTES);
    this.#output.write(this.#message(MessageType.audio, ChunkStreamId.audio, timestampMs, body));
  }

  #writeHeader(
    target: Uint8Array,
    offset: number,
    chunkStreamId: number,
    typeId: number,
    timestampMs: number,
    length: number,
  ): number {
    const { messageStreamId } = this.#options;
    const header = { typeId, timestampMs, messageStreamId };
    return writeMessageHeader(target, offset, chunkStreamId, header, length);
  }
}

function isSame(bytes: Uint8Array, sent: Uint8Array | undefined): boolean {
  return sent !== undefined && equalBytes(bytes, sent);
}
