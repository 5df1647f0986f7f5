/** One viewer's RTSP connection to a simulated camera: RFC 2326, TCP only, no more than ffmpeg and the gateway ask of it. */
import type { Socket } from 'node:net';
import { AUDIO_CONFIG_HEX, AUDIO_SAMPLE_RATE, PPS, SPS } from './media.ts';
import type { RtpBurst } from './rtp-burst.ts';
import type { Stamp } from './stamp.ts';

export const VIDEO_PAYLOAD_TYPE = 96;
export const AUDIO_PAYLOAD_TYPE = 97;
export const VIDEO_CLOCK_RATE = 90_000;

/** Seconds from 1900 to 1970, RFC 3550 §4. */
const NTP_EPOCH_SECONDS = 2_208_988_800;
const SENDER_REPORT_BYTES = 28;

export interface TrackTiming {
  readonly ssrcBase: number;
  readonly intervalUs: number;
  readonly ticksPerUnit: number;
}

export interface TrackState {
  channel: number;
  unit: number;
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

export class Viewer {
  camera = 0;
  readonly video: TrackState = newTrackState(256 * 1024);
  readonly audio: TrackState = newTrackState(2048);
  readonly #socket: Socket;
  readonly #cameraCount: number;
  readonly #onPlay: () => void;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, cameraCount: number, onPlay: (viewer: Viewer) => void) {
    this.#socket = socket;
    this.#cameraCount = cameraCount;
    this.#onPlay = () => onPlay(this);
    socket.on('data', (chunk: Buffer) => this.#push(chunk));
  }

  get behindBytes(): number {
    return this.#socket.writableLength;
  }

  send(state: TrackState, track: TrackTiming, burst: RtpBurst, stamp: Stamp): void {
    const rtp = {
      channel: state.channel,
      sequenceNumber: state.packets,
      timestamp: state.unit * track.ticksPerUnit,
      ssrc: track.ssrcBase + this.camera,
    };
    this.#socket.write(burst.fill(state.scratch, rtp, stamp));
    // The socket still reads it: the next access unit needs memory of its own.
    if (this.#socket.writableLength > 0) state.scratch = Buffer.alloc(state.scratch.length);
  }

  /** RFC 3550 §6.4.1. */
  sendReport(state: TrackState, track: TrackTiming): void {
    const report = Buffer.alloc(4 + SENDER_REPORT_BYTES);
    report[0] = 0x24;
    report[1] = state.channel + 1;
    report.writeUInt16BE(SENDER_REPORT_BYTES, 2);
    report.set([0x80, 200, 0, 6], 4);
    report.writeUInt32BE(track.ssrcBase + this.camera, 8);
    const nowMs = Date.now();
    report.writeUInt32BE((Math.floor(nowMs / 1000) + NTP_EPOCH_SECONDS) >>> 0, 12);
    report.writeUInt32BE(Math.floor(((nowMs % 1000) / 1000) * 2 ** 32), 16);
    report.writeUInt32BE((state.unit * track.ticksPerUnit) >>> 0, 20);
    report.writeUInt32BE(state.packets >>> 0, 24);
    this.#socket.write(report);
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
      this.#serve(bytes.toString('latin1', 0, end));
    }
  }

  #serve(request: string): void {
    const [method = '', url = ''] = request.split(' ');
    const { status = '200 OK', headers = [], body = '' } = this.#answer(method, url, request);
    const fixed = [`CSeq: ${header(request, 'CSeq')}`, 'Session: 1;timeout=60'];
    const lines = [`RTSP/1.0 ${status}`, ...fixed, ...headers, `Content-Length: ${body.length}`];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    if (method === 'PLAY') this.#onPlay();
    if (method === 'TEARDOWN') this.#socket.end();
  }

  #answer(method: string, url: string, request: string): Answer {
    const camera = Number(/^rtsp:\/\/[^/]+\/(\d+)/.exec(url)?.[1] ?? Number.NaN);
    if (!(camera < this.#cameraCount)) return { status: '404 Not Found' };
    this.camera = camera;
    switch (method) {
      case 'OPTIONS':
        return { headers: ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN'] };
      case 'DESCRIBE':
        return {
          headers: ['Content-Type: application/sdp', `Content-Base: ${url}/`],
          body: description(),
        };
      case 'SETUP':
        return this.#setUp(url, header(request, 'Transport'));
      default:
        return {};
    }
  }

  #setUp(url: string, wanted: string): Answer {
    const channel = Number(/TCP.*interleaved=(\d+)/.exec(wanted)?.[1] ?? Number.NaN);
    if (Number.isNaN(channel)) return { status: '461 Unsupported Transport' };
    const state = url.includes('track=1') ? this.video : this.audio;
    state.channel = channel;
    const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
    return { headers: [`Transport: ${transport}`] };
  }
}

function newTrackState(bytes: number): TrackState {
  return { channel: 0, unit: 0, packets: 0, nextReportUs: 0, scratch: Buffer.alloc(bytes) };
}

function header(request: string, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(request)?.[1] ?? '';
}

function description(): string {
  const parameterSets = `${SPS.toString('base64')},${PPS.toString('base64')}`;
  const profile = SPS.toString('hex', 1, 4);
  const aac = 'streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3';
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=bench',
    't=0 0',
    `m=video 0 RTP/AVP ${VIDEO_PAYLOAD_TYPE}`,
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:${VIDEO_PAYLOAD_TYPE} H264/${VIDEO_CLOCK_RATE}`,
    `a=fmtp:${VIDEO_PAYLOAD_TYPE} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${parameterSets}`,
    'a=control:track=1',
    `m=audio 0 RTP/AVP ${AUDIO_PAYLOAD_TYPE}`,
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:${AUDIO_PAYLOAD_TYPE} mpeg4-generic/${AUDIO_SAMPLE_RATE}/1`,
    `a=fmtp:${AUDIO_PAYLOAD_TYPE} ${aac};indexdeltalength=3;config=${AUDIO_CONFIG_HEX}`,
    'a=control:track=2',
    '',
  ].join('\r\n');
}
