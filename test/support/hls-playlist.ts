/**
 * A strict reader of media playlists: draft-pantos-hls-rfc8216bis, as far as a live server with low latency is bound by it.
 * Every rule that is broken fails with the section that says so.
 */
import assert from 'node:assert/strict';

export interface HlsPart {
  readonly uri: string;
  readonly duration: number;
  readonly independent: boolean;
}

export interface HlsSegment {
  readonly number: number;
  readonly map: string;
  readonly discontinuity: boolean;
  readonly programDateTimeMs: number;
  readonly parts: readonly HlsPart[];
  /** undefined: the segment that is being made, of which only parts are listed. */
  readonly uri: string | undefined;
  readonly duration: number | undefined;
}

export interface HlsPlaylist {
  readonly targetDuration: number;
  readonly partTarget: number;
  readonly partHoldBack: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly independentSegments: boolean;
  readonly segments: readonly HlsSegment[];
  readonly preloadHint: string;
}

const TAGS_ONCE = [
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PART-INF',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-PRELOAD-HINT',
];
const KNOWN_TAGS = new Set([
  ...TAGS_ONCE,
  'EXTM3U',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-DISCONTINUITY',
  'EXT-X-MAP',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-PART',
  'EXTINF',
]);
/** A duration is written with five decimals. */
const ROUNDING_S = 0.00001;

/** Sums of such durations. */
const EQUAL_S = 0.01;

type Draft = {
  -readonly [Key in keyof HlsSegment]?: HlsSegment[Key];
} & { parts: HlsPart[] };

/** Of a tag: NAME=value,NAME="value", as §4.2 spells them. */
export function attributesOf(value: string): Record<string, string> {
  const list = /^(?:(?:^|,)[A-Z0-9-]+=(?:"[^"\r\n]*"|[^",\s]+))+$/;
  assert.match(value, list, '§4.2: an attribute list');
  const found: Record<string, string> = {};
  for (const [, name = '', text = ''] of value.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]+)/g)) {
    assert.ok(!(name in found), `§4.2: ${name} appears twice`);
    found[name] = text.replaceAll('"', '');
  }
  return found;
}

export function readMediaPlaylist(text: string): HlsPlaylist {
  assert.ok(text.endsWith('\n') && !text.includes('\r'), 'lines end with a line feed');
  const lines = text.split('\n').slice(0, -1);
  assert.equal(lines[0], '#EXTM3U', '§4.4.1.1: it begins with EXTM3U');
  const single = new Map<string, string>();
  const segments: HlsSegment[] = [];
  let independentSegments = false;
  let map: string | undefined;
  let draft: Draft = { parts: [] };
  const isBegun = () => draft.parts.length > 0 || draft.duration !== undefined;
  for (const line of lines) {
    assert.notEqual(line, '', 'no empty lines');
    if (!line.startsWith('#')) {
      assert.ok(draft.duration !== undefined, `§4.4.4.1: EXTINF before ${line}`);
      segments.push(finished({ ...draft, uri: line }, map, single, segments.length));
      draft = { parts: [] };
      continue;
    }
    const [tag = '', value = ''] = splitOnce(line.slice(1), ':');
    if (!tag.startsWith('EXT')) continue;
    assert.ok(KNOWN_TAGS.has(tag), `a tag that we do not write: ${tag}`);
    if (TAGS_ONCE.includes(tag)) {
      assert.ok(!single.has(tag), `§4.4.3: ${tag} appears twice`);
      single.set(tag, value);
    } else if (tag === 'EXT-X-INDEPENDENT-SEGMENTS') independentSegments = true;
    else if (tag === 'EXTINF') {
      assert.match(value, /^\d+\.\d{5},$/);
      draft.duration = Number.parseFloat(value);
    } else if (tag === 'EXT-X-PART') draft.parts.push(readPart(value));
    else if (tag !== 'EXTM3U') {
      assert.ok(!isBegun(), `§4.4.4.9: ${tag} stands before the first EXT-X-PART of its segment`);
      if (tag === 'EXT-X-DISCONTINUITY') draft.discontinuity = true;
      if (tag === 'EXT-X-MAP') map = attributesOf(value)['URI'];
      if (tag === 'EXT-X-PROGRAM-DATE-TIME') {
        assert.match(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        draft.programDateTimeMs = Date.parse(value);
      }
    }
  }
  assert.equal(draft.duration, undefined, '§4.4.4.1: a URI behind EXTINF');
  if (draft.parts.length > 0) segments.push(finished(draft, map, single, segments.length));
  const playlist = { ...headOf(single), independentSegments, segments };
  checkDurations(playlist);
  checkParts(playlist);
  checkTimes(playlist);
  return playlist;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function readPart(value: string): HlsPart {
  const { DURATION, URI, INDEPENDENT, ...others } = attributesOf(value);
  assert.deepEqual(others, {});
  assert.ok(URI !== undefined && DURATION !== undefined, '§4.4.4.9: URI and DURATION');
  assert.ok(INDEPENDENT === undefined || INDEPENDENT === 'YES', '§4.4.4.9: YES or not there');
  return { uri: URI, duration: Number(DURATION), independent: INDEPENDENT === 'YES' };
}

function finished(
  draft: Draft,
  map: string | undefined,
  single: ReadonlyMap<string, string>,
  index: number,
): HlsSegment {
  assert.ok(map !== undefined, '§4.4.4.5: fMP4 needs EXT-X-MAP');
  assert.ok(draft.programDateTimeMs !== undefined, 'each segment has its wall time');
  return {
    number: Number(single.get('EXT-X-MEDIA-SEQUENCE')) + index,
    map,
    discontinuity: draft.discontinuity === true,
    programDateTimeMs: draft.programDateTimeMs,
    parts: draft.parts,
    uri: draft.uri,
    duration: draft.duration,
  };
}

function headOf(single: ReadonlyMap<string, string>) {
  const integer = (tag: string) => {
    assert.match(single.get(tag) ?? '', /^\d+$/, `§4.2: ${tag} is a decimal integer`);
    return Number(single.get(tag));
  };
  assert.ok(integer('EXT-X-VERSION') >= 6, '§8: EXT-X-MAP without I-frames only needs version 6');
  const control = attributesOf(single.get('EXT-X-SERVER-CONTROL') ?? '');
  const info = attributesOf(single.get('EXT-X-PART-INF') ?? '');
  const hint = attributesOf(single.get('EXT-X-PRELOAD-HINT') ?? '');
  const targetDuration = integer('EXT-X-TARGETDURATION');
  const partTarget = Number(info['PART-TARGET']);
  const partHoldBack = Number(control['PART-HOLD-BACK']);
  assert.equal(control['CAN-BLOCK-RELOAD'], 'YES');
  assert.ok(partHoldBack >= 3 * partTarget - ROUNDING_S, '§4.4.3.8: at least three part targets');
  assert.ok(Number(control['HOLD-BACK']) >= 3 * targetDuration, '§4.4.3.8: three target durations');
  assert.equal(hint['TYPE'], 'PART');
  return {
    targetDuration,
    partTarget,
    partHoldBack,
    mediaSequence: integer('EXT-X-MEDIA-SEQUENCE'),
    discontinuitySequence: integer('EXT-X-DISCONTINUITY-SEQUENCE'),
    preloadHint: hint['URI'] ?? '',
  };
}

function checkDurations({ segments, targetDuration }: HlsPlaylist): void {
  for (const { duration, parts, uri } of segments) {
    if (duration === undefined) continue;
    assert.ok(Math.round(duration) <= targetDuration, `§4.4.3.1: ${uri} lasts ${duration} s`);
    if (parts.length === 0) continue;
    const sum = parts.reduce((total, part) => total + part.duration, 0);
    assert.ok(
      Math.abs(sum - duration) < parts.length * ROUNDING_S + ROUNDING_S,
      `${uri}: its parts`,
    );
  }
}

function checkParts({ segments, partTarget, targetDuration, preloadHint }: HlsPlaylist): void {
  let fromEnd = 0;
  for (const { parts, uri, duration } of segments.toReversed()) {
    const beyond = fromEnd - 3 * targetDuration;
    if (beyond > EQUAL_S) {
      assert.deepEqual(parts, [], '§6.2.2: no parts further back than three target durations');
    } else if (beyond < -EQUAL_S)
      assert.ok(parts.length > 0, '§6.2.2: parts within three target durations');
    fromEnd += duration ?? parts.reduce((total, part) => total + part.duration, 0);
    for (const [index, part] of parts.entries()) {
      assert.ok(part.duration <= partTarget + ROUNDING_S, `§4.4.4.9: ${part.uri} is too long`);
      const isLast = index === parts.length - 1 && uri !== undefined;
      const mayBeShort = isLast || part.independent;
      assert.ok(
        mayBeShort || part.duration >= 0.85 * partTarget - ROUNDING_S,
        `§4.4.4.9: ${part.uri} lasts ${part.duration} s, less than 85 % of ${partTarget}`,
      );
      assert.notEqual(part.uri, preloadHint, '§4.4.5.3: the hint is not listed yet');
    }
  }
}

function checkTimes({ segments }: HlsPlaylist): void {
  for (const [index, segment] of segments.entries()) {
    const before = segments[index - 1];
    if (before?.duration === undefined || segment.discontinuity) continue;
    const errorMs = segment.programDateTimeMs - before.programDateTimeMs - before.duration * 1000;
    assert.ok(Math.abs(errorMs) < 25, `§4.4.4.6: ${segment.uri} is ${errorMs} ms off`);
  }
}

/** What one playlist may be after another, §6.2.1 and §6.2.2. */
export function checkReload(before: HlsPlaylist, after: HlsPlaylist): void {
  assert.equal(after.targetDuration, before.targetDuration, '§6.2.1: TARGETDURATION stays');
  assert.equal(after.partTarget, before.partTarget, '§6.2.1: PART-TARGET stays');
  const gone = after.mediaSequence - before.mediaSequence;
  assert.ok(gone >= 0, '§4.4.3.2: EXT-X-MEDIA-SEQUENCE never goes back');
  const goneDiscontinuities = before.segments
    .slice(0, gone)
    .filter(({ discontinuity }) => discontinuity).length;
  if (gone <= before.segments.length) {
    assert.equal(
      after.discontinuitySequence,
      before.discontinuitySequence + goneDiscontinuities,
      '§6.2.2: EXT-X-DISCONTINUITY-SEQUENCE counts those that went',
    );
  }
  for (const old of before.segments.slice(gone)) {
    const now = after.segments.find(({ number }) => number === old.number);
    assert.ok(now !== undefined, `§6.2.1: segment ${old.number} vanished`);
    const { parts, uri, duration, ...facts } = old;
    assert.deepEqual(
      { ...now, parts, uri: uri ?? now.uri, duration: duration ?? now.duration },
      {
        ...facts,
        parts,
        uri: uri ?? now.uri,
        duration: duration ?? now.duration,
      },
    );
    if (now.parts.length > 0) {
      assert.deepEqual(now.parts.slice(0, parts.length), parts, '§6.2.1: parts are only added');
    }
  }
}
