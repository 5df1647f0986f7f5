/**
 * The samples that a movie fragment (moof) describes, ISO/IEC 14496-12 §8.8.4 to §8.8.8 and §8.8.12. Their bytes lie in the file, most often in
 * the mdat behind it.
 */
import { ByteReader } from '../byte-reader.ts';
import { ParseError } from '../errors.ts';
import { boxes, findBox } from './boxes.ts';
import type { SampleDefaults } from './movie.ts';
import type { Mp4Sample } from './sample-table.ts';

/** Fragments of a minute with sound in frames of 2.5 ms. */
const MAX_SAMPLES = 100_000;
const IS_NON_SYNC = 0x0001_0000;

const TfhdFlag = {
  baseDataOffset: 0x01,
  descriptionIndex: 0x02,
  duration: 0x08,
  size: 0x10,
  flags: 0x20,
  baseIsMoof: 0x02_0000,
} as const;
const TrunFlag = {
  dataOffset: 0x01,
  firstSampleFlags: 0x04,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  compositionOffset: 0x800,
} as const;

export interface TrackFragment {
  readonly trackId: number;
  readonly samples: readonly Mp4Sample[];
  /** When the last one ends. */
  readonly endTicks: number;
}

/**
 * `moof`: its contents; `position`: of its first byte in the file. `decodeTicks`: where each track goes on when the fragment
 * does not say (§8.8.12 is younger than fragments are).
 */
export function parseFragment(
  moof: Uint8Array,
  position: number,
  defaults: ReadonlyMap<number, SampleDefaults>,
  decodeTicks: ReadonlyMap<number, number>,
): TrackFragment[] {
  const fragments: TrackFragment[] = [];
  // Of the run that comes next, where nothing says: behind the one before, the first behind the header of the mdat.
  const place = { position };
  let budget = MAX_SAMPLES;
  for (const { type, payload } of boxes(moof)) {
    if (type !== 'traf') continue;
    const fragment = readTrack(payload, position, place, defaults, decodeTicks, budget);
    budget -= fragment.samples.length;
    fragments.push(fragment);
  }
  return fragments;
}

function readTrack(
  traf: Uint8Array,
  moofAt: number,
  place: { position: number },
  allDefaults: ReadonlyMap<number, SampleDefaults>,
  starts: ReadonlyMap<number, number>,
  budget: number,
): TrackFragment {
  const header = findBox(traf, 'tfhd');
  if (header === undefined) throw new ParseError("a 'traf' without 'tfhd'");
  const { trackId, base, defaults } = readHeader(header, moofAt, place.position, allDefaults);
  const time = findBox(traf, 'tfdt');
  let decodeTicks = time === undefined ? (starts.get(trackId) ?? 0) : readTime(time);
  place.position = base;
  const samples: Mp4Sample[] = [];
  for (const { type, payload } of boxes(traf)) {
    if (type !== 'trun') continue;
    decodeTicks = readRun(payload, base, place, defaults, decodeTicks, samples, budget);
  }
  return { trackId, samples, endTicks: decodeTicks };
}

function readHeader(
  tfhd: Uint8Array,
  moofAt: number,
  before: number,
  allDefaults: ReadonlyMap<number, SampleDefaults>,
): { trackId: number; base: number; defaults: SampleDefaults } {
  const reader = new ByteReader(tfhd);
  const flags = reader.u32() & 0xff_ffff;
  const trackId = reader.u32();
  const known = allDefaults.get(trackId);
  const has = (flag: number) => (flags & flag) !== 0;
  let base = has(TfhdFlag.baseIsMoof) ? moofAt : before;
  if (has(TfhdFlag.baseDataOffset)) base = reader.u64();
  const descriptionIndex = has(TfhdFlag.descriptionIndex)
    ? reader.u32()
    : (known?.descriptionIndex ?? 1);
  const durationTicks = has(TfhdFlag.duration) ? reader.u32() : (known?.durationTicks ?? 0);
  const byteLength = has(TfhdFlag.size) ? reader.u32() : (known?.byteLength ?? 0);
  const sampleFlags = has(TfhdFlag.flags) ? reader.u32() : (known?.flags ?? 0);
  return {
    trackId,
    base,
    defaults: { descriptionIndex, durationTicks, byteLength, flags: sampleFlags },
  };
}

function readTime(tfdt: Uint8Array): number {
  const reader = new ByteReader(tfdt);
  const version = reader.u8();
  reader.u24();
  return version === 1 ? reader.u64() : reader.u32();
}

/** Returns the time behind the run. */
function readRun(
  trun: Uint8Array,
  base: number,
  place: { position: number },
  defaults: SampleDefaults,
  fromTicks: number,
  into: Mp4Sample[],
  budget: number,
): number {
  const reader = new ByteReader(trun);
  const flags = reader.u32() & 0xff_ffff;
  const has = (flag: number) => (flags & flag) !== 0;
  const count = reader.u32();
  if (count > budget - into.length) throw new ParseError(`a fragment of ${count} samples`);
  if (has(TrunFlag.dataOffset)) place.position = base + reader.i32();
  const firstFlags = has(TrunFlag.firstSampleFlags) ? reader.u32() : undefined;
  let decodeTicks = fromTicks;
  for (let index = 0; index < count; index += 1) {
    const durationTicks = has(TrunFlag.duration) ? reader.u32() : defaults.durationTicks;
    const byteLength = has(TrunFlag.size) ? reader.u32() : defaults.byteLength;
    const ownFlags = has(TrunFlag.flags) ? reader.u32() : defaults.flags;
    const sampleFlags = index === 0 ? (firstFlags ?? ownFlags) : ownFlags;
    into.push({
      position: place.position,
      byteLength,
      decodeTicks,
      // Version 0 has no sign; but writers put negative offsets there, too.
      compositionOffsetTicks: has(TrunFlag.compositionOffset) ? reader.i32() : 0,
      isSync: (sampleFlags & IS_NON_SYNC) === 0,
      descriptionIndex: defaults.descriptionIndex,
    });
    place.position += byteLength;
    decodeTicks += durationTicks;
  }
  return decodeTicks;
}
