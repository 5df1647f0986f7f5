/** An encoder that publishes over RTMP, a write for each picture and each sound, as ffmpeg and OBS do. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { streamMetadata } from '../../codecs/flv/metadata.ts';
import { sequenceHeader } from '../../codecs/flv/sequence-header.ts';
import type { Track } from '../../codecs/track.ts';
import { ChunkStreamId, serializeMessage } from '../../protocols/rtmp/chunk-writer.ts';
import { MessageType } from '../../protocols/rtmp/message.ts';
import { PUBLISH_CHUNK_SIZE, PublishSession } from '../../protocols/rtmp/publish-session.ts';
import {
  AUDIO_CONFIG_HEX,
  AUDIO_FRAME_SAMPLES,
  AUDIO_SAMPLE_RATE,
  AUDIO_STAMP_OFFSET,
  audioTemplates,
  FRAMES_PER_SECOND,
  PARAMETER_SETS,
  VIDEO_STAMP_OFFSET,
  videoTemplates,
} from './media.ts';
import type { MediaKind, Recipient } from './pacing.ts';
import { type Stamp, writeStamp } from './stamp.ts';

/** Tag headers, FLV 10.1 §E.4: AVC or AAC, a frame, and of a picture its composition time and the length of its slice. */
export const RTMP_VIDEO_HEADER_BYTES = 5 + 4;
export const RTMP_AUDIO_HEADER_BYTES = 2;

const ANNOUNCED: readonly Track[] = [
  {
    kind: 'video',
    codec: 'h264',
    sps: PARAMETER_SETS.h264[0] ?? Buffer.alloc(0),
    pps: PARAMETER_SETS.h264[1] ?? Buffer.alloc(0),
  },
  {
    kind: 'audio',
    codec: 'aac',
    config: Buffer.from(AUDIO_CONFIG_HEX, 'hex'),
    sampleRate: AUDIO_SAMPLE_RATE,
    channels: 1,
  },
];
const MS_PER_UNIT: Readonly<Record<MediaKind, number>> = {
  video: 1000 / FRAMES_PER_SECOND,
  audio: (AUDIO_FRAME_SAMPLES * 1000) / AUDIO_SAMPLE_RATE,
};
const MESSAGES = {
  video: { typeId: MessageType.video, chunkStreamId: ChunkStreamId.video },
  audio: { typeId: MessageType.audio, chunkStreamId: ChunkStreamId.audio },
  data: { typeId: MessageType.dataAmf0, chunkStreamId: ChunkStreamId.data },
} as const;
/** An encoder that is this far behind loses what comes next. */
const MAX_BEHIND_BYTES = 2 * 1024 * 1024;
const DIAL_EVERY_MS = 200;

/** Message bodies, with blank stamps. */
export type RtmpMedia = Readonly<Record<MediaKind, readonly Buffer[]>>;

export function rtmpMedia(videoBitsPerSecond: number): RtmpMedia {
  const video = videoTemplates('h264', videoBitsPerSecond).map((slice, index) => {
    const header = Buffer.from([index === 0 ? 0x17 : 0x27, 1, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(slice.length, 5);
    return Buffer.concat([header, slice]);
  });
  const audio = audioTemplates().map((frame) => Buffer.concat([Buffer.from([0xaf, 1]), frame]));
  return { video, audio };
}

export class RtmpEncoder implements Recipient {
  readonly camera: number;
  readonly #media: RtmpMedia;
  readonly #socket: Socket;
  readonly #messageStreamId: number;
  #firstUnit: Stamp | undefined;

  private constructor(camera: number, media: RtmpMedia, socket: Socket, messageStreamId: number) {
    this.camera = camera;
    this.#media = media;
    this.#socket = socket;
    this.#messageStreamId = messageStreamId;
  }

  /** Calls until somebody is there and lets it publish. */
  static async open(camera: number, port: number, media: RtmpMedia): Promise<RtmpEncoder> {
    for (;;) {
      const encoder = await RtmpEncoder.#dial(camera, port, media);
      if (encoder !== undefined) return encoder;
      await sleep(DIAL_EVERY_MS);
    }
  }

  static #dial(camera: number, port: number, media: RtmpMedia): Promise<RtmpEncoder | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const tcUrl = `rtmp://127.0.0.1:${port}/live`;
      const session = new PublishSession(
        {
          app: 'live',
          tcUrl,
          streamName: `cam-${camera}`,
          publishType: 'live',
          flashVersion: 'FMLE/3.0 (compatible; bench)',
          swfUrl: undefined,
          pageUrl: undefined,
          credentials: undefined,
          authQuery: '',
          offered: [],
          via: [],
        },
        (bytes) => socket.write(bytes),
      );
      socket.on('connect', () => session.open());
      socket.on('data', (chunk) => {
        session.push(chunk);
        const { state } = session;
        if (state.at !== 'publishing') return;
        resolve(new RtmpEncoder(camera, media, socket, state.messageStreamId));
      });
      socket.on('error', () => undefined); // Nobody listens yet.
      socket.on('close', () => resolve(undefined));
    });
  }

  send(kind: MediaKind, stamp: Stamp): boolean {
    // As an encoder does, it begins with an IDR picture.
    if (this.#firstUnit === undefined) {
      if (kind === 'audio' || stamp.template !== 0) return true;
      this.#firstUnit = stamp;
      this.#announce();
    }
    if (!this.#socket.writable || this.#socket.writableLength > MAX_BEHIND_BYTES) return false;
    const body = this.#media[kind][stamp.template];
    if (body === undefined) return false;
    const offset =
      kind === 'video'
        ? RTMP_VIDEO_HEADER_BYTES + VIDEO_STAMP_OFFSET
        : RTMP_AUDIO_HEADER_BYTES + AUDIO_STAMP_OFFSET;
    const beginsAtMs = this.#firstUnit.unit * MS_PER_UNIT.video;
    const timestampMs = Math.max(0, Math.round(stamp.unit * MS_PER_UNIT[kind] - beginsAtMs));
    const bytes = this.#message(kind, timestampMs, body);
    // The chunk size holds any of these pictures but IDR pictures of the larger streams; a stamp lies in the first chunk.
    writeStamp(bytes, bytes.length - body.length - continuations(body) + offset, stamp);
    this.#socket.write(bytes);
    return true;
  }

  #announce(): void {
    const metadata = streamMetadata(ANNOUNCED, 'legacy12', 'bench');
    this.#socket.write(
      this.#message('data', 0, serializeAmf0('@setDataFrame', 'onMetaData', metadata)),
    );
    for (const track of ANNOUNCED) {
      const header = sequenceHeader(track, 'legacy12');
      if (header !== undefined) this.#socket.write(this.#message(track.kind, 0, header));
    }
  }

  #message(kind: keyof typeof MESSAGES, timestampMs: number, payload: Uint8Array): Uint8Array {
    const { typeId, chunkStreamId } = MESSAGES[kind];
    const message = { typeId, timestampMs, messageStreamId: this.#messageStreamId, payload };
    return serializeMessage(message, chunkStreamId, PUBLISH_CHUNK_SIZE);
  }
}

/** Bytes of type 3 chunk headers. */
function continuations(body: Uint8Array): number {
  return Math.ceil(body.length / PUBLISH_CHUNK_SIZE) - 1;
}
