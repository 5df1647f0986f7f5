/** Units for recordings, as a camera brings them, and what a player reads of a file, in one line each. */
import { createHash } from 'node:crypto';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import type { RecordedStream } from '../../gateway/recording/recordings.ts';
import type { VodFile } from '../../gateway/vod/vod-file.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from './units.ts';

export const PICTURE_US = 40_000;
/** A keyframe each 400 ms. */
export const GOP_PICTURES = 10;

export interface CameraOptions {
  /** When the first unit is, on the stream's own clock. */
  readonly fromUs?: number;
  readonly video?: Track;
  readonly audio?: Track | undefined;
  readonly pictureBytes?: number;
}

/** Pictures, and a frame of sound between each two. The bytes tell which one it is. */
export function* cameraUnits(pictures: number, options: CameraOptions = {}): Generator<AccessUnit> {
  const { fromUs = 0, video = VIDEO_TRACK, pictureBytes = 60 } = options;
  const audio = 'audio' in options ? options.audio : AUDIO_TRACK;
  for (let index = 0; index < pictures; index += 1) {
    const dtsUs = fromUs + index * PICTURE_US;
    const isKey = index % GOP_PICTURES === 0;
    const ptsUs = dtsUs + (isKey ? PICTURE_US : (index % 3) * PICTURE_US);
    yield unit(video, dtsUs, ptsUs, isKey, pictureOf(video, isKey, dtsUs, pictureBytes));
    if (audio === undefined) continue;
    const soundUs = dtsUs + PICTURE_US / 2;
    yield unit(audio, soundUs, soundUs, true, numbered(soundUs, 20));
  }
}

/** A stream that a test writes to. */
export class TestStream implements RecordedStream {
  readonly name: string;
  readonly tracks: readonly Track[];
  readonly #sinks = new Set<StreamSink>();

  constructor(name = 'cam', tracks: readonly Track[] = [VIDEO_TRACK, AUDIO_TRACK]) {
    this.name = name;
    this.tracks = tracks;
  }

  subscribe(sink: StreamSink): Disposable {
    this.#sinks.add(sink);
    sink.start(this.tracks);
    return { [Symbol.dispose]: () => this.#sinks.delete(sink) };
  }

  /** Lent as by a source: the bytes are gone afterwards. */
  write(units: Iterable<AccessUnit>): void {
    for (const each of units) {
      const data = each.data.slice();
      for (const sink of this.#sinks) sink.write({ ...each, data });
      data.fill(0xee);
    }
  }
}

export type UnitLine = string;

/** Times in milliseconds since the first line's. */
export function unitLine(unit: AccessUnit, fromUs = 0): UnitLine {
  const { track, ptsUs, dtsUs, randomAccess, data } = unit;
  const hash = createHash('md5').update(data).digest('hex').slice(0, 12);
  const [dtsMs, ptsMs] = [dtsUs, ptsUs].map((us) => Math.round((us - fromUs) / 1000));
  const key = randomAccess && track.kind === 'video' ? ' key' : '';
  return `${track.kind} dts=${dtsMs} pts=${ptsMs}${key} ${hash}`;
}

/** From where it stands to its end, or so many. */
export async function readLines(
  file: VodFile,
  most = Number.POSITIVE_INFINITY,
): Promise<UnitLine[]> {
  const lines: UnitLine[] = [];
  while (lines.length < most) {
    const unit = await file.read();
    if (unit === undefined) break;
    lines.push(unitLine(unit));
    // What is lent may be written over by the next call.
    unit.data.fill(0xdd);
  }
  return lines;
}

function unit(
  track: Track,
  dtsUs: number,
  ptsUs: number,
  randomAccess: boolean,
  bytes: Uint8Array,
): AccessUnit {
  const data = new Uint8Array(ACCESS_UNIT_HEADROOM + bytes.length).subarray(ACCESS_UNIT_HEADROOM);
  data.set(bytes);
  return { track, dtsUs, ptsUs, randomAccess, data, kept: false };
}

/** One NAL unit behind its length: an IDR slice, or one of another picture. */
function pictureOf(track: Track, isKey: boolean, number: number, byteLength: number): Uint8Array {
  const bytes = numbered(number, byteLength);
  new DataView(bytes.buffer).setUint32(0, byteLength - 4);
  const isHevc = track.codec === 'h265';
  bytes[4] = isHevc ? (isKey ? 0x26 : 0x02) : isKey ? 0x65 : 0x41;
  bytes[5] = isHevc ? 0x01 : 0x9a;
  return bytes;
}

function numbered(number: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength).fill(0x55);
  new DataView(bytes.buffer).setFloat64(byteLength - 8, number + 0.5);
  return bytes;
}
