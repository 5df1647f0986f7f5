/**
 * The newest snapshot of a camera, as something that an `img` shows. In the local view over HTTP, in the fleet view by the verb
 * `snapshot`, whose JPEG comes by its topic.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { canSnapshot } from '../camera/abilities.ts';
import type { Fleet, StreamModel } from '../model.ts';
import { pause } from '../pause.ts';
import { within } from '../within.ts';
import { SnapshotTurns } from './snapshot-turns.ts';

const PERIOD_MS = 10_000;
/** A camera that gave none is asked less often. */
const PERIOD_WITHOUT_MS = 60_000;
/** The gateway asks its camera for 5 s at most. */
const PATIENCE_MS = 15_000;
/** Cameras answer within seconds, boxes are small, and uplinks thin. */
const AT_A_TIME = 4;

const turns = new SnapshotTurns(AT_A_TIME);

export function useSnapshot(
  fleet: Fleet,
  stream: StreamModel,
  isWanted: boolean,
): string | undefined {
  const fetched = useSignal<string | undefined>(undefined);
  // Who asks for one that is known not to be there only fills the browser's console.
  const isThere = canSnapshot(stream.info.value);
  useEffect(() => {
    if (!isWanted || !isThere) return undefined;
    const ended = new AbortController();
    void keepFetching(async () => {
      if (!fleet.isLocal) {
        await fleet.command(stream.gateway, 'snapshot', { name: stream.name });
        return;
      }
      const url = await fetchSnapshot(stream.name, ended.signal);
      const before = fetched.value;
      fetched.value = url;
      if (before !== undefined) URL.revokeObjectURL(before);
    }, ended.signal);
    return () => ended.abort();
  }, [isWanted, isThere, fleet, stream]);
  useEffect(
    () => () => {
      if (fetched.value !== undefined) URL.revokeObjectURL(fetched.value);
    },
    [],
  );
  return fetched.value ?? stream.snapshot.value;
}

async function keepFetching(fetchOne: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A page that nobody sees asks nothing of cameras.
    const isDone =
      document.hidden || (await turns.take(() => fetchOne().then(isTrue, isFalse), signal));
    await pause(isDone === false ? PERIOD_WITHOUT_MS : PERIOD_MS, signal);
  }
}

const isTrue = () => true;
const isFalse = () => false;

async function fetchSnapshot(name: string, ended: AbortSignal): Promise<string> {
  const jpeg = await within(
    PATIENCE_MS,
    async (signal) => {
      const response = await fetch(`./live/${name}.jpg`, { signal, cache: 'no-store' });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return await response.blob();
    },
    ended,
  );
  ended.throwIfAborted();
  return URL.createObjectURL(jpeg);
}
