/** The composition root: the only place that makes everything and connects it. */
import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { Discovery } from '../drivers/discovery/discovery.ts';
import { UDP_RECEPTION } from '../drivers/udp-receiver.ts';
import { Publications } from './acceptors/publications.ts';
import { PushedNames } from './acceptors/pushed-names.ts';
import { adoptByCommand } from './adoption/adopt-command.ts';
import { Adoption } from './adoption/adoption.ts';
import { AdoptionState } from './adoption/adoption-state.ts';
import { AttemptBudget } from './attempt-budget.ts';
import type { ConfigFile } from './config/config-file.ts';
import { gatewayId } from './config/identity.ts';
import type { Config, LogLevel } from './config/schema.ts';
import { Configuring, configHandlers } from './configuring.ts';
import { discoverNow } from './discover-now.ts';
import { Extensions } from './extensions/extensions.ts';
import { Fleet, STATS_PERIOD_MS } from './fleet.ts';
import { adminLogin, isLoopbackListen } from './http/admin-login.ts';
import { apiRoutes } from './http/api.ts';
import { HttpServer } from './http/http-server.ts';
import { lazyRoute } from './http/lazy-routes.ts';
import { pageRoute } from './http/page-routes.ts';
import type { Route } from './http/route.ts';
import { Hub } from './hub/hub.ts';
import { PlayUrls } from './play-urls.ts';
import { Position } from './position.ts';
import { Proxypublish } from './proxypublish/proxypublish.ts';
import { Board } from './report/board.ts';
import { Box } from './report/box.ts';
import { CommandDispatcher, CommandError, type CommandHandlers } from './report/commands.ts';
import { isClockSynchronised } from './report/health.ts';
import { MqttReporter } from './report/mqtt-reporter.ts';
import { restartHandler } from './restarting.ts';
import type { Serving } from './serving.ts';
import { Heads } from './steering/heads.ts';
import { Steering } from './steering/steering.ts';
import { makeTargets } from './targets.ts';
import { VERSION } from './version.ts';

/** Attempts to connect, of all cameras and masters together. */
const ATTEMPTS_PER_S = 40;
const ATTEMPTS_BURST = 80;
/** Cameras that are there answer within seconds; after this it is fair to say that there are none. */
const NOTHING_FOUND_MS = 12_000;
/** Live streams and files. */
const PLAYER_PATHS = /^\/(?:live|vod)\//;

export interface GatewayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly setLogLevel: (level: LogLevel) => void;
  /** A target refused at start and `abortOnConnectError` is set. */
  readonly onFatal: (reason: string) => void;
  /** Without reporting: `sluice relay`. */
  readonly isQuiet?: boolean;
  /** Ends the service such that it is started again; undefined: nobody would. */
  readonly restart?: (() => void) | undefined;
  /** Where the configuration is from; undefined: it is nobody's to change. */
  readonly file?: ConfigFile;
}

export class Gateway {
  readonly board = new Board();
  readonly #options: GatewayOptions;
  readonly #id: string;
  readonly #hub: Hub;
  readonly #fleet: Fleet;
  readonly #heads: Heads;
  readonly #position: Position;
  readonly #proxypublish: Proxypublish;
  readonly #configuring: Configuring;
  readonly #publications: Publications;
  readonly #pushedNames: PushedNames;
  readonly #playUrls: PlayUrls;
  readonly #extensions: Extensions;
  #serving: Promise<Serving> | undefined;
  readonly #stopping = new AbortController();
  readonly #supervision = {
    budget: new AttemptBudget(ATTEMPTS_PER_S, ATTEMPTS_BURST, () => performance.now()),
    now: Date.now,
    random: Math.random,
  };
  readonly #commands = new CommandDispatcher(this.#handlers(), Date.now);
  readonly #adoptionState: AdoptionState | undefined;
  #adoption: Adoption | undefined;
  #discovery: Discovery | undefined;
  #discovering: Promise<void> = Promise.resolve();
  #mqtt: MqttReporter | undefined;
  #http: HttpServer | undefined;
  #publishStats: NodeJS.Timeout | undefined;
  #status: 'starting' | 'running' | 'stopping' = 'starting';

  constructor(options: GatewayOptions) {
    const { config, log } = options;
    this.#options = options;
    this.#id = options.isQuiet === true ? 'relay' : gatewayId(config, log);
    this.#hub = new Hub(config.limits.gopCacheMaxBytes, () => performance.now());
    // Players come and go, and want a picture at once.
    if (config.acceptors.length > 0) this.#hub.on('added', (stream) => stream.expectSubscriber());
    const shared = { ...this.#supervision, board: this.board, log };
    const { onvif, mdns } = config.discovery;
    const { dataDir } = config.gateway;
    if (onvif || mdns) this.#adoptionState = new AdoptionState({ dataDir, log, now: Date.now });
    this.#heads = new Heads(config, shared);
    const monotonicMs = () => performance.now();
    this.#position = new Position(config.serial, { ...shared, monotonicMs, isClockSynchronised });
    this.#fleet = new Fleet(config, {
      ...shared,
      hub: this.#hub,
      head: (where) => this.#heads.head(where),
      openExtension: (url, credentials) => this.#extensions.openSource(url, credentials),
    });
    const targets = { gatewayId: this.#id, tellsGateway: options.isQuiet !== true };
    this.#proxypublish = new Proxypublish(makeTargets(config, targets), {
      ...shared,
      onConnectError: (reason) => {
        if (config.proxypublish.abortOnConnectError) options.onFatal(reason);
      },
    });
    this.#pushedNames = new PushedNames(dataDir, log);
    this.#publications = new Publications({
      ...shared,
      hub: this.#hub,
      gatewayId: this.#id,
      stallMs: config.limits.stallMs,
      // A camera's name is its own before the camera has answered, too.
      isReserved: (name) => this.#fleet.has(name) || this.#adoptionState?.isTaken(name) === true,
      names: options.isQuiet === true ? undefined : this.#pushedNames,
    });
    const parts = { heads: this.#heads, fleet: this.#fleet, proxypublish: this.#proxypublish };
    this.#configuring = new Configuring(
      options,
      {
        ...parts,
        targets,
        board: this.board,
        pushed: this.#publications,
        adoption: () => this.#adoption,
      },
      this.#stopping.signal,
    );
    this.#extensions = new Extensions(config.extensions, {
      hub: this.#hub,
      publications: this.#publications,
      log,
      now: () => performance.now(),
      gatewayId: this.#id,
    });
    this.#playUrls = new PlayUrls({
      ...config,
      httpPort: () => this.#http?.port,
      hasSnapshot: (name) => this.#fleet.hasSnapshot(name),
    });
    this.board.urlsOf = (name) => this.#playUrls.ofStream(name);
    // Reporters, HTTP and tests listen; a fixed small number, not a leak.
    this.board.setMaxListeners(32);
    this.#hub.setMaxListeners(32);
    // Each stream, head and way of discovery waits for the end.
    setMaxListeners(0, this.#stopping.signal);
  }

  async start(): Promise<void> {
    const { config, log, isQuiet } = this.#options;
    if (isQuiet !== true) {
      const box = this.#box();
      await this.#startHttp(box);
      this.#playUrls.refresh(this.board);
      await this.#startMqtt(box);
    }
    this.#proxypublish.open(this.#hub);
    this.#publishStats = setInterval(() => {
      this.#proxypublish.tellStats();
      this.#playUrls.refresh(this.board);
    }, STATS_PERIOD_MS);
    this.#publications.start();
    const isOpen = config.acceptors.length + config.extensions.length > 0;
    if (isOpen) await this.#serve();
    // Before the sources: some may be theirs.
    if (isQuiet !== true) await this.#extensions.start();
    await this.#heads.start(this.#stopping.signal);
    await this.#position.start(this.#stopping.signal);
    this.#fleet.start(this.#stopping.signal);
    if (isOpen) this.#publications.recall();
    this.#startDiscovery();
    this.#configuring.watch();
    this.#status = 'running';
    log.info(
      {
        id: this.#id,
        version: VERSION,
        page: this.#playUrls.ofBox()['http'],
        streams: Object.keys(config.streams).length,
        targets: config.proxypublish.targets.length,
        udp: UDP_RECEPTION,
      },
      'sluice is running',
    );
  }

  /** The file that it is configured by, and files that that one names, may be others. */
  async reload(): Promise<void> {
    await this.#configuring.reload(true);
  }

  /** Unpublishes, tears down, says `stopped`; bounded to less than 2 s by those it asks. */
  async stop(): Promise<void> {
    this.#status = 'stopping';
    this.#configuring.stop();
    clearInterval(this.#publishStats);
    this.#publications.stop();
    await this.#extensions.stop();
    await (await this.#serving)?.stop();
    // Masters and cameras at once: each may take its time over a goodbye.
    const unpublished = this.#proxypublish.close();
    this.#stopping.abort(new Error('the gateway is stopping'));
    await Promise.all([
      unpublished,
      this.#fleet.stopped(),
      this.#heads.stopped(),
      this.#position.stopped(),
    ]);
    await this.#mqtt?.stop();
    await this.#http?.stop();
    await this.#discovering;
    await Promise.all([this.#adoptionState?.written(), this.#pushedNames.written()]);
  }

  #box(): Box {
    const { log, restart } = this.#options;
    const canRestart = restart !== undefined;
    const urls = () => this.#playUrls.ofBox();
    const config = () => this.#configuring.config;
    const refresh = () => this.#proxypublish.tellStats();
    const shared = { id: this.#id, board: this.board, log };
    return new Box({ ...shared, config, refresh, urls, canRestart });
  }

  async #startHttp(box: Box): Promise<void> {
    const { config, log } = this.#options;
    const { listen, limits, cors, play, tokens, certFile, keyFile } = config.http;
    const httpLog = log.child({ part: 'http' });
    const tls = certFile && keyFile ? { certFile, keyFile } : undefined;
    if (!isLoopbackListen(listen) && tls === undefined) {
      httpLog.warn(
        { listen },
        'passwords cross the network as they are: set http.certFile and http.keyFile',
      );
    }
    this.#http = new HttpServer({
      listen,
      tls,
      limits,
      cors,
      play,
      tokens,
      admin: await adminLogin(config, httpLog, (words) => process.stderr.write(words)),
      routes: [
        ...apiRoutes({
          ...{ board: this.board, status: () => this.#status, commands: this.#commands },
          ...{ info: () => box.info(), health: () => box.health() },
        }),
        lazyRoute(/^\/mqtt$/, 'admin', async () => (await this.#mqtt?.webRoutes()) ?? []),
        lazyRoute(/^\/metrics$/, 'reader', () => this.#metrics(box)),
        lazyRoute(PLAYER_PATHS, 'viewer', async () => (await this.#serve()).routes),
        pageRoute({
          ...{ view: 'local', mqttUrl: '/mqtt' },
          ...{ baseTopic: config.mqtt.baseTopic, gateway: this.#id },
        }),
      ],
      log: httpLog,
    });
    await this.#http.start();
  }

  async #metrics(box: Box): Promise<readonly Route[]> {
    const { metricsRoute } = await import('./http/metrics.ts');
    const { url } = this.#options.config.mqtt;
    return [
      metricsRoute({
        ...{ board: this.board, info: () => box.info(), health: () => box.health() },
        isMqttConnected: () => (url === undefined ? undefined : this.#mqtt?.isConnected === true),
      }),
    ];
  }

  async #startMqtt(box: Box): Promise<void> {
    const { config, log } = this.#options;
    this.#mqtt = new MqttReporter({
      config: config.mqtt,
      gatewayId: this.#id,
      board: this.board,
      log: log.child({ part: 'mqtt' }),
      commands: this.#commands,
      info: () => box.info(),
      health: () => box.health(),
      snapshot: (name) => this.#fleet.snapshot(name),
      now: Date.now,
      random: Math.random,
    });
    await this.#mqtt.start();
  }

  /** Once: whoever asks first loads it. */
  #serve(): Promise<Serving> {
    this.#serving ??= this.#startServing();
    return this.#serving;
  }

  async #startServing(): Promise<Serving> {
    const { Serving } = await import('./serving.ts');
    const serving = new Serving({
      config: this.#options.config,
      log: this.#options.log,
      board: this.board,
      hub: this.#hub,
      publications: this.#publications,
      gatewayId: this.#id,
      snapshot: (name) => this.#fleet.snapshot(name),
    });
    await serving.start();
    return serving;
  }

  #startDiscovery(): void {
    const { config, log } = this.#options;
    const state = this.#adoptionState;
    if (state === undefined) return;
    const { signal } = this.#stopping;
    const discoveryLog = log.child({ part: 'discovery' });
    const discovery = new Discovery(config.discovery, { log: discoveryLog, now: Date.now });
    this.#discovery = discovery;
    const configuring = this.#configuring;
    this.#adoption = new Adoption({
      ...{ ...this.#supervision, discovery, state, board: this.board },
      target: this.#fleet,
      log: discoveryLog,
      get config() {
        return configuring.config;
      },
    });
    this.#adoption.follow(signal);
    this.#discovering = discovery.run(signal);
    const hasStreams = Object.keys(config.streams).length > 0;
    if (!hasStreams) setTimeout(() => this.#sayNothingFound(), NOTHING_FOUND_MS).unref();
  }

  #sayNothingFound(): void {
    if (this.board.found.size > 0 || this.#stopping.signal.aborted) return;
    this.#options.log.warn(
      'No camera has answered on this network yet; still looking. Is the camera on the same subnet, and is ONVIF enabled in its settings? Firewalls, VLANs and Docker bridges drop multicast (UDP 3702 and 5353). `sluice discover` lists what answers; a camera that is known can be set under streams in sluice.yaml.',
    );
  }

  #steering(): Steering {
    return new Steering({
      find: (name) => this.#fleet.steered(name) ?? this.#publications.steered(name),
      snapshot: (name) => this.#fleet.snapshot(name),
      tellSnapshot: (name, jpeg) => this.#mqtt?.tellSnapshot(name, jpeg),
      signal: this.#stopping.signal,
    });
  }

  #handlers(): CommandHandlers {
    return {
      ...this.#steering().handlers(),
      ...configHandlers(() => this.#configuring),
      'stream/restart': ({ name }) => {
        if (this.#fleet.restart(name) || this.#publications.restart(name)) return { name };
        if (this.board.streams.has(name)) {
          throw new CommandError('unreachable', `nobody publishes ${name} now`);
        }
        throw new CommandError('not-found', `there is no stream called ${name}`);
      },
      discover: (args) => {
        const found = () => [...this.board.found.values()];
        return discoverNow(this.#discovery, args, found, this.#stopping.signal);
      },
      adopt: (args) => adoptByCommand(this.#adoption, args, this.board, this.#stopping.signal),
      restart: restartHandler(() => this.#options),
      'log/level': ({ level }) => {
        this.#options.setLogLevel(level);
        return { level };
      },
    };
  }
}
