/**
 * A FLV file that is being recorded. It can be read at any moment: tags are only ever added. What is known at the end
 * only, the duration and the places of the keyframes, is patched into onMetaData when the file is closed.
 */
import type { FileHandle } from 'node:fs/promises';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { equalBytes } from '../../codecs/bytes.ts';
import { codecName } from '../../codecs/codec-name.ts';
import { EcmaArray } from '../../codecs/flv/amf0.ts';
import { audioTagForm } from '../../codecs/flv/audio-tag.ts';
import { streamMetadata } from '../../codecs/flv/metadata.ts';
import {
  type FlvKeyframe,
  MAX_RECORDED_KEYFRAMES,
  serializeRecordedMetadata,
} from '../../codecs/flv/recorded-metadata.ts';
import { sequenceHeader } from '../../codecs/flv/sequence-header.ts';
import {
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_BYTES,
  FlvTagType,
  flvFileHeader,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../codecs/flv/tag.ts';
import {
  MAX_VIDEO_TAG_HEADER_BYTES,
  videoHeaderLength,
  videoTagForm,
  writeVideoHeader,
} from '../../codecs/flv/video-tag.ts';
import type { AudioTrack, Track, VideoTrack } from '../../codecs/track.ts';
import { SessionClock } from '../../protocols/rtmp/session-clock.ts';
import { FileRanges } from '../vod/file-ranges.ts';
import { SeekIndex } from '../vod/seek-index.ts';
import { FileAppender } from './file-appender.ts';
import { type FlvTail, findFlvTail, wholeTagsEnd } from './flv-tail.ts';
import { CannotContinueError, RECORDER_MARK, type RecordingFile } from './recording-file.ts';

/** H.265 in a file: what a specification has, and current players read. */
const HEVC_FORM = 'enhanced';
/** Behind the file header and the first PreviousTagSize. */
const METADATA_TAG_AT = 13;
const FLAGS_AT = 4;

export class FlvRecording implements RecordingFile {
  readonly #handle: FileHandle;
  readonly #appender: FileAppender;
  readonly #encoder: string;
  readonly #clock = new SessionClock();
  readonly #head = new Uint8Array(FLV_TAG_HEADER_BYTES + MAX_VIDEO_TAG_HEADER_BYTES);
  readonly #tail = new Uint8Array(FLV_PREVIOUS_TAG_SIZE_BYTES);
  readonly #keyframes = new SeekIndex<FlvKeyframe>(MAX_RECORDED_KEYFRAMES);
  /** Where onMetaData is and has room for everything; a file by others has only a duration to patch, or nothing. */
  readonly #patch: FlvTail['patch'];
  /** Where the time of the first unit lies. */
  readonly #baseMs: number;
  /** Who seeks to a place of the index has the first sequence headers only: with others, there is none. */
  #isIndexable: boolean;
  readonly #firstHeaders: { video: Uint8Array | undefined; audio: Uint8Array | undefined };
  readonly #sentHeaders: { video?: Uint8Array | undefined; audio?: Uint8Array | undefined } = {};
  /** Whose headers those are. */
  readonly #sentTracks: { video?: Track; audio?: Track } = {};
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #audioHeader: Uint8Array | undefined;
  #endMs: number;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    handle: FileHandle,
    tail: FlvTail,
    encoder: string,
    onFailure: (error: unknown) => void,
  ) {
    this.#handle = handle;
    this.#encoder = encoder;
    this.#patch = tail.patch;
    this.#baseMs = tail.nextMs;
    this.#endMs = tail.nextMs;
    this.#isIndexable = tail.isIndexable;
    this.#firstHeaders = { video: tail.videoHeader, audio: tail.audioHeader };
    for (const keyframe of tail.keyframes) this.#keyframes.add(keyframe);
    this.#appender = new FileAppender(handle, tail.end, (error) => {
      this.#failure = { error };
      onFailure(error);
    });
  }

  /** `handle`: of an empty file. Throws when the disk does not take its beginning. */
  static async create(
    handle: FileHandle,
    tracks: readonly Track[],
    encoder: string,
    onFailure: (error: unknown) => void,
  ): Promise<FlvRecording> {
    const flv = new FlvRecording(handle, NOTHING_YET, encoder, onFailure);
    const hasVideo = tracks.some(({ kind }) => kind === 'video');
    const hasAudio = tracks.some(({ kind }) => kind === 'audio');
    flv.#take(tracks);
    flv.#appender.append(flvFileHeader(hasVideo, hasAudio));
    flv.#appendTag(FlvTagType.scriptData, 0, flv.#metadata());
    await flv.#appender.drained();
    if (flv.#failure !== undefined) throw flv.#failure.error;
    return flv;
  }

  /** Goes on behind the last whole tag; what is torn behind it is cut off. Throws CannotContinueError. */
  static async continue(
    handle: FileHandle,
    tracks: readonly Track[],
    encoder: string,
    onFailure: (error: unknown) => void,
  ): Promise<FlvRecording> {
    const { size } = await handle.stat();
    const tail = await findFlvTail(new FileRanges(handle, size));
    if (tail === undefined) throw new CannotContinueError('it is no FLV file');
    if (tail.end < size) await handle.truncate(tail.end);
    const flv = new FlvRecording(handle, tail, encoder, onFailure);
    flv.#take(tracks);
    return flv;
  }

  get byteLength(): number {
    return this.#appender.position;
  }

  get backlogBytes(): number {
    return this.#appender.backlogBytes;
  }

  get leftOut(): readonly string[] {
    const audio = this.#audio;
    if (audio === undefined || this.#audioHeader !== undefined) return [];
    const { sampleRate, channels } = audio;
    const words = `FLV has no form for it with ${sampleRate} Hz and ${channels} channels`;
    return [`audio ${codecName(audio)} (${words})`];
  }

  /** FLV takes another track at any time. */
  takes(): boolean {
    return true;
  }

  write(unit: AccessUnit): void {
    const { track } = unit;
    if (track !== this.#video && track !== this.#audio) this.#take([track]);
    const sinceMs = this.#clock.timestampMs(unit, this.#video !== undefined);
    if (sinceMs === undefined) return;
    const timestampMs = this.#baseMs + sinceMs;
    if (track.kind === 'video') this.#writePicture(unit, track, timestampMs);
    else if (this.#audioHeader !== undefined) {
      this.#writeHeader('audio', FlvTagType.audio, track, timestampMs);
      this.#appendTag(FlvTagType.audio, timestampMs, unit.data, this.#audioHeader);
    }
    this.#endMs = Math.max(this.#endMs, timestampMs);
  }

  flush(): void {
    this.#appender.flush();
  }

  async close(): Promise<void> {
    try {
      await this.#appender.drained();
      const isWhole = this.#failure === undefined;
      const size = isWhole ? this.#appender.position : await this.#cutTorn();
      await this.#patchEnd(size);
      await this.#handle.datasync();
    } catch {
      // The disk has failed, and that was told when it did. All that is in the file can be read without a patch.
    } finally {
      await this.#handle.close().catch(() => undefined);
    }
  }

  #take(tracks: readonly Track[]): void {
    for (const track of tracks) {
      if (track.kind === 'video') this.#video = track;
      else {
        this.#audio = track;
        this.#audioHeader = audioTagForm(track)?.frameHeader;
      }
    }
  }

  #writePicture(unit: AccessUnit, track: VideoTrack, timestampMs: number): void {
    const form = videoTagForm(track.codec, HEVC_FORM);
    this.#writeHeader('video', FlvTagType.video, track, timestampMs);
    if (unit.randomAccess) {
      this.#keyframes.add({ timeMs: timestampMs, position: this.#appender.position });
    }
    const compositionTimeMs = this.#clock.compositionTimeMs(unit);
    const headerLength = videoHeaderLength(form, compositionTimeMs);
    const header = this.#head.subarray(FLV_TAG_HEADER_BYTES, FLV_TAG_HEADER_BYTES + headerLength);
    writeVideoHeader(header, 0, form, unit.randomAccess, compositionTimeMs);
    this.#appendTag(FlvTagType.video, timestampMs, unit.data, header);
  }

  /** Once in each recording, and when it has changed. */
  #writeHeader(kind: 'video' | 'audio', type: number, track: Track, timestampMs: number): void {
    if (this.#sentTracks[kind] === track) return;
    this.#sentTracks[kind] = track;
    const header = sequenceHeader(track, HEVC_FORM);
    const before = this.#sentHeaders[kind];
    if (header === undefined || (before !== undefined && equalBytes(header, before))) return;
    this.#sentHeaders[kind] = header;
    // Behind the first GOP nobody looks for it.
    const isLate = this.#firstHeaders[kind] === undefined && this.#keyframes.points.length > 1;
    if (isLate) this.#isIndexable = false;
    this.#firstHeaders[kind] ??= header;
    if (!equalBytes(header, this.#firstHeaders[kind] ?? header)) this.#isIndexable = false;
    this.#appendTag(type, timestampMs, header);
  }

  #appendTag(
    type: number,
    timestampMs: number,
    data: Uint8Array,
    bodyHeader: Uint8Array = EMPTY,
  ): void {
    const dataSize = bodyHeader.length + data.length;
    const appender = this.#appender;
    writeFlvTagHeader(this.#head, 0, type, dataSize, timestampMs >>> 0);
    appender.append(this.#head.subarray(0, FLV_TAG_HEADER_BYTES));
    appender.append(bodyHeader);
    appender.append(data);
    writeFlvPreviousTagSize(this.#tail, 0, dataSize);
    appender.append(this.#tail);
  }

  #metadata(durationMs = 0, fileBytes = 0, keyframes: readonly FlvKeyframe[] = []): Uint8Array {
    const tracks = [this.#video, this.#audio].filter((track) => track !== undefined);
    const known = streamMetadata(tracks, HEVC_FORM, this.#encoder);
    const marked = new EcmaArray({ ...known.entries, recorder: RECORDER_MARK });
    return serializeRecordedMetadata(marked, durationMs, fileBytes, keyframes);
  }

  async #patchEnd(size: number): Promise<void> {
    const patch = this.#patch;
    if (patch.at === 'metadata') {
      const keyframes = this.#isIndexable ? this.#keyframes.points : [];
      const body = this.#metadata(this.#endMs, size, keyframes);
      await this.#handle.write(body, 0, body.length, METADATA_TAG_AT + FLV_TAG_HEADER_BYTES);
      // What is appended may have fewer tracks than what was there.
      const flags = new Uint8Array(1);
      await this.#handle.read(flags, 0, 1, FLAGS_AT);
      const [before = 0] = flags;
      flags[0] = before | (this.#audio === undefined ? 0 : 4) | (this.#video === undefined ? 0 : 1);
      await this.#handle.write(flags, 0, 1, FLAGS_AT);
    } else if (patch.at === 'duration') {
      const seconds = new DataView(new ArrayBuffer(8));
      seconds.setFloat64(0, this.#endMs / 1000);
      await this.#handle.write(new Uint8Array(seconds.buffer), 0, 8, patch.position);
    }
  }

  /** After a failure: where the last whole tag ends, and the file with it. */
  async #cutTorn(): Promise<number> {
    const { size } = await this.#handle.stat();
    const from = this.#keyframes.points.findLast(({ position }) => position < size)?.position;
    const tail = await wholeTagsEnd(new FileRanges(this.#handle, size), from);
    if (tail.endMs > 0) this.#endMs = tail.endMs;
    await this.#handle.truncate(tail.end);
    return tail.end;
  }
}

const EMPTY = new Uint8Array(0);

const NOTHING_YET: FlvTail = {
  end: 0,
  nextMs: 0,
  patch: { at: 'metadata' },
  keyframes: [],
  isIndexable: true,
  videoHeader: undefined,
  audioHeader: undefined,
};
