/** Adoption with a registry that a test fills by hand, a fleet that only takes notes, and restarts. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { DeviceRegistry } from '../../../drivers/discovery/device-registry.ts';
import type { Sighting } from '../../../drivers/discovery/sighting.ts';
import { adoptByCommand } from '../../../gateway/adoption/adopt-command.ts';
import type { AdoptedStream } from '../../../gateway/adoption/adopted-life.ts';
import { Adoption } from '../../../gateway/adoption/adoption.ts';
import { AdoptionState } from '../../../gateway/adoption/adoption-state.ts';
import { AttemptBudget } from '../../../gateway/attempt-budget.ts';
import { parseConfig } from '../../../gateway/config/load.ts';
import { Board } from '../../../gateway/report/board.ts';
import { COMMANDS } from '../../../gateway/report/commands.ts';
import type { FoundDevice } from '../../../gateway/report/status.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from '../../support/virtual-onvif.ts';

export class AdoptionBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-adoption-'));
  /** Streams that are there now. */
  readonly streams = new Map<string, AdoptedStream>();
  readonly restarted: string[] = [];
  readonly woken: string[] = [];
  remembered: readonly string[] = [];
  log = '';
  silent = false;
  /** Streams end when it resolves. */
  letGo = Promise.resolve();
  /** How many are to end. */
  ending = 0;
  readonly searchedFor: string[] = [];
  nowMs = Date.now();
  /** Name → host. */
  configured = new Map<string, string>();
  registry: DeviceRegistry;
  board = new Board();
  adoption: Adoption;
  #state: AdoptionState;
  #stop = new AbortController();

  private constructor(t: TestContext, discovery: string) {
    [this.registry, this.#state, this.adoption] = this.#open(discovery);
    t.after(async () => {
      this.#stop.abort();
      await this.#state.written();
      rmSync(this.folder, { recursive: true });
    });
  }

  /** `discovery`: keys of that part of the configuration. */
  static start(t: TestContext, discovery = '', configured: Record<string, string> = {}) {
    const bench = new AdoptionBench(t, discovery);
    bench.#begin(configured);
    return bench;
  }

  /** Another life with the same dataDir. */
  async restart(discovery = '', configured: Record<string, string> = {}): Promise<void> {
    this.#stop.abort();
    await this.#state.written();
    this.#stop = new AbortController();
    this.board = new Board();
    this.streams.clear();
    [this.registry, this.#state, this.adoption] = this.#open(discovery);
    this.#begin(configured);
  }

  get found(): FoundDevice[] {
    return [...this.board.found.values()];
  }

  get names(): string[] {
    return [...this.streams.keys()];
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** One by WS-Discovery, unless told otherwise. */
  see(xaddr: string | undefined, sighting: Partial<Sighting> = {}): void {
    this.registry.see({
      via: 'ws-discovery',
      key: 'urn:uuid:1',
      addresses: ['127.0.0.1'],
      endpointReference: sighting.key ?? 'urn:uuid:1',
      ...(xaddr === undefined ? {} : { xaddrs: [xaddr] }),
      ...sighting,
    });
  }

  async command(args: object) {
    const parsed = COMMANDS.adopt.parse(args);
    return await adoptByCommand(this.adoption, parsed, this.board, this.#stop.signal);
  }

  async file(): Promise<string> {
    await this.#state.written();
    const path = join(this.folder, 'adopted.json');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  #open(yaml: string): [DeviceRegistry, AdoptionState, Adoption] {
    const { folder: dataDir, board } = this;
    const write = (line: string) => {
      this.log += line;
    };
    const log = pino({ level: 'debug' }, { write });
    const now = () => this.nowMs;
    const registry = new DeviceRegistry({ now, elapsedMs: () => performance.now() });
    const state = new AdoptionState({ dataDir, log, now });
    const config = parseConfig(`discovery: { ${yaml} }`, {
      file: 'test',
      folder: dataDir,
      env: {},
    });
    const discovery = Object.assign(registry, {
      device: (id: string) => registry.get(id),
      learn: registry.learn.bind(registry),
      remember: (addresses: readonly string[]) => {
        this.remembered = addresses;
      },
      searchFor: (id: string) => {
        this.searchedFor.push(id);
      },
    });
    const adoption = new Adoption({
      ...{ config, discovery, board, log, state, now },
      target: {
        streamAt: (addresses) =>
          [...this.configured].find(([, host]) => addresses.includes(host))?.[0],
        isNameTaken: (name) => this.configured.has(name) || this.streams.has(name),
        add: (stream) => {
          this.streams.set(stream.name, stream);
        },
        remove: async (name) => {
          const stream = this.streams.get(name);
          this.ending += 1;
          await this.letGo;
          if (this.streams.get(name) === stream) this.streams.delete(name);
        },
        wake: (name) => this.woken.push(name),
        restart: (name) => this.restarted.push(name) > 0,
        isSilent: () => this.silent,
      },
      budget: new AttemptBudget(1000, 1000, Date.now),
      random: Math.random,
    });
    return [registry, state, adoption];
  }

  #begin(configured: Record<string, string>): void {
    this.configured = new Map(Object.entries(configured));
    this.adoption.follow(this.#stop.signal);
  }
}

export const PASSWORD = 'r1ght-one';
export const LOGIN = `{ username: admin, password: ${PASSWORD} }`;

export async function startCamera(
  t: TestContext,
  options: Partial<VirtualOnvifOptions> = {},
): Promise<VirtualOnvif> {
  const camera = await openCamera(options);
  t.after(() => camera.close());
  return camera;
}

/** To be closed by the test. */
export function openCamera(options: Partial<VirtualOnvifOptions> = {}): Promise<VirtualOnvif> {
  return VirtualOnvif.start({
    rtspUrl: 'rtsp://127.0.0.1:1/main',
    username: 'admin',
    password: PASSWORD,
    manufacturer: 'Acme',
    model: 'Dome 4',
    serial: 'AC0042',
    ...options,
  });
}
