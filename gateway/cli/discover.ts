/** `sluice discover`: lists the cameras that answer on the LAN, and exits. */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { discoverOnce } from '../../drivers/discovery/discovery.ts';
import { listInterfaces } from '../../drivers/discovery/interfaces.ts';
import { apartWords } from '../apart.ts';

const DEFAULT_TIMEOUT_MS = 4000;
const MAX_TIMEOUT_MS = 10 * 60_000;

export const DISCOVER_USAGE = `usage: sluice discover [--json] [--timeout-ms N] [--interface NAME]

  --json            one JSON array instead of a table
  --timeout-ms N    how long to listen for answers (default ${DEFAULT_TIMEOUT_MS})
  --interface NAME  speak on this interface only; may be given several times`;

interface Arguments {
  readonly json: boolean;
  readonly timeoutMs: number;
  readonly interfaces: readonly string[];
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
  const started = performance.now();
  const isTerminal = process.stderr.isTTY && !parsed.json;
  let found = 0;
  const showProgress = () => {
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`\rlooking for cameras … ${seconds} s, ${found} found `);
  };
  const progress = isTerminal ? setInterval(showProgress, 250) : undefined;
  try {
    const devices = await discoverOnce({
      ...parsed,
      log: pino({ level: 'silent' }),
      onDevices: (list) => {
        found = list.length;
      },
    });
    if (isTerminal) process.stderr.write('\r\x1b[K');
    process.stdout.write(parsed.json ? `${JSON.stringify(devices, null, 2)}\n` : describe(devices));
    return 0;
  } finally {
    clearInterval(progress);
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
    return { json: values.json, timeoutMs, interfaces: values.interface };
  } catch (error) {
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
`;

function describe(devices: readonly DiscoveredDevice[]): string {
  if (devices.length === 0) return NOTHING_FOUND;
  const rows = [['ID', 'ADDRESS', 'MAKE', 'MODEL', 'SEEN BY', 'URL'], ...devices.map(toRow)];
  const widths = (rows[0] ?? []).map((_title, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const apart = devices
    .map(({ addresses, answered }) => apartWords(addresses, answered))
    .filter(Boolean);
  return `${[...lines, ...apart].join('\n')}\n`;
}

function toRow(device: DiscoveredDevice): string[] {
  return [
    device.id,
    device.addresses[0] ?? '-',
    device.manufacturer ?? '-',
    device.model ?? device.name ?? '-',
    device.via.join(','),
    device.xaddrs[0] ?? device.rtspUrls[0] ?? device.sourceUrls[0] ?? '-',
  ];
}
