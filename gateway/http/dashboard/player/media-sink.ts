/**
 * A queue of fragmented MP4 → the picture of a video element, by Media Source Extensions. The source is made with the first initialization,
 * so that the last picture stays until there is another.
 */
import type { AppendQueue } from './append-queue.ts';
import type { Initialization } from './live-remuxer.ts';
import { PlayFailure } from './play-failure.ts';
import type { PlaybackPolicy } from './playback-policy.ts';

type SourceConstructor = typeof MediaSource;

/** Safari on telephones has only the managed one. undefined: none. */
export function mediaSourceConstructor(): SourceConstructor | undefined {
  const { MediaSource: plain, ManagedMediaSource: managed } = globalThis as {
    readonly MediaSource?: SourceConstructor;
    readonly ManagedMediaSource?: SourceConstructor;
  };
  return plain ?? managed;
}

interface Opened {
  readonly source: MediaSource;
  readonly buffer: SourceBuffer;
  readonly initialization: Initialization;
}

/** Until `signal` aborts or the browser gives up; always throws. */
export async function appendAll(
  video: HTMLVideoElement,
  Source: SourceConstructor,
  queue: AppendQueue,
  policy: PlaybackPolicy,
  signal: AbortSignal,
): Promise<never> {
  let opened: Opened | undefined;
  for (;;) {
    const item = await queue.next();
    if (item.kind === 'init') {
      opened = await openedFor(item.initialization, opened, video, Source, signal);
      await append(opened.buffer, item.initialization.bytes, video, signal);
    } else if (opened !== undefined) {
      await append(opened.buffer, item.bytes, video, signal);
      await follow(video, opened.buffer, policy, signal);
    }
  }
}

/** The same buffer as long as it takes what comes: other codecs by `changeType`, other kinds of tracks not at all. */
async function openedFor(
  initialization: Initialization,
  before: Opened | undefined,
  video: HTMLVideoElement,
  Source: SourceConstructor,
  signal: AbortSignal,
): Promise<Opened> {
  const { type, kinds } = initialization;
  if (before?.initialization.kinds === kinds) {
    const { source, buffer } = before;
    if (before.initialization.type === type) return { source, buffer, initialization };
    if ('changeType' in buffer) {
      buffer.changeType(type);
      return { source, buffer, initialization };
    }
  }
  const source = new Source();
  const isOpen = settled(source, 'sourceopen', signal);
  // Without it the managed one does not open.
  video.disableRemotePlayback = true;
  const address = URL.createObjectURL(source);
  video.src = address;
  try {
    await isOpen;
  } catch (error) {
    // Given up meanwhile: the browser may not have begun to look for it, and would not find it.
    if (video.src === address) {
      video.removeAttribute('src');
      video.load();
    }
    throw error;
  } finally {
    URL.revokeObjectURL(address);
  }
  // It never ends, so nothing is to be shown of its length.
  source.duration = Number.POSITIVE_INFINITY;
  return { source, buffer: source.addSourceBuffer(type), initialization };
}

async function append(
  buffer: SourceBuffer,
  bytes: Uint8Array,
  video: HTMLVideoElement,
  signal: AbortSignal,
): Promise<void> {
  try {
    await appendOnce(buffer, bytes, signal);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error;
    // Its memory is small: all that was seen goes.
    await removed(buffer, Math.max(0, video.currentTime - 1), signal);
    await appendOnce(buffer, bytes, signal);
  }
}

async function appendOnce(
  buffer: SourceBuffer,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  // Made by `concat`: never shared memory.
  buffer.appendBuffer(bytes as Uint8Array<ArrayBuffer>);
  await settled(buffer, 'updateend', signal);
}

async function removed(buffer: SourceBuffer, endS: number, signal: AbortSignal): Promise<void> {
  if (endS <= 0) return;
  buffer.remove(0, endS);
  await settled(buffer, 'updateend', signal);
}

async function follow(
  video: HTMLVideoElement,
  buffer: SourceBuffer,
  policy: PlaybackPolicy,
  signal: AbortSignal,
): Promise<void> {
  const { seekToS, rate, removeBeforeS } = policy.advise({
    ranges: rangesOf(buffer.buffered),
    currentS: video.currentTime,
    isSeeking: video.seeking,
    rate: video.playbackRate,
  });
  if (video.playbackRate !== rate) video.playbackRate = rate;
  if (seekToS !== undefined) video.currentTime = seekToS;
  if (removeBeforeS !== undefined) await removed(buffer, removeBeforeS, signal);
  // Muted it may always begin; where not, whoever watches has to press play.
  if (video.paused) video.play().catch(() => undefined);
}

function rangesOf(buffered: TimeRanges): [number, number][] {
  return Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)]);
}

/** Leaves no listener behind. */
function settled(target: EventTarget, good: string, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const options = { signal: over.signal };
  return new Promise<void>((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    target.addEventListener(good, () => resolve(), options);
    target.addEventListener('error', () => reject(new PlayFailure('damaged', '')), options);
    signal.addEventListener('abort', () => reject(signal.reason), options);
  }).finally(() => over.abort());
}
