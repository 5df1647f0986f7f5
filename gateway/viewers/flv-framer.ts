/**
 * Access units → FLV tags for players over HTTP and WebSocket: each in one block of its own, with the PreviousTagSize
 * behind it and the time of the stream. The file header comes once for each viewer and is not made here.
 *
 * H.265, AV1 and VP9, Opus and AC-3 have the form of enhanced RTMP v2, as mpegts.js and ffmpeg read it.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { concat } from '../../codecs/bytes.ts';
import { serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { audioTagForm } from '../../codecs/flv/audio-tag.ts';
import { streamMetadata } from '../../codecs/flv/metadata.ts';
import { sequenceHeader } from '../../codecs/flv/sequence-header.ts';
import {
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_BYTES,
  FlvTagType,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../codecs/flv/tag.ts';
import {
  type VideoTagForm,
  videoHeaderLength,
  videoTagForm,
  writeVideoHeader,
} from '../../codecs/flv/video-tag.ts';
import type { Track } from '../../codecs/track.ts';
import { SessionClock } from '../../protocols/rtmp/session-clock.ts';
import type { Framer } from './fan-out.ts';

const HEVC_FORM = 'enhanced';
/** Who we are, in onMetaData. */
const ENCODER = 'Sluice';
const NOTHING = new Uint8Array(0);

/** What a transport puts before each block. */
export interface Envelope {
  headerBytes(payloadBytes: number): number;
  writeHeader(target: Uint8Array, at: number, payloadBytes: number): void;
}

/** The body goes on from the connection's beginning to its end. */
export const NO_ENVELOPE: Envelope = { headerBytes: () => 0, writeHeader: () => undefined };

export class FlvFramer implements Framer {
  readonly #envelope: Envelope;
  readonly #clock = new SessionClock();
  #videoForm: VideoTagForm | undefined;
  #audioHeader: Uint8Array | undefined;
  #header: Uint8Array = NOTHING;

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
  }

  start(tracks: readonly Track[]): void {
    this.#videoForm = undefined;
    this.#audioHeader = undefined;
    for (const track of tracks) {
      if (track.kind === 'video') this.#videoForm = videoTagForm(track.codec, HEVC_FORM);
      else this.#audioHeader = audioTagForm(track)?.frameHeader;
    }
    this.#header = this.#headerOf(tracks.filter(isCarriedInFlv));
  }

  header(): Uint8Array {
    return this.#header;
  }

  frame(unit: AccessUnit): Uint8Array | undefined {
    const form = unit.track.kind === 'video' ? this.#videoForm : this.#audioHeader;
    if (form === undefined) return undefined;
    const timestampMs = this.#clock.timestampMs(unit, this.#videoForm !== undefined);
    if (timestampMs === undefined) return undefined;
    if ('codecId' in form) return this.#picture(unit, form, timestampMs);
    const { data } = unit;
    const { bytes, bodyAt } = this.#beginTag(
      FlvTagType.audio,
      timestampMs,
      form.length + data.length,
    );
    bytes.set(form, bodyAt);
    bytes.set(data, bodyAt + form.length);
    return bytes;
  }

  #picture(unit: AccessUnit, form: VideoTagForm, timestampMs: number): Uint8Array {
    const { data, randomAccess } = unit;
    const compositionTimeMs = this.#clock.compositionTimeMs(unit);
    const headerLength = videoHeaderLength(form, compositionTimeMs);
    const { bytes, bodyAt } = this.#beginTag(
      FlvTagType.video,
      timestampMs,
      headerLength + data.length,
    );
    writeVideoHeader(bytes, bodyAt, form, randomAccess, compositionTimeMs);
    bytes.set(data, bodyAt + headerLength);
    return bytes;
  }

  /** A tag whose body is still to be written, in its envelope. */
  #beginTag(type: number, timestampMs: number, dataSize: number) {
    const tagBytes = FLV_TAG_HEADER_BYTES + dataSize + FLV_PREVIOUS_TAG_SIZE_BYTES;
    const envelopeBytes = this.#envelope.headerBytes(tagBytes);
    const bytes = Buffer.allocUnsafe(envelopeBytes + tagBytes);
    this.#envelope.writeHeader(bytes, 0, tagBytes);
    writeFlvTagHeader(bytes, envelopeBytes, type, dataSize, timestampMs >>> 0);
    writeFlvPreviousTagSize(bytes, bytes.length - FLV_PREVIOUS_TAG_SIZE_BYTES, dataSize);
    return { bytes, bodyAt: envelopeBytes + FLV_TAG_HEADER_BYTES };
  }

  /** onMetaData and sequence headers, at the time 0: the same bytes for the same tracks. */
  #headerOf(tracks: readonly Track[]): Uint8Array {
    const metadata = serializeAmf0('onMetaData', streamMetadata(tracks, HEVC_FORM, ENCODER));
    const parts = [this.#wholeTag(FlvTagType.scriptData, metadata)];
    for (const track of tracks) {
      const body = sequenceHeader(track, HEVC_FORM);
      if (body !== undefined) parts.push(this.#wholeTag(FlvTagType[track.kind], body));
    }
    return concat(...parts);
  }

  #wholeTag(type: number, body: Uint8Array): Uint8Array {
    const { bytes, bodyAt } = this.#beginTag(type, 0, body.length);
    bytes.set(body, bodyAt);
    return bytes;
  }
}

export function isCarriedInFlv(track: Track): boolean {
  return track.kind === 'video' || audioTagForm(track) !== undefined;
}
