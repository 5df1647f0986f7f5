/** Who this gateway is: its id, and the number of its present life. Both are kept in dataDir. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from './schema.ts';

const ID_FILE = 'gateway-id';
const SESSION_FILE = 'session';

/** machine-id(5) asks that it be not shown as it is: keyed with this it tells nothing. */
const ID_KEY = 'sluice gateway id';

/** The configured id, or one derived from the machine at the first start and kept since. */
export function gatewayId(config: Config, log: Logger): string {
  if (config.gateway.id !== undefined) return config.gateway.id;
  const { dataDir } = config.gateway;
  const kept = readTrimmed(join(dataDir, ID_FILE));
  if (kept !== undefined && /^[a-z0-9-]{1,48}$/.test(kept)) return kept;
  const id = `gw-${createHmac('sha256', ID_KEY).update(machineMark()).digest('hex').slice(0, 10)}`;
  keep(dataDir, ID_FILE, id, log);
  return id;
}

/** One more than at the last start. */
export function nextSession(config: Config, log: Logger): number {
  const { dataDir } = config.gateway;
  const last = Number(readTrimmed(join(dataDir, SESSION_FILE)) ?? '0');
  const session = Number.isSafeInteger(last) && last >= 0 ? last + 1 : 1;
  keep(dataDir, SESSION_FILE, String(session), log);
  return session;
}

/** Replaced as a whole: a power cut leaves the old file or the new one. */
export function writeAtomically(folder: string, file: string, text: string, mode = 0o666): void {
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `.${file}.${process.pid}`);
  writeFileSync(temporary, text, { flush: true, mode });
  renameSync(temporary, join(folder, file));
}

/** A card gone read-only must not keep cameras from being published. */
function keep(dataDir: string, file: string, text: string, log: Logger): void {
  try {
    writeAtomically(dataDir, file, `${text}\n`);
  } catch (err) {
    log.warn({ err, dataDir }, 'cannot write to dataDir: nothing will be kept over a restart');
  }
}

function machineMark(): string {
  const machineId = readTrimmed('/etc/machine-id') ?? readTrimmed('/var/lib/dbus/machine-id');
  if (machineId !== undefined && machineId !== '') return machineId;
  const mac = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.mac !== '00:00:00:00:00:00')?.mac;
  return mac ?? randomBytes(16).toString('hex');
}

function readTrimmed(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Not there, or not yet.
    return undefined;
  }
}
