/** One viewer's RTSP connection to a simulated camera: RFC 2326, no more than ffmpeg and the gateway ask of it. */
import type { Socket } from 'node:net';
import { type CameraMedia, VIDEO_CLOCK_RATE } from './camera-media.ts';
import { AUDIO_FRAME_SAMPLES, FRAMES_PER_SECOND } from './media.ts';
import type { MediaKind, Recipient } from './pacing.ts';
import { INTERLEAVED_HEADER } from './rtp-burst.ts';
import { InterleavedOutlet, type RtpOutlet, UdpOutlet } from './rtp-outlet.ts';
import type { Stamp } from './stamp.ts';

/** Seconds from 1900 to 1970, RFC 3550 §4. */
const NTP_EPOCH_SECONDS = 2_208_988_800;
const SENDER_REPORT_BYTES = 28;
const SENDER_REPORT_EVERY_US = 5_000_000;
/** A viewer that is this far behind loses what comes next: a camera has no more memory than that. */
const MAX_BEHIND_BYTES = 2 * 1024 * 1024;

interface Track {
  readonly ssrcBase: number;
  readonly ticksPerUnit: number;
  outlet: RtpOutlet | undefined;
  packets: number;
  nextReportUs: number;
  /** Where bursts are made ready; larger than any. */
  scratch: Buffer;
}

interface Answer {
  readonly status?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

export class Viewer implements Recipient {
  camera = 0;
  readonly #tracks: Readonly<Record<MediaKind, Track>>;
  readonly #socket: Socket;
  readonly #cameraCount: number;
  readonly #media: CameraMedia;
  readonly #onPlay: () => void;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, cameraCount: number, media: CameraMedia, onPlay: () => void) {
    this.#socket = socket;
    this.#cameraCount = cameraCount;
    this.#media = media;
    const { slowness } = media;
    this.#tracks = {
      video: newTrack(0x10000000, (slowness * VIDEO_CLOCK_RATE) / FRAMES_PER_SECOND, 256 * 1024),
      audio: newTrack(0x20000000, slowness * AUDIO_FRAME_SAMPLES, 2048),
    };
    this.#onPlay = onPlay;
    socket.on('data', (chunk: Buffer) => this.#push(chunk));
  }

  send(kind: MediaKind, stamp: Stamp): boolean {
    const track = this.#tracks[kind];
    const { outlet } = track;
    const burst = this.#media.bursts[kind][stamp.template];
    if (outlet === undefined || burst === undefined) return false;
    if (stamp.sentAtUs >= track.nextReportUs) {
      outlet.sendReport(this.#senderReport(track, stamp.unit));
      track.nextReportUs = stamp.sentAtUs + SENDER_REPORT_EVERY_US;
    }
    const hasRoom = outlet.behindBytes <= MAX_BEHIND_BYTES;
    if (hasRoom) {
      const rtp = {
        sequenceNumber: track.packets,
        timestamp: stamp.unit * track.ticksPerUnit,
        ssrc: track.ssrcBase + this.camera,
      };
      outlet.sendPackets(burst.fill(track.scratch, rtp, stamp), burst.packetOffsets);
      if (outlet.behindBytes > 0) track.scratch = Buffer.alloc(track.scratch.length);
    }
    track.packets += burst.packetOffsets.length;
    return hasRoom;
  }

  close(): void {
    for (const { outlet } of Object.values(this.#tracks)) outlet?.close();
  }

  /** RFC 3550 §6.4.1, behind an interleaved header. */
  #senderReport(track: Track, unit: number): Buffer {
    const report = Buffer.alloc(INTERLEAVED_HEADER + SENDER_REPORT_BYTES);
    report[0] = 0x24;
    report.writeUInt16BE(SENDER_REPORT_BYTES, 2);
    report.set([0x80, 200, 0, 6], 4);
    report.writeUInt32BE(track.ssrcBase + this.camera, 8);
    const nowMs = Date.now();
    report.writeUInt32BE((Math.floor(nowMs / 1000) + NTP_EPOCH_SECONDS) >>> 0, 12);
    report.writeUInt32BE(Math.floor(((nowMs % 1000) / 1000) * 2 ** 32), 16);
    report.writeUInt32BE((unit * track.ticksPerUnit) >>> 0, 20);
    report.writeUInt32BE(track.packets >>> 0, 24);
    return report;
  }

  #push(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const bytes = this.#received;
      if (bytes[0] === 0x24) {
        // A receiver report.
        if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt16BE(2)) return;
        this.#received = bytes.subarray(4 + bytes.readUInt16BE(2));
        continue;
      }
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#received = bytes.subarray(end + 4);
      // Viewers wait for the answer before they ask again.
      void this.#serve(bytes.toString('latin1', 0, end));
    }
  }

  async #serve(request: string): Promise<void> {
    const [method = '', url = ''] = request.split(' ');
    const { status = '200 OK', headers = [], body = '' } = await this.#answer(method, url, request);
    const fixed = [`CSeq: ${header(request, 'CSeq')}`, 'Session: 1;timeout=60'];
    const lines = [`RTSP/1.0 ${status}`, ...fixed, ...headers, `Content-Length: ${body.length}`];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    if (method === 'PLAY') this.#onPlay();
    if (method === 'TEARDOWN') this.#socket.end();
  }

  async #answer(method: string, url: string, request: string): Promise<Answer> {
    const camera = Number(/^rtsp:\/\/[^/]+\/(\d+)/.exec(url)?.[1] ?? Number.NaN);
    if (!(camera < this.#cameraCount)) return { status: '404 Not Found' };
    this.camera = camera;
    switch (method) {
      case 'OPTIONS':
        return { headers: ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN'] };
      case 'DESCRIBE':
        return {
          headers: ['Content-Type: application/sdp', `Content-Base: ${url}/`],
          body: this.#media.description,
        };
      case 'SETUP':
        return await this.#setUp(url, header(request, 'Transport'));
      default:
        return {};
    }
  }

  async #setUp(url: string, wanted: string): Promise<Answer> {
    const [, channel] = /TCP.*interleaved=(\d+)/.exec(wanted) ?? [];
    const [, rtpPort, rtcpPort] = /client_port=(\d+)-(\d+)/.exec(wanted) ?? [];
    let outlet: RtpOutlet;
    if (channel !== undefined) outlet = new InterleavedOutlet(this.#socket, Number(channel));
    else if (rtpPort !== undefined)
      outlet = await UdpOutlet.open(Number(rtpPort), Number(rtcpPort));
    else return { status: '461 Unsupported Transport' };
    this.#tracks[url.includes('track=1') ? 'video' : 'audio'].outlet = outlet;
    return { headers: [`Transport: ${outlet.transport}`] };
  }
}

function newTrack(ssrcBase: number, ticksPerUnit: number, scratchBytes: number): Track {
  const scratch = Buffer.alloc(scratchBytes);
  return { ssrcBase, ticksPerUnit, outlet: undefined, packets: 0, nextReportUs: 0, scratch };
}

function header(request: string, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(request)?.[1] ?? '';
}
