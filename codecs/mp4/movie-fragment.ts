/** A movie fragment: the moof that describes the bytes of the mdat behind it. ISO/IEC 14496-12 §8.8. */
import { ByteWriter } from '../byte-writer.ts';
import { concat } from '../bytes.ts';
import { box, boxHeader, fullBox } from './boxes.ts';

export interface Sample {
  readonly durationTicks: number;
  readonly byteLength: number;
  /** PTS − DTS; may be negative. */
  readonly compositionOffsetTicks: number;
  readonly isSync: boolean;
}

/** The samples of one track, whose bytes lie one behind another in the mdat. */
export interface TrackRun {
  readonly trackId: number;
  readonly decodeTimeTicks: number;
  readonly samples: readonly Sample[];
}

const MDAT_HEADER_BYTES = 8;
/** §8.8.7: offsets count from the first byte of the moof. */
const TfhdFlags = { defaultSampleFlags: 0x20, defaultBaseIsMoof: 0x02_0000 } as const;
/** §8.8.8. */
const TrunFlags = {
  dataOffset: 1,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  offset: 0x800,
} as const;
const PLAIN_RUN = TrunFlags.dataOffset | TrunFlags.duration | TrunFlags.size;
const PICTURE_RUN = PLAIN_RUN | TrunFlags.flags | TrunFlags.offset;
/** §8.8.3.1: sample_depends_on 2 (nothing); 1 and sample_is_non_sync_sample. */
const SYNC_SAMPLE = 0x0200_0000;
const OTHER_SAMPLE = 0x0101_0000;

/** The moof and the header of the mdat. The runs' bytes follow, one run after the other, in this order. */
export function serializeFragmentHeader(
  sequenceNumber: number,
  runs: readonly TrackRun[],
): Uint8Array {
  const mfhd = fullBox('mfhd', 0, 0, new ByteWriter().u32(sequenceNumber).toBytes());
  const byteLengths = runs.map(byteLengthOf);
  // The size of a moof does not depend on the offsets within it.
  const { length } = box('moof', mfhd, ...runs.map((run) => traf(run, 0)));
  let offset = length + MDAT_HEADER_BYTES;
  const trafs = runs.map((run, index) => {
    const bytes = traf(run, offset);
    offset += byteLengths[index] ?? 0;
    return bytes;
  });
  return concat(box('moof', mfhd, ...trafs), boxHeader('mdat', offset - length));
}

function byteLengthOf({ samples }: TrackRun): number {
  let bytes = 0;
  for (const { byteLength } of samples) bytes += byteLength;
  return bytes;
}

function traf(run: TrackRun, dataOffset: number): Uint8Array {
  const flags = TfhdFlags.defaultBaseIsMoof | TfhdFlags.defaultSampleFlags;
  const header = new ByteWriter().u32(run.trackId).u32(SYNC_SAMPLE).toBytes();
  const time = new ByteWriter().u64(run.decodeTimeTicks).toBytes();
  return box(
    'traf',
    fullBox('tfhd', 0, flags, header),
    fullBox('tfdt', 1, 0, time),
    trun(run.samples, dataOffset),
  );
}

/** Version 1: composition offsets have a sign. Sound has neither offsets nor samples that depend on others. */
function trun(samples: readonly Sample[], dataOffset: number): Uint8Array {
  const isPlain = samples.every(
    ({ isSync, compositionOffsetTicks }) => isSync && compositionOffsetTicks === 0,
  );
  const writer = new ByteWriter().u32(samples.length).i32(dataOffset);
  for (const sample of samples) {
    writer.u32(sample.durationTicks).u32(sample.byteLength);
    if (isPlain) continue;
    writer.u32(sample.isSync ? SYNC_SAMPLE : OTHER_SAMPLE).i32(sample.compositionOffsetTicks);
  }
  return fullBox('trun', 1, isPlain ? PLAIN_RUN : PICTURE_RUN, writer.toBytes());
}
