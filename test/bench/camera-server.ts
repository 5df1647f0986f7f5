/**
 * N cameras behind one port, rtsp://127.0.0.1:PORT/0 to N-1. They keep time as cameras do: each sends an access unit in
 * one burst when it is due, at a phase of its own, whether anyone reads or not, and a viewer enters in mid-GOP.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  AUDIO_FRAME_SAMPLES,
  AUDIO_SAMPLE_RATE,
  AUDIO_STAMP_OFFSET,
  audioTemplates,
  FRAMES_PER_SECOND,
  GOP_FRAMES,
  PPS,
  SPS,
  VIDEO_STAMP_OFFSET,
  videoTemplates,
} from './media.ts';
import { RtpBurst } from './rtp-burst.ts';
import { nowUs } from './stamp.ts';
import {
  AUDIO_PAYLOAD_TYPE,
  type TrackState,
  type TrackTiming,
  VIDEO_CLOCK_RATE,
  VIDEO_PAYLOAD_TYPE,
  Viewer,
} from './viewer.ts';
import type { Window } from './window.ts';

const FRAME_US = 1_000_000 / FRAMES_PER_SECOND;
const AUDIO_FRAME_US = (AUDIO_FRAME_SAMPLES * 1_000_000) / AUDIO_SAMPLE_RATE;
const TICK_MS = 1;
const SENDER_REPORT_EVERY_US = 5_000_000;
/** A viewer that is this far behind loses what comes next: a camera has no more memory than that. */
const MAX_BEHIND_BYTES = 2 * 1024 * 1024;
const VIDEO: TrackTiming = {
  ssrcBase: 0x10000000,
  intervalUs: FRAME_US,
  ticksPerUnit: VIDEO_CLOCK_RATE / FRAMES_PER_SECOND,
};
const AUDIO: TrackTiming = {
  ssrcBase: 0x20000000,
  intervalUs: AUDIO_FRAME_US,
  ticksPerUnit: AUDIO_FRAME_SAMPLES,
};

export class CameraServer {
  sentVideo = 0;
  sentAudio = 0;
  /** Access units that were due and did not fit the socket. */
  withheld = 0;
  window: Window = { fromUs: Number.POSITIVE_INFINITY, toUs: 0 };
  readonly #cameras: number;
  readonly #videoBursts: readonly RtpBurst[];
  readonly #audioBursts: readonly RtpBurst[];
  readonly #viewers = new Set<Viewer>();
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #startUs = nowUs();

  constructor(cameras: number) {
    this.#cameras = cameras;
    this.#videoBursts = videoTemplates().map((slice, index) =>
      RtpBurst.video(
        index === 0 ? [SPS, PPS, slice] : [slice],
        VIDEO_PAYLOAD_TYPE,
        VIDEO_STAMP_OFFSET,
      ),
    );
    this.#audioBursts = audioTemplates().map((frame) =>
      RtpBurst.audio(frame, AUDIO_PAYLOAD_TYPE, AUDIO_STAMP_OFFSET),
    );
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1', 1024);
    await once(this.#server, 'listening');
    setInterval(() => this.#sendDue(), TICK_MS);
    return (this.#server.address() as AddressInfo).port;
  }

  #accept(socket: Socket): void {
    const viewer = new Viewer(socket, this.#cameras, (playing) => this.#play(playing));
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#viewers.delete(viewer));
  }

  #play(viewer: Viewer): void {
    viewer.video.unit = this.#nextUnit(VIDEO, viewer.camera);
    viewer.audio.unit = this.#nextUnit(AUDIO, viewer.camera);
    this.#viewers.add(viewer);
  }

  #phaseUs(camera: number, track: TrackTiming): number {
    return (camera / this.#cameras) * track.intervalUs;
  }

  #nextUnit(track: TrackTiming, camera: number): number {
    return Math.ceil((nowUs() - this.#startUs - this.#phaseUs(camera, track)) / track.intervalUs);
  }

  #sendDue(): void {
    const atUs = nowUs();
    for (const viewer of this.#viewers) {
      this.#sendTrack(viewer, viewer.video, VIDEO, this.#videoBursts, atUs);
      this.#sendTrack(viewer, viewer.audio, AUDIO, this.#audioBursts, atUs);
    }
  }

  #sendTrack(
    viewer: Viewer,
    state: TrackState,
    track: TrackTiming,
    bursts: readonly RtpBurst[],
    atUs: number,
  ): void {
    const phaseUs = this.#phaseUs(viewer.camera, track);
    while (this.#startUs + phaseUs + state.unit * track.intervalUs <= atUs) {
      const dueUs = this.#startUs + phaseUs + state.unit * track.intervalUs;
      if (dueUs >= state.nextReportUs) {
        viewer.sendReport(state, track);
        state.nextReportUs = dueUs + SENDER_REPORT_EVERY_US;
      }
      // GOPs of different cameras begin at different times.
      const shift = track === VIDEO ? Math.floor((viewer.camera * GOP_FRAMES) / this.#cameras) : 0;
      const template = (state.unit + shift) % bursts.length;
      this.#sendUnit(viewer, state, track, bursts[template] as RtpBurst, template);
      state.unit += 1;
    }
  }

  #sendUnit(
    viewer: Viewer,
    state: TrackState,
    track: TrackTiming,
    burst: RtpBurst,
    template: number,
  ): void {
    const sentAtUs = Math.floor(nowUs());
    const isMeasured = sentAtUs >= this.window.fromUs && sentAtUs < this.window.toUs;
    if (viewer.behindBytes > MAX_BEHIND_BYTES) {
      if (isMeasured) this.withheld += 1;
    } else {
      const { camera } = viewer;
      viewer.send(state, track, burst, { camera, unit: state.unit, template, sentAtUs });
      if (isMeasured && track === VIDEO) this.sentVideo += 1;
      if (isMeasured && track === AUDIO) this.sentAudio += 1;
    }
    state.packets += burst.packetCount;
  }
}
