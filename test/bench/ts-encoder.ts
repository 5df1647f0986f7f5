/** An encoder that sends MPEG-TS to a UDP port, seven packets in a datagram, whether anyone listens or not. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  AUDIO_FRAME_SAMPLES,
  AUDIO_SAMPLE_RATE,
  AUDIO_STAMP_OFFSET,
  audioTemplates,
  FRAMES_PER_SECOND,
  VIDEO_STAMP_OFFSET,
  videoTemplates,
} from './media.ts';
import type { MediaKind, Recipient } from './pacing.ts';
import type { Stamp } from './stamp.ts';
import { Continuity, TS_PACKET_BYTES, TsBurst } from './ts-burst.ts';

/** Fits an Ethernet frame. */
const DATAGRAM_BYTES = 7 * TS_PACKET_BYTES;
const CLOCK_RATE = 90_000;
/** DVB asks for tables every 100 ms (ETSI TR 101 290 §5.2.1). */
const TABLES_EVERY_FRAMES = 2;
const MAX_BURST_BYTES = 256 * 1024;

const TICKS_PER_UNIT: Readonly<Record<MediaKind, number>> = {
  video: CLOCK_RATE / FRAMES_PER_SECOND,
  audio: (AUDIO_FRAME_SAMPLES * CLOCK_RATE) / AUDIO_SAMPLE_RATE,
};

export type TsMedia = Readonly<Record<MediaKind, readonly TsBurst[]>>;

export function tsMedia(videoBitsPerSecond: number): TsMedia {
  const video = videoTemplates('h264', videoBitsPerSecond).map((slice, index) =>
    TsBurst.video(slice, index === 0, index % TABLES_EVERY_FRAMES === 0, VIDEO_STAMP_OFFSET),
  );
  return {
    video,
    audio: audioTemplates().map((frame) => TsBurst.audio(frame, AUDIO_STAMP_OFFSET)),
  };
}

export class TsEncoder implements Recipient {
  readonly camera: number;
  readonly #media: TsMedia;
  readonly #socket: Socket;
  readonly #continuity = new Continuity();
  #scratch = Buffer.alloc(MAX_BURST_BYTES);

  private constructor(camera: number, media: TsMedia, socket: Socket) {
    this.camera = camera;
    this.#media = media;
    this.#socket = socket;
  }

  static async open(camera: number, port: number, media: TsMedia): Promise<TsEncoder> {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined); // Nobody listens yet, says ICMP.
    return new TsEncoder(camera, media, socket);
  }

  send(kind: MediaKind, stamp: Stamp): boolean {
    const burst = this.#media[kind][stamp.template];
    if (burst === undefined) return false;
    const ticks = stamp.unit * TICKS_PER_UNIT[kind];
    const bytes = burst.fill(this.#scratch, ticks, this.#continuity, stamp);
    for (let at = 0; at < bytes.length; at += DATAGRAM_BYTES) {
      this.#socket.send(bytes, at, Math.min(DATAGRAM_BYTES, bytes.length - at));
    }
    // What the socket still holds must not change under it.
    if (this.#socket.getSendQueueSize() > 0) this.#scratch = Buffer.alloc(MAX_BURST_BYTES);
    return true;
  }
}
