/**
 * The moov of a file: its tracks, their clocks and edit lists, their samples. ISO/IEC 14496-12 §8.2 to §8.6, §8.8.
 *
 * Of an edit list (§8.6.6) the pauses at its beginning and the first piece of media are followed, which is what encoders write: a
 * delay, and where in the media playing begins. Not handled: pieces put together in another order.
 */
import { ByteReader } from '../byte-reader.ts';
import { ParseError, UnsupportedError } from '../errors.ts';
import { boxes, findBox } from './boxes.ts';
import { parseSampleDescriptions, type SampleDescription } from './sample-description.ts';
import { SampleTable } from './sample-table.ts';

const MAX_TRACKS = 64;
const MAX_EDITS = 1024;
const FULL_BOX_BYTES = 4;

export interface MovieTrack {
  readonly id: number;
  readonly timescale: number;
  readonly descriptions: readonly SampleDescription[];
  readonly samples: SampleTable;
  /** Added to a time in ticks, to be a time of the movie. */
  readonly shiftTicks: number;
}

/** §8.8.3: what a fragment leaves out. */
export interface SampleDefaults {
  readonly descriptionIndex: number;
  readonly durationTicks: number;
  readonly byteLength: number;
  readonly flags: number;
}

export interface Movie {
  readonly video: MovieTrack | undefined;
  readonly audio: MovieTrack | undefined;
  readonly durationMs: number;
  /** By track; undefined: there are no fragments. */
  readonly fragmentDefaults: ReadonlyMap<number, SampleDefaults> | undefined;
}

/** `moov`: its contents. Throws UnsupportedError when none of its tracks can be played. */
export function parseMovie(moov: Uint8Array): Movie {
  const { timescale, duration } = movieHeader(moov);
  const tracks: { video?: MovieTrack; audio?: MovieTrack } = {};
  let problem: Error | undefined;
  let seen = 0;
  for (const { type, payload } of boxes(moov)) {
    if (type !== 'trak') continue;
    seen += 1;
    if (seen > MAX_TRACKS) break;
    const kind = kindOf(payload);
    if (kind === undefined || tracks[kind] !== undefined) continue;
    try {
      tracks[kind] = trackOf(payload, timescale);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      problem ??= error;
    }
  }
  const { video, audio } = tracks;
  if (video === undefined && audio === undefined) {
    throw problem ?? new UnsupportedError('it has neither pictures nor sound');
  }
  const mvex = findBox(moov, 'mvex');
  const lengthTicks = mvex === undefined ? duration : fragmentsDuration(mvex);
  return {
    video,
    audio,
    durationMs: Math.round((lengthTicks * 1000) / timescale),
    fragmentDefaults: mvex === undefined ? undefined : defaultsOf(mvex),
  };
}

/** §8.2.2. */
function movieHeader(moov: Uint8Array): { timescale: number; duration: number } {
  const reader = new ByteReader(required(moov, 'mvhd'));
  return clockOf(reader);
}

/** As `mvhd` and `mdhd` have it; a duration of all ones is not known. */
function clockOf(reader: ByteReader): { timescale: number; duration: number } {
  const version = reader.u8();
  reader.u24();
  reader.take(version === 1 ? 16 : 8); // creation_time, modification_time
  const timescale = reader.u32();
  if (timescale === 0) throw new ParseError('a clock of 0 ticks a second');
  if (version === 1) {
    const high = reader.u32();
    const low = reader.u32();
    return { timescale, duration: high > 0xffff ? 0 : high * 2 ** 32 + low };
  }
  const duration = reader.u32();
  return { timescale, duration: duration === 0xffff_ffff ? 0 : duration };
}

function kindOf(trak: Uint8Array): 'video' | 'audio' | undefined {
  const hdlr = findBox(trak, 'mdia', 'hdlr');
  if (hdlr === undefined) return undefined;
  const reader = new ByteReader(hdlr);
  reader.take(FULL_BOX_BYTES + 4); // pre_defined
  const type = String.fromCharCode(...reader.take(4));
  if (type === 'vide') return 'video';
  return type === 'soun' ? 'audio' : undefined;
}

function trackOf(trak: Uint8Array, movieTimescale: number): MovieTrack {
  const mdia = required(trak, 'mdia');
  const { timescale } = clockOf(new ByteReader(required(mdia, 'mdhd')));
  const stbl = required(mdia, 'minf', 'stbl');
  return {
    id: trackId(required(trak, 'tkhd')),
    timescale,
    descriptions: parseSampleDescriptions(required(stbl, 'stsd')),
    samples: new SampleTable(stbl),
    shiftTicks: shiftOf(findBox(trak, 'edts', 'elst'), timescale, movieTimescale),
  };
}

/** §8.3.2. */
function trackId(tkhd: Uint8Array): number {
  const reader = new ByteReader(tkhd);
  const version = reader.u8();
  reader.u24();
  reader.take(version === 1 ? 16 : 8);
  return reader.u32();
}

/** §8.6.6. */
function shiftOf(elst: Uint8Array | undefined, timescale: number, movieTimescale: number): number {
  if (elst === undefined) return 0;
  const reader = new ByteReader(elst);
  const isWide = reader.u8() === 1;
  reader.u24();
  const count = Math.min(reader.u32(), MAX_EDITS);
  let delayTicks = 0;
  for (let index = 0; index < count; index += 1) {
    const duration = isWide ? reader.u64() : reader.u32();
    const high = isWide ? reader.i32() : 0;
    const low = isWide ? reader.u32() : reader.i32();
    const mediaTime = isWide ? high * 2 ** 32 + low : low;
    reader.u32(); // media_rate
    if (mediaTime >= 0) return Math.round(delayTicks - mediaTime);
    delayTicks += (duration * timescale) / movieTimescale;
  }
  return Math.round(delayTicks);
}

/** §8.8.2; 0: not said. */
function fragmentsDuration(mvex: Uint8Array): number {
  const mehd = findBox(mvex, 'mehd');
  if (mehd === undefined) return 0;
  const reader = new ByteReader(mehd);
  const version = reader.u8();
  reader.u24();
  return version === 1 ? reader.u64() : reader.u32();
}

function defaultsOf(mvex: Uint8Array): Map<number, SampleDefaults> {
  const defaults = new Map<number, SampleDefaults>();
  for (const { type, payload } of boxes(mvex)) {
    if (type !== 'trex' || defaults.size === MAX_TRACKS) continue;
    const reader = new ByteReader(payload);
    reader.take(FULL_BOX_BYTES);
    const id = reader.u32();
    defaults.set(id, {
      descriptionIndex: reader.u32(),
      durationTicks: reader.u32(),
      byteLength: reader.u32(),
      flags: reader.u32(),
    });
  }
  return defaults;
}

function required(within: Uint8Array, ...path: readonly string[]): Uint8Array {
  const found = findBox(within, ...path);
  if (found === undefined) throw new ParseError(`there is no '${path.join("' in '")}'`);
  return found;
}
