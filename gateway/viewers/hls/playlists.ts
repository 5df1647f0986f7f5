/**
 * The playlists: draft-pantos-hls-rfc8216bis §4 (tags), §6.2 (what a server must keep to), appendix B (low latency).
 *
 * What stands behind a token comes by query, because players send no headers; it goes on to every URI.
 */
import type { TrackDescription } from '../../../codecs/describe-track.ts';
import type { Segment } from './segment.ts';
import type { Segmenter } from './segmenter.ts';

/** A live player holds back three target durations (§6.3.3), and must still find its segment a little later. */
export const LISTED_SEGMENTS = 7;
/** Parts further back than three target durations are of no use (§6.2.2). */
const PARTS_FOR_TARGET_DURATIONS = 3;
/** EXT-X-MAP in a playlist of pictures and sound. */
const VERSION = 6;
/** §4.4.3.8: at least three part targets, and three target durations. */
const HOLD_BACKS = 3;

/** `suffix` stands behind every URI: '' or '?token=…'. Call it only when both targets are known. */
export function mediaPlaylist(segmenter: Segmenter, suffix: string): string {
  const { segments, targetDurationS = 0, partTargetUs = 0, nextPart } = segmenter;
  const whole = segments.filter(({ isComplete }) => isComplete);
  const listed = whole.slice(-LISTED_SEGMENTS);
  const open = segments.at(-1)?.isComplete === false ? segments.at(-1) : undefined;
  const shown = open === undefined || open.parts.length === 0 ? listed : [...listed, open];
  const unlisted = whole.slice(0, -LISTED_SEGMENTS);
  const gone =
    segmenter.discontinuitiesGone +
    unlisted.filter(({ isDiscontinuity }) => isDiscontinuity).length;
  const partHoldBack = seconds(HOLD_BACKS * partTargetUs);
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${VERSION}`,
    `#EXT-X-TARGETDURATION:${targetDurationS}`,
    `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${partHoldBack},HOLD-BACK=${HOLD_BACKS * targetDurationS}`,
    `#EXT-X-PART-INF:PART-TARGET=${seconds(partTargetUs)}`,
    `#EXT-X-MEDIA-SEQUENCE:${shown[0]?.number ?? nextPart.segment}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${gone}`,
  ];
  if (shown.every(({ isIndependent }) => isIndependent)) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  const partsFrom = firstWithParts(shown, targetDurationS);
  let initialization: Segment['initialization'] | undefined;
  for (const [index, segment] of shown.entries()) {
    lines.push(...headOf(segment, segment.initialization === initialization, suffix));
    if (index >= partsFrom) lines.push(...partsOf(segment, suffix));
    if (segment.isComplete) {
      lines.push(
        `#EXTINF:${seconds(segment.durationUs)},`,
        `${segmentName(segment.number)}${suffix}`,
      );
    }
    initialization = segment.initialization;
  }
  const hint = partName(nextPart.segment, nextPart.part);
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${hint}${suffix}"`, '');
  return lines.join('\n');
}

function headOf(segment: Segment, isMapKnown: boolean, suffix: string): string[] {
  const lines = [];
  if (segment.isDiscontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (!isMapKnown || segment.isDiscontinuity) {
    lines.push(`#EXT-X-MAP:URI="${initializationName(segment.initialization.number)}${suffix}"`);
  }
  lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedAtMs).toISOString()}`);
  return lines;
}

function partsOf({ number, parts }: Segment, suffix: string): string[] {
  return parts.map(({ durationUs, isIndependent }, index) => {
    const independent = isIndependent ? ',INDEPENDENT=YES' : '';
    const uri = `${partName(number, index)}${suffix}`;
    return `#EXT-X-PART:DURATION=${seconds(durationUs)},URI="${uri}"${independent}`;
  });
}

/** The index of the first segment that ends within the last three target durations. */
function firstWithParts(shown: readonly Segment[], targetDurationS: number): number {
  let leftUs = PARTS_FOR_TARGET_DURATIONS * targetDurationS * 1_000_000;
  for (let index = shown.length - 1; index >= 0; index -= 1) {
    if (leftUs <= 0) return index + 1;
    leftUs -= shown[index]?.durationUs ?? 0;
  }
  return 0;
}

/** `description`: of the picture, where there is one. */
export function multivariantPlaylist(
  segmenter: Segmenter,
  description: TrackDescription | undefined,
  suffix: string,
): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${VERSION}`];
  // For people, and for our page: a comment to players.
  if (segmenter.leftOut.length > 0) lines.push(`# left out: ${segmenter.leftOut.join(', ')}`);
  const { peak, average } = bandwidths(segmenter.segments);
  const codecs = segmenter.segments.at(-1)?.initialization.codecs.join(',') ?? '';
  const attributes = [`BANDWIDTH=${peak}`, `AVERAGE-BANDWIDTH=${average}`, `CODECS="${codecs}"`];
  const { width, height, fps } = description ?? {};
  if (width !== undefined) attributes.push(`RESOLUTION=${width}x${height}`);
  if (fps !== undefined) attributes.push(`FRAME-RATE=${fps.toFixed(3)}`);
  lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, `media.m3u8${suffix}`, '');
  return lines.join('\n');
}

/** Bits a second, of whole segments. */
function bandwidths(segments: readonly Segment[]): { peak: number; average: number } {
  const whole = segments.filter(({ isComplete }) => isComplete);
  let peak = 1;
  let bytes = 0;
  let durationUs = 0;
  for (const segment of whole) {
    peak = Math.max(peak, (segment.byteLength * 8_000_000) / segment.durationUs);
    bytes += segment.byteLength;
    durationUs += segment.durationUs;
  }
  const average = durationUs === 0 ? 1 : (bytes * 8_000_000) / durationUs;
  return { peak: Math.ceil(peak), average: Math.ceil(average) };
}

export function initializationName(number: number): string {
  return `init-${number}.mp4`;
}

export function segmentName(number: number): string {
  return `segment-${number}.m4s`;
}

export function partName(segment: number, part: number): string {
  return `part-${segment}-${part}.m4s`;
}

/** Never longer than it is by rounding: parts are compared with their target. */
function seconds(us: number): string {
  return (us / 1_000_000).toFixed(5);
}
