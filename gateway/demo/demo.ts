/** A virtual camera, a gateway that finds it and publishes it, and a master that plays it: the whole path, on this machine alone. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { parseConfig } from '../config/load.ts';
import type { LogLevel } from '../config/schema.ts';
import { Gateway } from '../gateway.ts';
import { registerSecret } from '../secrets.ts';
import { choosePorts, LOOPBACK } from './choose-ports.ts';
import { Narrator } from './narrator.ts';
import { loopbackInterfaces, VirtualCamera } from './virtual-camera.ts';

/** The usual ones; the master's HTTP is beside the gateway's. */
const PORTS = { http: 8080, mqtt: 1883, masterHttp: 8081, rtmp: 1935, rtsp: 8554 } as const;
const USERNAME = 'admin';

export interface DemoOptions {
  readonly log: Logger;
  readonly setLogLevel: (level: LogLevel) => void;
  /** One line for people. */
  readonly say: (line: string) => void;
}

export class Demo {
  readonly #options: DemoOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  #camera: VirtualCamera | undefined;
  #gateway: Gateway | undefined;
  #master: Gateway | undefined;

  constructor(options: DemoOptions) {
    this.#options = options;
    // Whatever ends the process: nothing of it stays.
    process.once('exit', this.#removeFolder);
  }

  async start(): Promise<void> {
    const { log, say } = this.#options;
    const password = randomBytes(9).toString('base64url');
    registerSecret(password);
    const ports = await choosePorts(PORTS);
    const narrator = new Narrator(ports, say);
    this.#camera = new VirtualCamera(
      { username: USERNAME, password },
      log.child({ part: 'camera' }),
    );
    await this.#camera.start();
    narrator.cameraStarted(this.#camera, USERNAME);
    this.#gateway = this.#makeGateway('demo', {
      discovery: {
        mdns: false,
        // This machine and nothing else: nobody's network is asked anything.
        interfaces: loopbackInterfaces(),
        hosts: [this.#camera.address],
        credentials: [{ username: USERNAME, password }],
      },
      proxypublish: { targets: [{ targetUri: `rtmp://${LOOPBACK}:${ports.rtmp}/live` }] },
      http: { listen: `${LOOPBACK}:${ports.http}` },
      mqtt: { embedded: { listen: `${LOOPBACK}:${ports.mqtt}` } },
    });
    this.#master = this.#makeGateway('master', {
      discovery: { onvif: false, mdns: false },
      acceptors: [
        { protocol: 'rtmp', listen: `${LOOPBACK}:${ports.rtmp}` },
        { protocol: 'rtsp', listen: `${LOOPBACK}:${ports.rtsp}` },
      ],
      http: { listen: `${LOOPBACK}:${ports.masterHttp}` },
      // One broker for both: the gateway's.
      mqtt: { url: `mqtt://${LOOPBACK}:${ports.mqtt}` },
    });
    narrator.follow(this.#gateway.board, this.#master.board);
    narrator.gatewaysStart();
    // In this order: the master's broker is the gateway's.
    await this.#gateway.start();
    await this.#master.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#camera?.stop(), this.#gateway?.stop(), this.#master?.stop()]);
    process.off('exit', this.#removeFolder);
    this.#removeFolder();
  }

  #makeGateway(id: string, config: object): Gateway {
    const { log, setLogLevel } = this.#options;
    const whole = { ...config, gateway: { id, dataDir: join(this.#folder, id) } };
    const context = { file: 'demo', folder: this.#folder, env: {} };
    return new Gateway({
      config: parseConfig(JSON.stringify(whole), context),
      log: log.child({ gateway: id }),
      setLogLevel,
      // Only where `abortOnConnectError` is set.
      onFatal: () => undefined,
    });
  }

  readonly #removeFolder = (): void => {
    rmSync(this.#folder, { recursive: true, force: true });
  };
}
