/**
 * Did the far end get what the camera sent? Compares two lists of access units, bit for bit and in order,
 * from the first random access unit that both have. Video and audio are compared each on its own:
 * how they interleave is the muxer's choice.
 */
import assert from 'node:assert/strict';

/** Half a tick of FLV's milliseconds each way, and RTP's 90 kHz below that. */
const DEFAULT_TOLERANCE_US = 1000;

export interface CodedUnit {
  readonly kind: 'video' | 'audio';
  readonly ptsUs: number;
  /** undefined: that side does not know it. */
  readonly dtsUs?: number | undefined;
  /** Over AVCC data with 4-byte lengths, or over the bare AAC frame; hex. */
  readonly sha256: string;
  readonly key: boolean;
}

export type SeenUnit = Omit<CodedUnit, 'key'>;

export interface ComparisonOptions {
  readonly toleranceUs?: number;
  /** Fewer compared units than this prove nothing. */
  readonly fewest?: number;
}

export interface Comparison {
  readonly video: number;
  readonly audio: number;
  /**
   * By how much later the far end's audio is, against its video, than the camera's: what a
   * player shows as lips out of step. undefined without both kinds.
   */
  readonly audioDelayUs: number | undefined;
}

/** Throws an AssertionError that tells the first difference in words. */
export function assertSameUnits(
  sent: readonly CodedUnit[],
  seen: readonly SeenUnit[],
  options: ComparisonOptions = {},
): Comparison {
  const result = compareUnits(sent, seen, options);
  if (typeof result === 'string') assert.fail(result);
  return result;
}

/** The first difference in words, or how much was compared. */
export function compareUnits(
  sent: readonly CodedUnit[],
  seen: readonly SeenUnit[],
  { toleranceUs = DEFAULT_TOLERANCE_US, fewest = 1 }: ComparisonOptions = {},
): Comparison | string {
  const shifts = { video: 0, audio: 0 };
  const counts = { video: 0, audio: 0 };
  for (const kind of ['video', 'audio'] as const) {
    const far = seen.filter((unit) => unit.kind === kind);
    if (far.length === 0) continue;
    const near = sent.filter((unit) => unit.kind === kind);
    const start = firstCommonKey(near, far);
    if (start === undefined) {
      return `${kind}: none of the ${far.length} units seen is a random access unit of the ${near.length} sent`;
    }
    const problem = difference(near.slice(start.sent), far.slice(start.seen), toleranceUs);
    if (problem !== undefined) {
      return `${kind}, counted from sent unit ${start.sent} = seen unit ${start.seen}: ${problem}`;
    }
    shifts[kind] = far[start.seen]!.ptsUs - near[start.sent]!.ptsUs;
    counts[kind] = far.length - start.seen;
  }
  const compared = counts.video + counts.audio;
  if (compared < fewest) return `only ${compared} units compared, ${fewest} wanted`;
  const both = counts.video > 0 && counts.audio > 0;
  return { ...counts, audioDelayUs: both ? shifts.audio - shifts.video : undefined };
}

/** A test picture may repeat itself: of the places where both lists can begin, that with the longest equal run. */
function firstCommonKey(
  sent: readonly CodedUnit[],
  seen: readonly SeenUnit[],
): { sent: number; seen: number } | undefined {
  for (const [seenIndex, unit] of seen.entries()) {
    let best: { sent: number; seen: number } | undefined;
    let longest = 0;
    for (const [sentIndex, candidate] of sent.entries()) {
      if (!candidate.key || candidate.sha256 !== unit.sha256) continue;
      const length = equalRun(sent, sentIndex, seen, seenIndex);
      if (length > longest) {
        longest = length;
        best = { sent: sentIndex, seen: seenIndex };
      }
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

function equalRun(
  sent: readonly CodedUnit[],
  sentIndex: number,
  seen: readonly SeenUnit[],
  seenIndex: number,
): number {
  let length = 0;
  while (
    seenIndex + length < seen.length &&
    seen[seenIndex + length]?.sha256 === sent[sentIndex + length]?.sha256
  ) {
    length += 1;
  }
  return length;
}

function difference(
  sent: readonly CodedUnit[],
  seen: readonly SeenUnit[],
  toleranceUs: number,
): string | undefined {
  const firstSent = sent[0]!;
  const firstSeen = seen[0]!;
  for (const [index, far] of seen.entries()) {
    const near = sent[index];
    if (near === undefined)
      return `unit ${index} was seen, but the camera sent only ${sent.length}`;
    if (near.sha256 !== far.sha256) {
      return `unit ${index} is another one: ${whereabouts(sent, index, far)}`;
    }
    const ptsError = far.ptsUs - firstSeen.ptsUs - (near.ptsUs - firstSent.ptsUs);
    if (Math.abs(ptsError) > toleranceUs) {
      return `unit ${index} has a PTS ${lateness(ptsError)}`;
    }
    const offsetError = decodingDelay(far, firstSeen) - decodingDelay(near, firstSent);
    if (Math.abs(offsetError) > toleranceUs) {
      return `unit ${index} has a PTS−DTS that is wrong: ${lateness(offsetError)}`;
    }
  }
  return undefined;
}

/**
 * PTS−DTS against that of the first unit; NaN, which is never too large, when a DTS is not known.
 * Relative, because a decoder's delay before the first picture is free to choose.
 */
function decodingDelay(unit: SeenUnit, first: SeenUnit): number {
  if (unit.dtsUs === undefined || first.dtsUs === undefined) return Number.NaN;
  return unit.ptsUs - unit.dtsUs - (first.ptsUs - first.dtsUs);
}

function whereabouts(sent: readonly CodedUnit[], index: number, seen: SeenUnit): string {
  const later = sent.findIndex((unit, at) => at > index && unit.sha256 === seen.sha256);
  if (later !== -1) return `sent units ${index} to ${later - 1} are missing`;
  const earlier = sent.findLastIndex((unit, at) => at < index && unit.sha256 === seen.sha256);
  if (earlier !== -1) return `it repeats, or brings late, sent unit ${earlier}`;
  return `the camera sent ${sent[index]!.sha256}, the far end has ${seen.sha256}`;
}

function lateness(errorUs: number): string {
  return `${Math.abs(errorUs)} us ${errorUs > 0 ? 'late' : 'early'}`;
}
