/**
 * The initialization segment: what a player must know before the first fragment. ISO/IEC 14496-12: ftyp (§4.3) and a
 * moov (§8.2.1) without samples, whose mvex (§8.8.1) says that fragments follow.
 */
import { ByteWriter } from '../byte-writer.ts';
import { box, fourCharacters, fullBox } from './boxes.ts';
import type { TrackForm } from './track-form.ts';

/** With tfdt and signed composition offsets. */
const BRANDS = ['iso6', 'mp41'] as const;
/** Durations of the movie are in milliseconds. */
const MOVIE_TIMESCALE = 1000;
const UNITY_MATRIX = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] as const;
const ENABLED_IN_MOVIE = 3;
const FULL_VOLUME = 0x0100;
/** "und": three letters of five bits. */
const LANGUAGE_UNDETERMINED = 0x55c4;
const DATA_IS_IN_THIS_FILE = 1;

/** Tracks are numbered from 1, in this order. `further`: boxes in front of `mvex`'s own. */
export function serializeInitSegment(
  forms: readonly TrackForm[],
  ...further: readonly Uint8Array[]
): Uint8Array {
  const ftyp = box('ftyp', fourCharacters(BRANDS[0]), u32s(0), ...BRANDS.map(fourCharacters));
  const traks = forms.map((form, index) => trak(form, index + 1));
  const trexes = forms.map((_, index) => fullBox('trex', 0, 0, u32s(index + 1, 1, 0, 0, 0)));
  const moov = box('moov', mvhd(forms.length + 1), ...traks, box('mvex', ...further, ...trexes));
  const bytes = new Uint8Array(ftyp.length + moov.length);
  bytes.set(ftyp);
  bytes.set(moov, ftyp.length);
  return bytes;
}

/** §8.2.2. */
function mvhd(nextTrackId: number): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0).u32(0).u32(MOVIE_TIMESCALE).u32(0); // creation, modification, timescale, duration
  writer.u32(0x0001_0000).u16(FULL_VOLUME).bytes(new Uint8Array(10)); // rate, volume, reserved
  writer
    .bytes(u32s(...UNITY_MATRIX))
    .bytes(new Uint8Array(24))
    .u32(nextTrackId);
  return fullBox('mvhd', 0, 0, writer.toBytes());
}

function trak(form: TrackForm, id: number): Uint8Array {
  return box('trak', tkhd(form, id), box('mdia', mdhd(form), hdlr(form), minf(form)));
}

/** §8.3.2. */
function tkhd({ kind, width, height }: TrackForm, id: number): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0).u32(0).u32(id).u32(0).u32(0); // creation, modification, track_ID, reserved, duration
  writer.u32(0).u32(0).u16(0).u16(0); // reserved, layer, alternate_group
  writer.u16(kind === 'audio' ? FULL_VOLUME : 0).u16(0); // volume, reserved
  writer
    .bytes(u32s(...UNITY_MATRIX))
    .u16(width)
    .u16(0)
    .u16(height)
    .u16(0);
  return fullBox('tkhd', 0, ENABLED_IN_MOVIE, writer.toBytes());
}

/** §8.4.2. */
function mdhd({ timescale }: TrackForm): Uint8Array {
  const writer = new ByteWriter().u32(0).u32(0).u32(timescale).u32(0);
  return fullBox('mdhd', 0, 0, writer.u16(LANGUAGE_UNDETERMINED).u16(0).toBytes());
}

/** §8.4.3; its name ends with a zero. */
function hdlr({ kind }: TrackForm): Uint8Array {
  const [type, name] = kind === 'video' ? ['vide', 'VideoHandler'] : ['soun', 'SoundHandler'];
  const writer = new ByteWriter().u32(0).bytes(fourCharacters(type)).bytes(new Uint8Array(12));
  return fullBox('hdlr', 0, 0, writer.bytes(fourCharacters(name)).u8(0).toBytes());
}

function minf({ kind, sampleEntry }: TrackForm): Uint8Array {
  const mediaHeader =
    kind === 'video'
      ? fullBox('vmhd', 0, 1, new Uint8Array(8))
      : fullBox('smhd', 0, 0, new Uint8Array(4));
  const url = fullBox('url ', 0, DATA_IS_IN_THIS_FILE);
  const dinf = box('dinf', fullBox('dref', 0, 0, u32s(1), url));
  const stbl = box(
    'stbl',
    fullBox('stsd', 0, 0, u32s(1), sampleEntry),
    fullBox('stts', 0, 0, u32s(0)),
    fullBox('stsc', 0, 0, u32s(0)),
    fullBox('stsz', 0, 0, u32s(0, 0)),
    fullBox('stco', 0, 0, u32s(0)),
  );
  return box('minf', mediaHeader, dinf, stbl);
}

function u32s(...values: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.u32(value);
  return writer.toBytes();
}
