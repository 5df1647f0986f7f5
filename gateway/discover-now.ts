/** The verb `discover`: asks everybody again now, and a network address by address, and tells what is known then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProtocolError } from '../codecs/errors.ts';
import type { Discovery } from '../drivers/discovery/discovery.ts';
import type { ScanProgress } from '../drivers/discovery/subnet-scan.ts';
import type { CommandData } from './report/command-data.ts';
import { type CommandArguments, CommandError } from './report/commands.ts';
import type { FoundDevice } from './report/status.ts';

/** A command may take a minute. A scan that needs longer goes on; the reply says how far it is. */
const SCAN_REPLY_MS = 50_000;

export async function discoverNow(
  discovery: Discovery | undefined,
  { timeoutMs, scan }: CommandArguments<'discover'>,
  found: () => readonly FoundDevice[],
  signal: AbortSignal,
): Promise<CommandData['discover']> {
  if (discovery === undefined) {
    throw new CommandError('disabled', 'discovery is switched off in the configuration');
  }
  discovery.probeNow();
  const waited = sleep(timeoutMs, undefined, { signal });
  if (scan === undefined) {
    await waited;
    return { devices: found() };
  }
  const [progress] = await Promise.all([scanned(discovery, scan, signal), waited]);
  return { devices: found(), scan: progress };
}

async function scanned(
  discovery: Discovery,
  network: string,
  signal: AbortSignal,
): Promise<ScanProgress & { isDone: boolean }> {
  let latest: ScanProgress = { network, asked: 0, addresses: 0, found: 0 };
  const scan = discovery.scan(network, signal, (progress) => {
    latest = progress;
  });
  const isDone = await Promise.race([
    scan.then(() => true, refusal),
    sleep(SCAN_REPLY_MS, false, { signal }),
  ]);
  return { ...latest, isDone };
}

function refusal(error: unknown): never {
  const isRunning = error instanceof ProtocolError && error.code === 'SCAN_RUNNING';
  throw isRunning ? new CommandError('busy', error.message) : error;
}
