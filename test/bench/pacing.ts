/**
 * When each simulated camera sends what. They keep time as cameras do: each sends an access unit in one
 * burst when it is due, at a phase of its own, whether anyone reads or not, and a viewer enters in mid-GOP.
 */
import {
  AUDIO_FRAME_SAMPLES,
  AUDIO_SAMPLE_RATE,
  AUDIO_TEMPLATES,
  FRAMES_PER_SECOND,
  GOP_FRAMES,
} from './media.ts';
import { nowUs, type Stamp } from './stamp.ts';
import type { Window } from './window.ts';

const TICK_MS = 1;

export type MediaKind = 'video' | 'audio';

interface Timing {
  readonly intervalUs: number;
  readonly templates: number;
}

const TIMING: Readonly<Record<MediaKind, Timing>> = {
  video: { intervalUs: 1_000_000 / FRAMES_PER_SECOND, templates: GOP_FRAMES },
  audio: {
    intervalUs: (AUDIO_FRAME_SAMPLES * 1_000_000) / AUDIO_SAMPLE_RATE,
    templates: AUDIO_TEMPLATES,
  },
};

/** Who gets a camera's access units: a viewer, or the port to which an encoder sends. */
export interface Recipient {
  readonly camera: number;
  /** False: there was no room for it, and it is lost. */
  send(kind: MediaKind, stamp: Stamp): boolean;
}

export class Pacing {
  readonly sent: Record<MediaKind, number> = { video: 0, audio: 0 };
  /** Access units that were due and did not fit the socket. */
  withheld = 0;
  window: Window = { fromUs: Number.POSITIVE_INFINITY, toUs: 0 };
  readonly #cameras: number;
  readonly #slowness: number;
  readonly #nextUnits = new Map<Recipient, Record<MediaKind, number>>();
  readonly #startUs = nowUs();

  constructor(cameras: number, slowness = 1) {
    this.#cameras = cameras;
    this.#slowness = slowness;
  }

  start(): void {
    setInterval(() => this.#sendDue(), TICK_MS);
  }

  add(recipient: Recipient): void {
    const next = (kind: MediaKind) =>
      Math.ceil((nowUs() - this.#dueUs(kind, recipient.camera, 0)) / this.#intervalUs(kind));
    this.#nextUnits.set(recipient, { video: next('video'), audio: next('audio') });
  }

  remove(recipient: Recipient): void {
    this.#nextUnits.delete(recipient);
  }

  #dueUs(kind: MediaKind, camera: number, unit: number): number {
    return this.#startUs + (camera / this.#cameras + unit) * this.#intervalUs(kind);
  }

  #intervalUs(kind: MediaKind): number {
    return TIMING[kind].intervalUs * this.#slowness;
  }

  #sendDue(): void {
    const atUs = nowUs();
    for (const [recipient, nextUnits] of this.#nextUnits) {
      for (const kind of ['video', 'audio'] as const) {
        while (this.#dueUs(kind, recipient.camera, nextUnits[kind]) <= atUs) {
          this.#sendUnit(recipient, kind, nextUnits[kind]);
          nextUnits[kind] += 1;
        }
      }
    }
  }

  #sendUnit(recipient: Recipient, kind: MediaKind, unit: number): void {
    const { camera } = recipient;
    // GOPs of different cameras begin at different times.
    const shift = kind === 'video' ? Math.floor((camera * GOP_FRAMES) / this.#cameras) : 0;
    const template = (unit + shift) % TIMING[kind].templates;
    const sentAtUs = Math.floor(nowUs());
    const isSent = recipient.send(kind, { camera, unit, template, sentAtUs });
    if (sentAtUs < this.window.fromUs || sentAtUs >= this.window.toUs) return;
    if (isSent) this.sent[kind] += 1;
    else this.withheld += 1;
  }
}
