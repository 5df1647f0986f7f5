/** Holds each access unit that arrives against what its camera has sent, byte for byte, and keeps none. */
import { AUDIO_STAMP_OFFSET, audioTemplates, VIDEO_STAMP_OFFSET, videoTemplates } from './media.ts';
import type { MediaKind } from './pacing.ts';
import type { Scenario } from './scenario.ts';
import { nowUs, readStamp, STAMP_BYTES } from './stamp.ts';
import type { SinkResult, Window } from './window.ts';

export class UnitChecker {
  window: Window = { fromUs: Number.POSITIVE_INFINITY, toUs: 0 };
  readonly #codec: Scenario['codec'];
  readonly #templates: Readonly<Record<MediaKind, readonly Buffer[]>>;
  readonly #onFlowing: (cameras: number) => void;
  /** Camera and track → the last unit seen. */
  readonly #lastUnits = new Map<string, number>();
  readonly #flowing = new Set<number>();
  readonly #latenciesUs: number[] = [];
  readonly #counts = { video: 0, audio: 0, corrupt: 0, disordered: 0 };

  /** `onFlowing`: of how many cameras pictures have come. */
  constructor({ codec, videoBitsPerSecond }: Scenario, onFlowing: (cameras: number) => void) {
    this.#codec = codec;
    this.#templates = { video: videoTemplates(codec, videoBitsPerSecond), audio: audioTemplates() };
    this.#onFlowing = onFlowing;
  }

  /** NAL units with 4-byte lengths; parameter sets, delimiters and SEI may come with the picture. */
  video(avcc: Uint8Array): void {
    const slice = this.#findSlice(avcc);
    if (slice !== undefined) this.#receive('video', slice, VIDEO_STAMP_OFFSET);
  }

  audio(frame: Uint8Array): void {
    this.#receive('audio', frame, AUDIO_STAMP_OFFSET);
  }

  result(): SinkResult {
    return { ...this.#counts, latenciesUs: this.#latenciesUs.toSorted((a, b) => a - b) };
  }

  #receive(kind: MediaKind, bytes: Uint8Array, stampOffset: number): void {
    const stamp = readStamp(bytes, stampOffset);
    const template = this.#templates[kind][stamp.template];
    const isSame = template !== undefined && equalsAround(bytes, template, stampOffset);
    if (!this.#flowing.has(stamp.camera) && isSame && kind === 'video') {
      this.#flowing.add(stamp.camera);
      this.#onFlowing(this.#flowing.size);
    }
    if (stamp.sentAtUs < this.window.fromUs || stamp.sentAtUs >= this.window.toUs) return;
    const key = `${stamp.camera} ${kind}`;
    const lastUnit = this.#lastUnits.get(key) ?? -1;
    if (!isSame) this.#counts.corrupt += 1;
    else if (stamp.unit <= lastUnit) this.#counts.disordered += 1;
    else {
      this.#counts[kind] += 1;
      if (kind === 'video') this.#latenciesUs.push(nowUs() - stamp.sentAtUs);
    }
    this.#lastUnits.set(key, Math.max(stamp.unit, lastUnit));
  }

  #findSlice(avcc: Uint8Array): Uint8Array | undefined {
    const view = new DataView(avcc.buffer, avcc.byteOffset, avcc.byteLength);
    for (let at = 0; at + 4 < avcc.length; ) {
      const length = view.getUint32(at);
      if (isSlice(this.#codec, avcc[at + 4] ?? 0)) return avcc.subarray(at + 4, at + 4 + length);
      at += 4 + length;
    }
    return undefined;
  }
}

/** H.264 table 7-1: 1 and 5; H.265 table 7-1: below 32. */
function isSlice(codec: Scenario['codec'], header: number): boolean {
  if (codec === 'h265') return header >> 1 < 32;
  const type = header & 0x1f;
  return type === 1 || type === 5;
}

function equalsAround(bytes: Uint8Array, template: Buffer, stampOffset: number): boolean {
  const after = stampOffset + STAMP_BYTES;
  return (
    bytes.length === template.length &&
    template.compare(bytes, 0, stampOffset, 0, stampOffset) === 0 &&
    template.compare(bytes, after, bytes.length, after) === 0
  );
}
