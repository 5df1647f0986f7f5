/**
 * Where a fragmented MP4 file of ours can be gone on with: behind its last whole fragment. The index at its end, where it was closed, says
 * where the fragments are; else, after a crash, they are walked from the front.
 */
import { ParseError } from '../../codecs/errors.ts';
import { findBox } from '../../codecs/mp4/boxes.ts';
import { parseFragment, type TrackFragment } from '../../codecs/mp4/fragment-samples.ts';
import { type Movie, parseMovie } from '../../codecs/mp4/movie.ts';
import {
  MFRO_BYTES,
  parseRandomAccessIndex,
  type RandomAccessPoint,
  randomAccessIndexSize,
} from '../../codecs/mp4/random-access-index.ts';
import type { FileRanges } from '../vod/file-ranges.ts';
import { boxAt } from '../vod/mp4-boxes.ts';

const MAX_MOOF_BYTES = 2 * 1024 * 1024;
const MAX_MFRA_BYTES = 1024 * 1024;
const LEAD_TRACK = 1;

export interface FragmentsTail {
  readonly end: number;
  /** Since the beginning of the file. */
  readonly endUs: number;
  readonly points: readonly (RandomAccessPoint & { readonly timeMs: number })[];
}

/** `init`: what the file begins with. */
export async function findFragmentsTail(
  file: FileRanges,
  init: Uint8Array,
): Promise<FragmentsTail> {
  const moov = findBox(init, 'moov');
  if (moov === undefined) throw new ParseError('there is no moov');
  const movie = parseMovie(moov);
  const timescale = (movie.video ?? movie.audio)?.timescale ?? 1;
  const named = await namedPoints(file, init.length);
  const walk = { end: init.length, endUs: 0, points: [...named] };
  let at = named.at(-1)?.position ?? init.length;
  for (;;) {
    const fragment = await fragmentAt(file, at, movie);
    if (fragment === undefined) break;
    walk.end = fragment.end;
    walk.endUs = Math.max(walk.endUs, fragment.endUs);
    const isNew = at > (walk.points.at(-1)?.position ?? 0);
    if (isNew && fragment.ticks !== undefined)
      walk.points.push({ ticks: fragment.ticks, position: at });
    at = fragment.end;
  }
  const points = walk.points.map((point) => ({
    ...point,
    timeMs: (point.ticks * 1000) / timescale,
  }));
  return { end: walk.end, endUs: walk.endUs, points };
}

/** Only where all of it is so: the last one is looked at. */
async function namedPoints(file: FileRanges, initEnd: number): Promise<RandomAccessPoint[]> {
  const size = randomAccessIndexSize(await file.view(file.size - MFRO_BYTES, MFRO_BYTES));
  if (size === undefined || size > MAX_MFRA_BYTES) return [];
  const mfra = await boxAt(file, file.size - size);
  if (mfra?.type !== 'mfra' || mfra.end !== file.size) return [];
  const bytes = new Uint8Array(mfra.end - mfra.at - mfra.headerBytes);
  if (!(await file.read(mfra.at + mfra.headerBytes, bytes))) return [];
  try {
    const points = parseRandomAccessIndex(bytes, LEAD_TRACK);
    const last = points.at(-1)?.position ?? 0;
    const isSo = last >= initEnd && (await boxAt(file, last))?.type === 'moof';
    return isSo ? points : [];
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}

interface WholeFragment {
  readonly end: number;
  readonly endUs: number;
  /** When its first picture is shown, if decoding may start there. */
  readonly ticks: number | undefined;
}

/** undefined: none begins there, or it is torn. */
async function fragmentAt(
  file: FileRanges,
  at: number,
  movie: Movie,
): Promise<WholeFragment | undefined> {
  const moof = await boxAt(file, at);
  if (moof?.type !== 'moof' || moof.end - at > MAX_MOOF_BYTES) return undefined;
  const mdat = await boxAt(file, moof.end);
  if (mdat?.type !== 'mdat' || mdat.end > file.size) return undefined;
  const bytes = new Uint8Array(moof.end - at - moof.headerBytes);
  if (!(await file.read(at + moof.headerBytes, bytes))) return undefined;
  try {
    const tracks = parseFragment(bytes, at, movie.fragmentDefaults ?? new Map(), new Map());
    const [first] = tracks.find(({ trackId }) => trackId === LEAD_TRACK)?.samples ?? [];
    const ticks =
      first?.isSync === true ? first.decodeTicks + first.compositionOffsetTicks : undefined;
    return { end: mdat.end, endUs: endOf(tracks, movie), ticks };
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function endOf(tracks: readonly TrackFragment[], { video, audio }: Movie): number {
  let endUs = 0;
  for (const { trackId, endTicks } of tracks) {
    const track = [video, audio].find((each) => each?.id === trackId);
    if (track === undefined) continue;
    endUs = Math.max(endUs, (endTicks * 1_000_000) / track.timescale);
  }
  return Math.round(endUs);
}
