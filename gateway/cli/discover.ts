/** `sluice discover`: lists the cameras that answer on the LAN, and exits. */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { ParseError } from '../../codecs/errors.ts';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { discoverOnce } from '../../drivers/discovery/discovery.ts';
import { listInterfaces } from '../../drivers/discovery/interfaces.ts';
import { parseScanNetwork } from '../../drivers/discovery/scan-network.ts';
import type { ScanProgress } from '../../drivers/discovery/subnet-scan.ts';
import { type Finding, findingOf } from '../finding.ts';

const DEFAULT_TIMEOUT_MS = 4000;
const MAX_TIMEOUT_MS = 10 * 60_000;

export const DISCOVER_USAGE = `usage: sluice discover [--json] [--timeout-ms N] [--interface NAME] [--scan NETWORK]

Asks by ONVIF WS-Discovery and mDNS, lists every camera and encoder that answers, and exits. SOURCE is what to set as a
stream's source in sluice.yaml, or to give to "sluice probe". Nothing is logged in to, no password is tried.

  --json            one JSON array instead of a table: each device with code, reason and source
  --timeout-ms N    how long to listen for answers (default ${DEFAULT_TIMEOUT_MS})
  --interface NAME  speak on this interface only; may be given several times
  --scan NETWORK    ask each address of a private network, too, 50 a second: for cameras behind a router, and those with
                    ONVIF discovery switched off. A /20 at most takes 82 s; Ctrl-C lists what was found until then

examples: sluice discover
          sluice discover --scan 10.0.0.0/24
          sluice discover --json | jq -r '.[].source'`;

interface Arguments {
  readonly json: boolean;
  readonly timeoutMs: number;
  readonly interfaces: readonly string[];
  readonly scan: string | undefined;
}

export async function discover(argv: string[]): Promise<number> {
  const parsed = parseArguments(argv);
  if (parsed === 'help') {
    process.stdout.write(`${DISCOVER_USAGE}\n`);
    return 0;
  }
  if (parsed instanceof Error) {
    process.stderr.write(`sluice discover: ${parsed.message}\n`);
    return 2;
  }
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const progress = new Progress(process.stderr.isTTY && !parsed.json);
  try {
    const devices = await discoverOnce({
      ...parsed,
      log: pino({ level: 'silent' }),
      onDevices: (list) => {
        progress.found = list.length;
      },
      onScan: (scan) => {
        progress.scan = scan;
      },
      signal: interrupted.signal,
    });
    progress.end();
    process.stdout.write(parsed.json ? toJson(devices) : describe(devices));
    if (!interrupted.signal.aborted) return 0;
    process.stderr.write(`sluice discover: stopped${progress.scanWords}\n`);
    return 1;
  } finally {
    progress.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** On a terminal only. */
class Progress {
  found = 0;
  scan: ScanProgress | undefined;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #isShown = false;

  constructor(isShown: boolean) {
    if (isShown) this.#timer = setInterval(() => this.#show(), 250);
  }

  get scanWords(): string {
    const { network, asked, addresses } = this.scan ?? {};
    return network === undefined ? '' : ` after ${asked} of ${addresses} addresses of ${network}`;
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#isShown) process.stderr.write('\r\x1b[K');
    this.#isShown = false;
  }

  #show(): void {
    const seconds = Math.round((performance.now() - this.#startedMs) / 1000);
    this.#isShown = true;
    process.stderr.write(
      `\r\x1b[Klooking for cameras … ${seconds} s, ${this.found} found${this.scanWords} `,
    );
  }
}

function parseArguments(argv: string[]): Arguments | Error | 'help' {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        json: { type: 'boolean', default: false },
        'timeout-ms': { type: 'string', default: String(DEFAULT_TIMEOUT_MS) },
        interface: { type: 'string', multiple: true, default: [] },
        scan: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const timeoutMs = Number(values['timeout-ms']);
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
      return new Error(`--timeout-ms: expected a whole number from 1 to ${MAX_TIMEOUT_MS}`);
    }
    for (const name of values.interface) {
      if (listInterfaces([name]).length === 0) {
        return new Error(`--interface: no interface "${name}" with an address on this machine`);
      }
    }
    const scan = values.scan === undefined ? undefined : parseScanNetwork(values.scan).name;
    return { json: values.json, timeoutMs, interfaces: values.interface, scan };
  } catch (error) {
    if (error instanceof ParseError) return new Error(`--scan: expected ${error.message}`);
    return error instanceof Error ? error : new Error(String(error));
  }
}

const NOTHING_FOUND = `No camera answered. Where to look:
  - Is the camera in the same subnet as this machine? Discovery does not cross routers or VLANs.
  - Is ONVIF switched on in the camera? Hikvision, Dahua and Reolink ship with it off.
  - Does a switch or Wi-Fi access point hold back multicast (IGMP snooping, client isolation)?
  - Does a firewall here drop UDP port 3702 (WS-Discovery) or 5353 (mDNS)?
  - In a container? It needs the host's network (docker run --network host).
A camera whose address you know needs no discovery: use onvif://ADDRESS or rtsp://ADDRESS/… as its source.
One whose network you know: sluice discover --scan 10.0.0.0/24 asks each of its addresses.
`;

function toJson(devices: readonly DiscoveredDevice[]): string {
  const found = devices.map((device) => ({ ...device, ...findingOf(device) }));
  return `${JSON.stringify(found, null, 2)}\n`;
}

function describe(devices: readonly DiscoveredDevice[]): string {
  if (devices.length === 0) return NOTHING_FOUND;
  const found = devices.map((device) => ({ device, finding: findingOf(device) }));
  const titles = ['ID', 'ADDRESS', 'MAKE', 'MODEL', 'SEEN BY', 'CODE', 'SOURCE'];
  const rows = [titles, ...found.map(({ device, finding }) => toRow(device, finding))];
  const widths = titles.map((_title, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  // What there is nothing to do about needs no words.
  const notes = found.flatMap(({ device, finding }) =>
    finding.reason === '' ? [] : [`${device.id}: ${finding.reason}`],
  );
  return `${[...lines, ...notes].join('\n')}\n`;
}

function toRow(device: DiscoveredDevice, { code, source }: Finding): string[] {
  return [
    device.id,
    device.addresses[0] ?? '-',
    device.manufacturer ?? '-',
    device.model ?? device.name ?? '-',
    device.via.join(','),
    code,
    source ?? '-',
  ];
}
