/**
 * onMetaData of a file, FLV 10.1 §E.5, with what is known only when it is whole: duration and file size, and the places of its keyframes
 * (`keyframes: { times, filepositions }`, which no specification has and every player knows). All of it is patched
 * in place at the end, so the tag has one size from the beginning on: filled up with blanks.
 */
import { type Amf0Value, EcmaArray, isAmf0Object, serializeAmf0 } from './amf0.ts';
import { metadataOf } from './script-data.ts';

/** 1700 keyframes: each takes 18 bytes. Longer recordings have every second, every fourth … in their index. */
export const RECORDED_METADATA_BYTES = 32 * 1024;
export const MAX_RECORDED_KEYFRAMES = 1700;
/** Of files by others: an hour with a keyframe each half second. */
const MAX_READ_KEYFRAMES = 7200;

export interface FlvKeyframe {
  readonly timeMs: number;
  /** Of the tag's first byte in the file. */
  readonly position: number;
}

export interface RecordedMetadata {
  readonly durationMs: number | undefined;
  /** `filesize`; undefined: not said. */
  readonly fileBytes: number | undefined;
  /** In the order of their times; those that cannot be are left out. */
  readonly keyframes: readonly FlvKeyframe[];
  /** What writes recordings says so, to know its own: `encoder`. */
  readonly encoder: string | undefined;
}

/** undefined for other script data than onMetaData. */
export function parseRecordedMetadata(scriptData: Uint8Array): RecordedMetadata | undefined {
  const metadata = metadataOf(scriptData);
  if (metadata === undefined) return undefined;
  const { duration, encoder, filesize, keyframes } = metadata;
  const isSized = typeof filesize === 'number' && filesize > 0;
  const isKnown = typeof duration === 'number' && duration > 0 && Number.isFinite(duration);
  return {
    durationMs: isKnown ? Math.round(duration * 1000) : undefined,
    fileBytes: isSized ? filesize : undefined,
    keyframes: keyframesOf(keyframes),
    encoder: typeof encoder === 'string' ? encoder : undefined,
  };
}

function keyframesOf(value: Amf0Value): FlvKeyframe[] {
  if (!isAmf0Object(value)) return [];
  const { times, filepositions } = value;
  if (!Array.isArray(times) || !Array.isArray(filepositions)) return [];
  const keyframes: FlvKeyframe[] = [];
  let lastMs = -1;
  for (let index = 0; index < Math.min(times.length, MAX_READ_KEYFRAMES); index += 1) {
    const timeMs = Math.round(Number(times[index]) * 1000);
    const position = Number(filepositions[index]);
    if (!(timeMs > lastMs) || !Number.isSafeInteger(position) || position <= 0) continue;
    keyframes.push({ timeMs, position });
    lastMs = timeMs;
  }
  return keyframes;
}

/**
 * The body of the tag, always of RECORDED_METADATA_BYTES. `known`: what streamMetadata tells. At most
 * MAX_RECORDED_KEYFRAMES.
 */
export function serializeRecordedMetadata(
  known: EcmaArray,
  durationMs: number,
  fileBytes: number,
  keyframes: readonly FlvKeyframe[],
): Uint8Array {
  const entries = {
    ...known.entries,
    duration: durationMs / 1000,
    filesize: fileBytes,
    canSeekToEnd: false,
    hasKeyframes: keyframes.length > 0,
    keyframes: {
      times: keyframes.map(({ timeMs }) => timeMs / 1000),
      filepositions: keyframes.map(({ position }) => position),
    },
  };
  const bare = serializeAmf0('onMetaData', new EcmaArray({ ...entries, padding: '' }));
  const padding = ' '.repeat(Math.max(0, RECORDED_METADATA_BYTES - bare.length));
  return serializeAmf0('onMetaData', new EcmaArray({ ...entries, padding }));
}
