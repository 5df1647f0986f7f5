/**
 * What was decided about devices, and what is known of them, kept in dataDir: a name once given stays, whatever becomes
 * known of a device later. Changes are in the file soon, all that came meanwhile at once.
 */
import type { Logger } from 'pino';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { endpointsOf } from '../../drivers/onvif/onvif-endpoint.ts';
import { type FileOperations, KeptFile } from '../kept-file.ts';
import { registerSecret } from '../secrets.ts';
import { urlsOf } from './adopted-life.ts';
import {
  type AdoptionRecord,
  MAX_IDS,
  MAX_PLACE_CHARS,
  MAX_PLACES,
  MAX_RECORDS,
  newRecord,
  readRecords,
  writeRecords,
} from './adoption-record.ts';

const FILE = 'adopted.json';
/** The disk was full or read-only. */
const TRY_AGAIN_MS = 60_000;

export type DeviceIdentity = Pick<
  DiscoveredDevice,
  'id' | 'addresses' | 'serial' | 'mac' | 'endpointReference'
>;

export interface AdoptionStateContext {
  readonly dataDir: string;
  readonly log: Logger;
  readonly now: () => number;
  /** Tests cut the power. */
  readonly operations?: FileOperations;
}

export class AdoptionState {
  readonly #context: AdoptionStateContext;
  readonly #file: KeptFile;
  readonly #records: Set<AdoptionRecord>;
  /** Of a later version of this program: left as it is. */
  #isForeign = false;
  /** The file is worth keeping beside the next one. */
  #isWhole = false;
  #isChanged = false;
  #writing: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(context: AdoptionStateContext) {
    this.#context = context;
    this.#file = new KeptFile(context.dataDir, FILE, context.operations);
    this.#records = new Set(this.#read());
    for (const { credentials } of this.#records) registerSecret(credentials?.password ?? '');
  }

  get records(): readonly AdoptionRecord[] {
    return [...this.#records];
  }

  /** What is kept of this device: by what it is, and by where it was listed only where nothing else is known. */
  find(device: DeviceIdentity): AdoptionRecord | undefined {
    const marks = ['serial', 'mac', 'endpointReference'] as const;
    const same = [...this.#records].filter((record) => !contradicts(record, device));
    for (const mark of marks) {
      const found = same.find((each) => each[mark] !== undefined && each[mark] === device[mark]);
      if (found !== undefined) return found;
    }
    return same.find(({ ids }) => ids.includes(device.id));
  }

  isTaken(name: string): boolean {
    return [...this.#records].some((record) => record.name === name);
  }

  /** A new one of this device; the one that was not seen for longest makes room. */
  add(device: DeviceIdentity): AdoptionRecord {
    if (this.#records.size >= MAX_RECORDS) this.#makeRoom();
    const record = newRecord(this.#nowIso);
    this.#records.add(record);
    this.recognise(record, device);
    return record;
  }

  /** Takes over what has become known of who it is. */
  recognise(record: AdoptionRecord, device: DeviceIdentity): void {
    const { id, addresses, serial, mac, endpointReference } = device;
    record.seenAt = this.#nowIso;
    // An address is nobody's name, but for those who have no other.
    const isAddress = addresses.some((address) => idOf(address) === id);
    const isWeak = [record.serial, record.mac, record.endpointReference].every(
      (mark) => mark === undefined,
    );
    const isNew = !record.ids.includes(id) && (!isAddress || isWeak);
    this.change(record, {
      ...(record.serial === undefined && serial !== undefined ? { serial } : {}),
      ...(record.mac === undefined && mac !== undefined ? { mac } : {}),
      // Made anew at a factory reset, and by some at every start.
      ...(endpointReference === undefined ? {} : { endpointReference }),
      ...(isNew ? { ids: [...record.ids, id].slice(-MAX_IDS) } : {}),
    });
  }

  /** Where it is now, so that it is tried there after a restart. */
  learnPlace(record: AdoptionRecord, device: DiscoveredDevice): void {
    this.recognise(record, device);
    if (device.addresses.length === 0) return;
    const endpoints = endpointsOf(device)
      .filter(({ path }) => path.length <= MAX_PLACE_CHARS)
      .slice(0, MAX_PLACES);
    const urls = urlsOf(device).filter((url) => url.length <= MAX_PLACE_CHARS);
    const { sourceUrl } = record;
    this.change(record, {
      addresses: device.addresses.slice(0, MAX_PLACES),
      ...(endpoints.length > 0 ? { endpoints } : {}),
      ...(sourceUrl !== undefined && urls[0] !== undefined && !urls.includes(sourceUrl)
        ? { sourceUrl: urls[0] }
        : {}),
    });
  }

  change(record: AdoptionRecord, to: Partial<AdoptionRecord>): void {
    const before = JSON.stringify(record);
    Object.assign(record, to);
    registerSecret(to.credentials?.password ?? '');
    if (this.#records.has(record) && JSON.stringify(record) !== before) this.#save();
  }

  remove(record: AdoptionRecord): void {
    if (this.#records.delete(record)) this.#save();
  }

  /** Resolves when all that was changed is on the disk, or could not be written. */
  async written(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    clearTimeout(this.#again);
  }

  #makeRoom(): void {
    let least: AdoptionRecord | undefined;
    for (const record of this.#records) {
      if (least === undefined || rank(record) < rank(least)) least = record;
    }
    if (least === undefined) return;
    this.#context.log.warn({ stream: least.name }, 'too many devices: the oldest is forgotten');
    this.#records.delete(least);
  }

  #read(): AdoptionRecord[] {
    const { log, dataDir } = this.#context;
    for (const which of ['newest', 'previous'] as const) {
      const text = this.#file.read(which);
      if (text === undefined) continue;
      const read = readRecords(text, this.#nowIso);
      switch (read.at) {
        case 'read':
          if (which === 'previous') {
            log.warn({ dataDir }, `${FILE} is missing or damaged: the copy before it is used`);
          }
          if (read.leftOut > 0) {
            log.warn({ dataDir, leftOut: read.leftOut }, `${FILE} has devices that make no sense`);
          }
          this.#isWhole = which === 'newest';
          return read.records;
        case 'unknown':
          this.#isForeign = true;
          log.error(
            { dataDir, version: read.version },
            `${FILE} was written by a later version of Sluice: it is left as it is, and nothing decided now is kept. Install that version, or move the file away.`,
          );
          return [];
        case 'damaged':
          log.warn({ dataDir, which }, `${FILE} is damaged`);
      }
    }
    return [];
  }

  #save(): void {
    this.#isChanged = true;
    if (this.#isForeign) return;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    const { log, dataDir } = this.#context;
    // What else changes in this moment goes with it.
    await Promise.resolve();
    while (this.#isChanged) {
      this.#isChanged = false;
      try {
        await this.#file.write(writeRecords(this.records), this.#isWhole);
        this.#isWhole = true;
      } catch (err) {
        log.warn({ err, dataDir }, 'cannot keep what is known of cameras; check gateway.dataDir');
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.#save(), TRY_AGAIN_MS).unref();
        break;
      }
    }
    // Not a moment later: a change in between would wait for the next.
    this.#writing = undefined;
  }

  get #nowIso(): string {
    return new Date(this.#context.now()).toISOString();
  }
}

/** A different serial or hardware address is another device; factories clone endpoint references. */
function contradicts(record: AdoptionRecord, device: DeviceIdentity): boolean {
  return (['serial', 'mac'] as const).some(
    (mark) =>
      record[mark] !== undefined && device[mark] !== undefined && record[mark] !== device[mark],
  );
}

/** As the registry makes one of an address. */
function idOf(address: string): string {
  return address.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function rank({ decision, seenAt }: AdoptionRecord): number {
  return Date.parse(seenAt) - (decision === 'undecided' ? Number.MAX_SAFE_INTEGER : 0);
}
