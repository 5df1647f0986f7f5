/** What publish and play ask for. RTMP 1.0 §7.2.2.1 and §7.2.2.6; tolerant, as servers have to be. */
import type { RtmpCommand } from './command.ts';
import type { PublishType } from './publish-session.ts';
import { type RtmpQuery, splitQuery } from './query.ts';

/** Stream keys with a signed query have some 300. */
const MAX_NAME_CHARACTERS = 1024;

export interface StreamName {
  /** As it was said, `mp4:` and `flv:` included, without the query. */
  readonly name: string;
  readonly query: RtmpQuery;
}

export interface PublishRequest extends StreamName {
  readonly publishType: PublishType;
}

export interface PlayRequest extends StreamName {
  /** Where to begin in a recording; undefined: what is live. */
  readonly startMs: number | undefined;
  /** How much of it; undefined: all. */
  readonly lengthMs: number | undefined;
}

/** undefined without a name, or with one longer than any. */
export function parsePublish(command: RtmpCommand): PublishRequest | undefined {
  const name = parseStreamName(command);
  if (name === undefined) return undefined;
  const [, type] = command.values.filter((value) => typeof value === 'string');
  return { ...name, publishType: type === 'record' || type === 'append' ? type : 'live' };
}

/**
 * The start is -2 (live, else recorded), -1 (live) or seconds in the specification; Flash Player, ffmpeg and
 * librtmp send milliseconds: -2000, -1000. The length likewise, and -1 for all of it.
 */
export function parsePlay(command: RtmpCommand): PlayRequest | undefined {
  const name = parseStreamName(command);
  if (name === undefined) return undefined;
  const [start, length] = command.values.filter((value) => typeof value === 'number');
  return { ...name, startMs: asTime(start), lengthMs: asTime(length) };
}

function asTime(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The first text among the values: some clients leave out the null before it. */
export function parseStreamName(command: RtmpCommand): StreamName | undefined {
  const text = command.values.find((value) => typeof value === 'string');
  if (text === undefined || text === '' || text.length > MAX_NAME_CHARACTERS) return undefined;
  const { path, query } = splitQuery(text);
  return { name: path, query };
}
