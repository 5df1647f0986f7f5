/** What differs between two configurations, and which of it a running service takes over. */
import { isDeepStrictEqual } from 'node:util';
import { formatPath, type KeyPath } from './config-error.ts';
import { isMap } from './describe-issue.ts';
import type { Config } from './schema.ts';

export interface Difference {
  /** Paths of keys; of streams their names. */
  readonly live: readonly string[];
  /** Take effect at the next start. */
  readonly restartNeeded: readonly string[];
}

export function difference(running: Config, wanted: Config): Difference {
  const live: string[] = [];
  const restartNeeded: string[] = [];
  for (const path of differences(running, wanted, [])) {
    (isLive(path, running, wanted) ? live : restartNeeded).push(formatPath(path));
  }
  return { live, restartNeeded };
}

/** What is running once the live part of `wanted` is taken over. */
export function withLiveParts(running: Config, wanted: Config): Config {
  const { adopt, name, credentials } = wanted.discovery;
  return {
    ...running,
    log: wanted.log,
    streams: wanted.streams,
    discovery: {
      ...running.discovery,
      ...{ name, credentials },
      adopt: isAdoptLive(running, wanted) ? adopt : running.discovery.adopt,
    },
    proxypublish: { ...running.proxypublish, targets: wanted.proxypublish.targets },
  };
}

function isLive([section, key]: KeyPath, running: Config, wanted: Config): boolean {
  switch (section) {
    case 'streams':
      return true;
    case 'log':
      return key === 'level';
    case 'proxypublish':
      return key === 'targets';
    case 'discovery':
      if (key === 'adopt') return isAdoptLive(running, wanted);
      return key === 'credentials' || key === 'name';
    default:
      return false;
  }
}

/** `off` is without streams of what was adopted before, which are made or ended at a start only. */
function isAdoptLive(running: Config, wanted: Config): boolean {
  return running.discovery.adopt !== 'off' && wanted.discovery.adopt !== 'off';
}

/** Maps are gone into, but for single streams; lists are one value. */
function differences(before: unknown, after: unknown, path: KeyPath): KeyPath[] {
  if (isDeepStrictEqual(before, after)) return [];
  const isWhole = path[0] === 'streams' && path.length === 2;
  if (isWhole || !isMap(before) || !isMap(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(own(before, key), own(after, key), [...path, key]));
}

/** A stream may be called constructor. */
function own(map: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
