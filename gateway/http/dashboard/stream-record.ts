/** One stream as its messages tell. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Motion, StreamInfo, StreamStats, StreamStatus } from '../../report/status.ts';
import { shownStatus } from './absence.ts';
import type { Absence, Shown, StatsSample, StreamModel } from './model.ts';
import { parsePayload } from './parse-payload.ts';
import { isStreamInfo, isStreamStats, isStreamStatus } from './payload-shape.ts';

const HISTORY_MS = 30 * 60_000;

export interface StreamRecordContext {
  readonly makeUrl: (jpeg: Uint8Array) => string;
  readonly dropUrl: (url: string) => void;
}

export class StreamRecord implements StreamModel {
  readonly gateway: string;
  readonly name: string;
  readonly status: ReadonlySignal<Shown<StreamStatus> | undefined>;
  readonly info = signal<StreamInfo | undefined>(undefined);
  readonly stats: ReadonlySignal<StreamStats | undefined>;
  readonly history = signal<readonly StatsSample[]>([]);
  readonly motion: ReadonlySignal<Motion | undefined>;
  readonly snapshot = signal<string | undefined>(undefined);
  readonly #context: StreamRecordContext;
  readonly #status = signal<StreamStatus | undefined>(undefined);
  readonly #stats = signal<StreamStats | undefined>(undefined);
  readonly #motion = signal<Motion | undefined>(undefined);

  /** `absence`: of its gateway. */
  constructor(
    gateway: string,
    name: string,
    absence: ReadonlySignal<Absence | undefined>,
    context: StreamRecordContext,
  ) {
    this.gateway = gateway;
    this.name = name;
    this.#context = context;
    const whileThere = <T>(told: Signal<T | undefined>) =>
      computed(() => (absence.value === undefined ? told.value : undefined));
    this.status = computed(() => {
      const told = this.#status.value;
      return told && shownStatus(told, absence.value);
    });
    this.stats = whileThere(this.#stats);
    this.motion = whileThere(this.#motion);
  }

  /** False: not understood. */
  take(
    part: string,
    payload: Uint8Array,
    { nowMs, maxSamples }: { readonly nowMs: number; readonly maxSamples: () => number },
  ): boolean {
    switch (part) {
      case 'status':
        return set(this.#status, parsePayload(payload, isStreamStatus));
      case 'info':
        return set(this.info, parsePayload(payload, isStreamInfo));
      case 'stats': {
        const stats = parsePayload(payload, isStreamStats);
        if (stats === undefined) return false;
        this.#stats.value = stats;
        this.history.value = [...this.history.value, { atMs: nowMs, stats }]
          .filter(({ atMs }) => atMs > nowMs - HISTORY_MS)
          .slice(-maxSamples());
        return true;
      }
      case 'motion': {
        const words = new TextDecoder().decode(payload);
        this.#motion.value = words === 'ON' || words === 'OFF' ? words : undefined;
        return words === '' || this.#motion.value !== undefined;
      }
      case 'snapshot':
        if (!isJpeg(payload)) return false;
        this.#show(payload);
        return true;
      default:
        return false;
    }
  }

  clear(): void {
    const { value } = this.snapshot;
    this.snapshot.value = undefined;
    if (value !== undefined) this.#context.dropUrl(value);
  }

  #show(jpeg: Uint8Array): void {
    const before = this.snapshot.value;
    this.snapshot.value = this.#context.makeUrl(jpeg);
    if (before !== undefined) this.#context.dropUrl(before);
  }
}

function set<T>(to: Signal<T | undefined>, value: T | undefined): boolean {
  if (value !== undefined) to.value = value;
  return value !== undefined;
}

/** SOI, ISO/IEC 10918-1 §B.1.1.3. */
function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}
