/**
 * The mDNS browser through Avahi, by the npm package `mdns` (optional, not installed by default).
 *
 * `mdns` 2.7.2 aborts the whole process in its default resolver on Node 20.13 and later (its issue
 * #266) and throws from native callbacks when avahi-daemon goes away, so it lives in a child
 * process of ours that prints one JSON line per event; media never passes through it. Only
 * DNSServiceResolve is used; the addresses of the host are asked from our own resolver.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import type { MdnsService } from '../../protocols/mdns/service-cache.ts';
import type { LocalInterface } from './interfaces.ts';
import { resolveHost } from './mdns-resolve.ts';
import { keyOf, SERVICE_TYPES, sightingOf } from './mdns-sighting.ts';
import type { SightingSink } from './sighting.ts';

export const SETUP_MDNS_HINT =
  'mdns: the npm package "mdns" is not installed, so our own browser serves instead of Avahi; to use Avahi: apt install avahi-daemon libavahi-compat-libdnssd-dev, then npm run setup:mdns (Node 20 or 22)';

/** A service is a few hundred bytes; a longer line is not ours. */
const MAX_LINE_CHARS = 16 * 1024;
const MAX_SERVICES = 2048;

/** Runs in the child: CommonJS, its only argument the path of the package. */
const CHILD_SOURCE = `
const mdns = require(process.argv[1]);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
const fail = (error) => { say({ error: String(error && error.message || error) }); process.exit(1); };
process.on('uncaughtException', fail);
process.stdin.on('end', () => process.exit(0)).resume();
for (const type of process.argv.slice(2)) {
  const [name, protocol] = type.slice(1).split('._');
  const browser = mdns.createBrowser(mdns.makeServiceType(name, protocol), {
    resolverSequence: [mdns.rst.DNSServiceResolve()],
  });
  browser.on('error', fail);
  browser.on('serviceUp', (s) => say({
    up: s.name, type, host: s.host, port: s.port, txt: s.txtRecord || {}, link: s.networkInterface,
  }));
  browser.on('serviceDown', (s) => say({ down: s.name, type, link: s.networkInterface }));
  browser.start();
}
say({ ready: true });
`;

/** Where the package is, or undefined when it is not installed. */
export function findMdnsPackage(): string | undefined {
  for (const base of [import.meta.url, `${process.cwd()}/`]) {
    try {
      return createRequire(base).resolve('mdns');
    } catch {
      // Not there: the next place, or none.
    }
  }
  return undefined;
}

export interface AvahiOptions {
  readonly packagePath: string;
  readonly intervalMs: number;
  readonly listInterfaces: () => readonly LocalInterface[];
}

export class AvahiBrowser {
  readonly #options: AvahiOptions;
  readonly #sink: SightingSink;
  readonly #log: Logger;
  /** By the sighting's key. */
  readonly #known = new Map<string, ResolvedService>();
  #look: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(options: AvahiOptions, sink: SightingSink, log: Logger) {
    this.#options = options;
    this.#sink = sink;
    this.#log = log;
  }

  /** Avahi asks by itself, but does not tell when a host has another address: they are looked up anew. */
  probeNow(): void {
    void this.#lookAgain();
  }

  /** Browses until aborted, or until the backend ends; says why. Never throws. What it found stays until `forget`. */
  async run(signal: AbortSignal): Promise<string> {
    if (signal.aborted) return 'stopped';
    let reason = 'it exited';
    const child = spawn(
      process.execPath,
      ['-e', CHILD_SOURCE, this.#options.packagePath, ...SERVICE_TYPES],
      { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, AVAHI_COMPAT_NOWARN: '1' } },
    );
    const stop = () => child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    child.stdin.on('error', () => {
      // The child is gone; 'close' tells.
    });
    child.on('error', (error) => {
      reason = error.message;
    });
    this.#look = setInterval(() => void this.#lookAgain(), this.#options.intervalMs);
    const closed = once(child, 'close').catch(() => undefined);
    for await (const line of createInterface({ input: child.stdout })) {
      const event = line.length <= MAX_LINE_CHARS ? parseEvent(line) : undefined;
      if (event?.kind === 'error') reason = event.message;
      else if (event !== undefined) this.#handle(event);
    }
    await closed;
    clearInterval(this.#look);
    signal.removeEventListener('abort', stop);
    return reason;
  }

  /** After the end: what nobody else has found since is not there any more. */
  forget(isKnownElsewhere: (key: string) => boolean): void {
    for (const key of this.#known.keys()) if (!isKnownElsewhere(key)) this.#sink.lose('mdns', key);
    this.#known.clear();
  }

  #handle(event: Exclude<AvahiEvent, { kind: 'error' }>): void {
    switch (event.kind) {
      case 'ready':
        this.#log.info('mdns: browsing through Avahi');
        break;
      case 'down':
        this.#known.delete(event.key);
        this.#sink.lose('mdns', event.key);
        break;
      case 'up': {
        const { service } = event;
        const key = keyOf(service.key, service.link);
        if (this.#known.size >= MAX_SERVICES && !this.#known.has(key)) return;
        this.#known.set(key, service);
        void this.#resolve(service);
        break;
      }
    }
  }

  async #resolve(service: ResolvedService): Promise<void> {
    const interfaces = this.#options.listInterfaces();
    const own = interfaces.filter(({ name }) => name === service.link);
    const addresses = await resolveHost(service.host, own.length > 0 ? own : interfaces);
    if (this.#known.get(keyOf(service.key, service.link)) !== service) return;
    this.#sink.see(sightingOf({ ...service, addresses }, service.link));
  }

  async #lookAgain(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      // One after the other: none of them is urgent, and each takes sockets.
      for (const service of [...this.#known.values()]) await this.#resolve(service);
    } finally {
      this.#isLooking = false;
    }
  }
}

/** Avahi tells the host, not its addresses. */
type ResolvedService = Omit<MdnsService, 'addresses'> & { readonly link: string };

type AvahiEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'down'; readonly key: string }
  | { readonly kind: 'up'; readonly service: ResolvedService };

function parseEvent(line: string): AvahiEvent | undefined {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof event !== 'object' || event === null) return undefined;
  const { ready, error, down, up, type, host, port, txt, link } = event as Record<string, unknown>;
  if (ready === true) return { kind: 'ready' };
  if (typeof error === 'string') return { kind: 'error', message: error };
  if (typeof type !== 'string') return undefined;
  const heardOn = typeof link === 'string' ? link : '';
  if (typeof down === 'string')
    return { kind: 'down', key: keyOf(serviceKey(down, type), heardOn) };
  if (typeof up !== 'string' || typeof host !== 'string' || !isPort(port)) {
    return undefined;
  }
  const entries = Object.entries(typeof txt === 'object' && txt !== null ? txt : {});
  return {
    kind: 'up',
    service: {
      key: serviceKey(up, type),
      link: heardOn,
      name: up,
      type,
      host: host.replace(/\.$/, ''),
      port,
      txt: new Map(entries.map(([key, value]) => [key.toLowerCase(), String(value)])),
    },
  };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}

function serviceKey(name: string, type: string): string {
  return `${name}.${type}.local`.toLowerCase();
}
