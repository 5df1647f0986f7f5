/**
 * Access units → RTMP audio and video messages, the hot path of the whole service. RTMP 1.0 §7.1;
 * message bodies as in codecs/flv/video-tag.ts and audio-tag.ts.
 *
 * The usual picture costs one write and no copy: the chunk header and the tag's header go into
 * the headroom before it (access-unit.ts), and in front of them the audio messages that were waiting:
 *
 *   |<- headroom ------------------------------------->|<- unit.data ----------->|
 *               | audio message … | chunk hdr | tag hdr | NAL units               |
 *               |<- one write ------------------------------------------------->|
 *
 * Pictures larger than a chunk, and those whose headroom another sink's socket still reads, leave as
 * one gathered write of headers and views, again without a copy.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import { concat, equalBytes } from '../../codecs/bytes.ts';
import { UnsupportedError } from '../../codecs/errors.ts';
import { serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { audioTagForm, MAX_AUDIO_TAG_HEADER_BYTES } from '../../codecs/flv/audio-tag.ts';
import { streamMetadata } from '../../codecs/flv/metadata.ts';
import { sequenceHeader } from '../../codecs/flv/sequence-header.ts';
import {
  type HevcForm,
  MAX_VIDEO_TAG_HEADER_BYTES,
  type VideoTagForm,
  videoHeaderLength,
  videoTagForm,
  writeVideoHeader,
} from '../../codecs/flv/video-tag.ts';
import type { AudioTrack, Track, VideoTrack } from '../../codecs/track.ts';
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

const MAX_VIDEO_HEADER_BYTES = MAX_MESSAGE_HEADER_BYTES + MAX_VIDEO_TAG_HEADER_BYTES;
const MAX_AUDIO_HEADER_BYTES = MAX_MESSAGE_HEADER_BYTES + MAX_AUDIO_TAG_HEADER_BYTES;
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
  readonly hevcForm: HevcForm;
  /** Who we are, in onMetaData. */
  readonly encoder: string;
}

export class MediaWriter {
  readonly #options: MediaWriterOptions;
  readonly #output: MediaOutput;
  readonly #clock = new SessionClock();
  #tracks: readonly Track[] = [];
  #videoTrack: VideoTrack | undefined;
  #audioTrack: AudioTrack | undefined;
  #videoForm: VideoTagForm;
  /** What stands before every audio frame. */
  #audioHeader: Uint8Array = new Uint8Array(0);
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
    this.#videoForm = videoTagForm('h264', options.hevcForm);
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
    if (this.#videoTrack !== undefined) {
      this.#videoForm = videoTagForm(this.#videoTrack.codec, this.#options.hevcForm);
    }
  }

  /** May set `unit.kept`. Throws when a track cannot be told to the server. */
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
    const { hevcForm, encoder } = this.#options;
    const parts: Uint8Array[] = [];
    const metadata = serializeAmf0(
      '@setDataFrame',
      'onMetaData',
      streamMetadata(this.#tracks, hevcForm, encoder),
    );
    if (!isSame(metadata, this.#sentMetadata)) {
      this.#sentMetadata = metadata;
      parts.push(this.#message(MessageType.dataAmf0, ChunkStreamId.data, timestampMs, metadata));
    }
    if (this.#videoTrack !== undefined) {
      const header = sequenceHeader(this.#videoTrack, hevcForm);
      if (header !== undefined && !isSame(header, this.#sentVideoHeader)) {
        this.#sentVideoHeader = header;
        parts.push(this.#message(MessageType.video, ChunkStreamId.video, timestampMs, header));
      }
    }
    if (this.#audioTrack !== undefined) {
      this.#audioHeader = audioHeader(this.#audioTrack);
      const header = sequenceHeader(this.#audioTrack, hevcForm);
      if (header !== undefined && !isSame(header, this.#sentAudioHeader)) {
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
    const compositionTimeMs = this.#clock.compositionTimeMs(unit);
    const tagHeaderLength = videoHeaderLength(this.#videoForm, compositionTimeMs);
    const headerLength = messageHeaderLength(ChunkStreamId.video, timestampMs) + tagHeaderLength;
    const leadLength = this.#audioLength + headerLength;
    const bodyLength = tagHeaderLength + data.length;
    if (unit.kept || data.byteOffset < leadLength) {
      // A Buffer, because a socket would make one of any other Uint8Array.
      const lead = Buffer.allocUnsafeSlow(leadLength);
      this.#writeLead(lead, unit.randomAccess, timestampMs, compositionTimeMs, bodyLength);
      const parts = this.#chunks(lead, 0, data, timestampMs, tagHeaderLength);
      if (this.#output.writeGathered(parts)) unit.kept = true;
      return;
    }
    const start = data.byteOffset - leadLength;
    const block = Buffer.from(data.buffer, start, leadLength + data.length);
    this.#writeLead(block, unit.randomAccess, timestampMs, compositionTimeMs, bodyLength);
    const isHeld =
      bodyLength <= this.#options.chunkSize
        ? this.#output.write(block)
        : this.#output.writeGathered(
            this.#chunks(block, leadLength, data, timestampMs, tagHeaderLength),
          );
    if (isHeld) unit.kept = true;
  }

  /** Waiting audio, chunk header and tag header at the beginning of `target`. */
  #writeLead(
    target: Uint8Array,
    keyframe: boolean,
    timestampMs: number,
    compositionTimeMs: number,
    bodyLength: number,
  ): void {
    if (this.#audioLength > 0) target.set(this.#audio.subarray(0, this.#audioLength));
    const at = this.#writeHeader(
      target,
      this.#audioLength,
      ChunkStreamId.video,
      MessageType.video,
      timestampMs,
      bodyLength,
    );
    writeVideoHeader(target, at, this.#videoForm, keyframe, compositionTimeMs);
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
    tagHeaderLength: number,
  ): Uint8Array[] {
    const { chunkSize } = this.#options;
    const inFirstChunk = Math.min(chunkSize - tagHeaderLength, data.length);
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
    const header = this.#audioHeader;
    const at = this.#writeHeader(
      this.#audio,
      this.#audioLength,
      ChunkStreamId.audio,
      MessageType.audio,
      timestampMs,
      header.length + data.length,
    );
    this.#audio.set(header, at);
    this.#audio.set(data, at + header.length);
    this.#audioLength = at + header.length + data.length;
  }

  /** Multichannel AAC at a high bit rate, G.711 in long packets: does not fit where audio waits. */
  #writeLargeAudio({ data }: AccessUnit, timestampMs: number): void {
    const body = concat(this.#audioHeader, data);
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

function audioHeader(track: AudioTrack): Uint8Array {
  const form = audioTagForm(track);
  if (form === undefined) {
    const { codec, sampleRate, channels } = track;
    const words = `${codec}, ${sampleRate} Hz, ${channels} channels`;
    throw new UnsupportedError(`RTMP has no form for this audio: ${words}`);
  }
  return form.frameHeader;
}
