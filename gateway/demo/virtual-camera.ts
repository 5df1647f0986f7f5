/**
 * A camera that needs no hardware: answers WS-Discovery, speaks ONVIF behind a login, turns its head, and serves a test
 * picture over RTSP. It listens on a loopback address only.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { networkInterfaces, platform } from 'node:os';
import type { Logger } from 'pino';
import type { Credentials } from '../../drivers/driver.ts';
import { Publications } from '../acceptors/publications.ts';
import { RtspAcceptor } from '../acceptors/rtsp-acceptor.ts';
import { parseConfig } from '../config/load.ts';
import { Hub } from '../hub/hub.ts';
import { Board } from '../report/board.ts';
import { BacklogBudget } from '../viewers/backlog-budget.ts';
import { DEVICE_PATH, deviceService } from './onvif-device-service.ts';
import { EventService } from './onvif-event-service.ts';
import { mediaService } from './onvif-media-service.ts';
import { ptzService } from './onvif-ptz-service.ts';
import { OnvifServer } from './onvif-server.ts';
import { PatternSource } from './pattern-source.ts';
import { ProbeResponder } from './probe-responder.ts';
import { VirtualHead } from './virtual-head.ts';

const IDENTITY = {
  manufacturer: 'Sluice',
  model: 'VC-1',
  firmware: '1.0',
  serial: '0001',
} as const;
const SCOPES = [
  'onvif://www.onvif.org/type/video_encoder',
  'onvif://www.onvif.org/type/ptz',
  'onvif://www.onvif.org/Profile/Streaming',
  `onvif://www.onvif.org/hardware/${IDENTITY.model}`,
  'onvif://www.onvif.org/name/Virtual%20camera',
];
const STREAM = 'pattern';
/** Two GOPs of it, moving. */
const GOP_CACHE_BYTES = 1024 * 1024;
const STALL_MS = 8_000;

export class VirtualCamera {
  readonly address = ownAddress();
  readonly #source: PatternSource;
  readonly #onvif: OnvifServer;
  readonly #head = new VirtualHead();
  readonly #events = new EventService(() => this.#origin);
  readonly #rtsp: RtspAcceptor;
  #responder: ProbeResponder | undefined;
  #origin = '';

  constructor(login: Credentials, log: Logger) {
    const now = () => performance.now();
    const hub = new Hub(GOP_CACHE_BYTES, now);
    const stream = hub.open(STREAM);
    stream.expectSubscriber();
    this.#source = new PatternSource(stream, this.#head, (isMoving) =>
      this.#events.tellMotion(isMoving),
    );
    this.#onvif = new OnvifServer(login);
    const publications = new Publications({
      hub,
      board: new Board(),
      log,
      now: Date.now,
      stallMs: STALL_MS,
      gatewayId: STREAM,
      // Nobody pushes anything into a camera.
      isReserved: () => true,
    });
    this.#rtsp = new RtspAcceptor(rtspConfig(this.address, login), {
      hub,
      publications,
      viewers: { now, budget: new BacklogBudget() },
      log,
      now,
    });
  }

  /** Of its ONVIF services. */
  get onvifUrl(): string {
    return `${this.#origin}${DEVICE_PATH}`;
  }

  get rtspUrl(): string {
    return `rtsp://${this.address}:${this.#rtsp.port ?? 0}/${STREAM}`;
  }

  /** Throws where a port that it must have is taken; `stop` closes what was opened until then. */
  async start(): Promise<void> {
    await this.#rtsp.start();
    this.#source.start();
    this.#origin = `http://${this.address}:${await this.#onvif.listen(this.address)}`;
    const others = [mediaService(() => this.rtspUrl), ptzService(this.#head), this.#events.service];
    const options = { identity: IDENTITY, scopes: SCOPES, origin: this.#origin, others };
    this.#onvif.serve([deviceService(options), ...others, ...this.#events.pullPoints]);
    const responder = new ProbeResponder({
      endpointReference: `urn:uuid:${randomUUID()}`,
      scopes: SCOPES,
      xaddr: this.onvifUrl,
    });
    this.#responder = responder;
    await responder.start(this.address);
  }

  async stop(): Promise<void> {
    this.#responder?.stop();
    this.#source.stop();
    this.#events.stop();
    await Promise.all([this.#rtsp.stop(), this.#onvif.stop()]);
  }
}

function rtspConfig(address: string, play: Credentials) {
  const acceptors = [{ protocol: 'rtsp', listen: `${address}:0`, play }];
  const context = { file: 'virtual camera', folder: '/', env: {} };
  const [config] = parseConfig(JSON.stringify({ acceptors }), context).acceptors;
  if (config === undefined) throw new TypeError('an acceptor was configured');
  return config;
}

/** Linux has the whole of 127/8 on its loopback interface: each camera takes one that no other has. */
function ownAddress(): string {
  if (platform() !== 'linux') return '127.0.0.1';
  return `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
}

/** The names of the interfaces with loopback addresses: `lo`, `lo0`. */
export function loopbackInterfaces(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([, addresses = []]) => addresses.some(({ internal }) => internal))
    .map(([name]) => name);
}
