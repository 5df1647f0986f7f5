/**
 * Access units → RTMP messages for players: each in one block of its own, on message stream 1, behind a type 0 header with
 * the time of the stream, so that whoever joins late understands it as it is. Bodies as codecs/flv has them.
 *
 * There are two forms of a stream, for players that know enhanced RTMP and for those that do not: the latter get H.265
 * with codec id 12, and no Opus, AC-3 or E-AC-3. AV1 and VP9 have one form only.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { concat } from '../../codecs/bytes.ts';
import { EcmaArray, serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { type AudioTagForm, audioTagForm } from '../../codecs/flv/audio-tag.ts';
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
import type { AudioTrack, Track } from '../../codecs/track.ts';
import {
  ChunkStreamId,
  continuationHeader,
  messageHeaderLength,
  serializeMessage,
  writeMessageHeader,
} from '../../protocols/rtmp/chunk-writer.ts';
import { MessageType } from '../../protocols/rtmp/message.ts';
import { SERVER_CHUNK_SIZE } from '../../protocols/rtmp/server-session.ts';
import { SessionClock } from '../../protocols/rtmp/session-clock.ts';
import type { Framer } from './fan-out.ts';

const MESSAGE_STREAM_ID = 1;
/** Who we are, in onMetaData. */
const ENCODER = 'Sluice';

export interface FramedFile {
  readonly durationMs: number;
  /** What is 0 for the player. */
  readonly baseUs: number;
}

export class RtmpFramer implements Framer {
  readonly #hevcForm: HevcForm;
  readonly #file: FramedFile | undefined;
  readonly #clock: SessionClock;
  readonly #tagHeader = new Uint8Array(MAX_VIDEO_TAG_HEADER_BYTES);
  #videoForm: VideoTagForm | undefined;
  #audioForm: AudioTagForm | undefined;
  #header: Uint8Array | undefined;

  /** `file`: of what is not live. */
  constructor(hevcForm: HevcForm, file?: FramedFile) {
    this.#hevcForm = hevcForm;
    this.#file = file;
    this.#clock = new SessionClock(file?.baseUs);
  }

  start(tracks: readonly Track[]): void {
    const video = tracks.find((track) => track.kind === 'video');
    const audio = tracks.find((track) => track.kind === 'audio');
    this.#videoForm = video && videoTagForm(video.codec, this.#hevcForm);
    this.#audioForm = audio && this.#formOf(audio);
    this.#header = this.#headerOf(
      tracks.filter((track) => track.kind === 'video' || this.#audioForm !== undefined),
    );
  }

  header(): Uint8Array | undefined {
    return this.#header;
  }

  frame(unit: AccessUnit): Uint8Array | undefined {
    const isVideo = unit.track.kind === 'video';
    const form = isVideo ? this.#videoForm : this.#audioForm;
    if (form === undefined) return undefined;
    const timestampMs = this.#clock.timestampMs(unit, this.#videoForm !== undefined);
    if (timestampMs === undefined) return undefined;
    const tagHeader = 'frameHeader' in form ? form.frameHeader : this.#pictureHeader(form, unit);
    return isVideo
      ? message(ChunkStreamId.video, MessageType.video, timestampMs >>> 0, tagHeader, unit.data)
      : message(ChunkStreamId.audio, MessageType.audio, timestampMs >>> 0, tagHeader, unit.data);
  }

  /** Valid until the next picture. */
  #pictureHeader(form: VideoTagForm, unit: AccessUnit): Uint8Array {
    const compositionTimeMs = this.#clock.compositionTimeMs(unit);
    writeVideoHeader(this.#tagHeader, 0, form, unit.randomAccess, compositionTimeMs);
    return this.#tagHeader.subarray(0, videoHeaderLength(form, compositionTimeMs));
  }

  #formOf(track: AudioTrack): AudioTagForm | undefined {
    const isEnhanced = track.codec === 'opus' || track.codec === 'ac3' || track.codec === 'eac3';
    return isEnhanced && this.#hevcForm !== 'enhanced' ? undefined : audioTagForm(track);
  }

  /** onMetaData and sequence headers, at the time 0: the same bytes for the same tracks. */
  #headerOf(tracks: readonly Track[]): Uint8Array {
    const { entries } = streamMetadata(tracks, this.#hevcForm, ENCODER);
    const duration = (this.#file?.durationMs ?? 0) / 1000;
    const metadata = serializeAmf0('onMetaData', new EcmaArray({ ...entries, duration }));
    const parts = [headerMessage(ChunkStreamId.data, MessageType.dataAmf0, metadata)];
    for (const track of tracks) {
      const body = sequenceHeader(track, this.#hevcForm);
      if (body === undefined) continue;
      parts.push(
        track.kind === 'video'
          ? headerMessage(ChunkStreamId.video, MessageType.video, body)
          : headerMessage(ChunkStreamId.audio, MessageType.audio, body),
      );
    }
    return concat(...parts);
  }
}

function headerMessage(chunkStreamId: number, typeId: number, payload: Uint8Array): Uint8Array {
  const header = { typeId, timestampMs: 0, messageStreamId: MESSAGE_STREAM_ID, payload };
  return serializeMessage(header, chunkStreamId, SERVER_CHUNK_SIZE);
}

/** The one copy for all viewers. `tagHeader` is shorter than a chunk. */
function message(
  chunkStreamId: number,
  typeId: number,
  timestampMs: number,
  tagHeader: Uint8Array,
  data: Uint8Array,
): Buffer {
  const bodyLength = tagHeader.length + data.length;
  const continuation = continuationHeader(chunkStreamId, timestampMs);
  const continuations = Math.max(0, Math.ceil(bodyLength / SERVER_CHUNK_SIZE) - 1);
  const bytes = Buffer.allocUnsafe(
    messageHeaderLength(chunkStreamId, timestampMs) +
      bodyLength +
      continuations * continuation.length,
  );
  const header = { typeId, timestampMs, messageStreamId: MESSAGE_STREAM_ID };
  let at = writeMessageHeader(bytes, 0, chunkStreamId, header, bodyLength);
  bytes.set(tagHeader, at);
  at += tagHeader.length;
  let done = Math.min(SERVER_CHUNK_SIZE - tagHeader.length, data.length);
  bytes.set(data.subarray(0, done), at);
  at += done;
  while (done < data.length) {
    bytes.set(continuation, at);
    at += continuation.length;
    const piece = data.subarray(done, done + SERVER_CHUNK_SIZE);
    bytes.set(piece, at);
    at += piece.length;
    done += piece.length;
  }
  return bytes;
}
