/**
 * Where streams can be played at this box: full URLs for people and players, of those ways that are configured. Never with
 * a login or a token: whoever plays has one of its own.
 */
import { isIPv4 } from 'node:net';
import { parseHostPort } from './config/fields.ts';
import type { AcceptorConfig, HttpConfig } from './config/schema.ts';
import type { Board } from './report/board.ts';
import { ownAddresses } from './report/info.ts';

export interface PlayUrlsContext {
  readonly http: Pick<HttpConfig, 'listen' | 'certFile'>;
  readonly acceptors: readonly Pick<AcceptorConfig, 'protocol' | 'listen' | 'apps'>[];
  /** What the HTTP server really listens on; undefined while it does not. */
  readonly httpPort: () => number | undefined;
  readonly hasSnapshot: (stream: string) => boolean;
  /** The box's own; undefined: it has none but loopback. */
  readonly address?: () => string | undefined;
}

type Urls = Readonly<Record<string, string>>;

export class PlayUrls {
  readonly #context: PlayUrlsContext;
  #address: string | undefined;
  #httpPort: number | undefined;

  constructor(context: PlayUrlsContext) {
    this.#context = context;
  }

  /** A lease may bring another address, and a port that was taken may be free now: then every stream's URLs are told anew. */
  refresh(board: Board): void {
    const { httpPort, address = ownAddress } = this.#context;
    const [port, own] = [httpPort(), address()];
    if (port === this.#httpPort && own === this.#address) return;
    this.#httpPort = port;
    this.#address = own;
    board.tellUrls();
  }

  /** What the service itself answers under. */
  ofBox(): Urls {
    const http = this.#http();
    return {
      ...(http && { http, mqttWs: `${asWebSocket(http)}/mqtt` }),
      ...this.#byAcceptors(''),
    };
  }

  ofStream(name: string): Urls {
    const http = this.#http();
    const live = `${http}/live/${name}`;
    return {
      ...(http && {
        page: live,
        hls: `${live}/index.m3u8`,
        flv: `${live}.flv`,
        wsFlv: `${asWebSocket(live)}.flv`,
        ts: `${live}.ts`,
      }),
      ...(http && this.#context.hasSnapshot(name) && { snapshot: `${live}.jpg` }),
      ...this.#byAcceptors(`/${name}`),
    };
  }

  #http(): string | undefined {
    const { listen, certFile } = this.#context.http;
    if (this.#httpPort === undefined) return undefined;
    const scheme = certFile === undefined ? 'http' : 'https';
    return `${scheme}://${this.#hostOf(listen)}:${this.#httpPort}`;
  }

  /** The first of each protocol. */
  #byAcceptors(path: string): Urls {
    const urls: Record<string, string> = {};
    for (const { protocol, listen, apps } of this.#context.acceptors) {
      const port = parseHostPort(listen)?.port ?? 0;
      // Port 0 is any free one, which nobody can know beforehand.
      if (urls[protocol] !== undefined || port === 0) continue;
      const origin = `${protocol}://${this.#hostOf(listen)}:${port}`;
      if (protocol === 'rtsp') urls[protocol] = `${origin}${path}`;
      else if (isRtmp(protocol)) urls[protocol] = `${origin}/${appOf(apps)}${path}`;
    }
    return urls;
  }

  #hostOf(listen: string): string {
    const host = parseHostPort(listen)?.host ?? '';
    if (host === 'localhost') return '127.0.0.1';
    if (host === '0.0.0.0' || host === '::') return bracketed(this.#address ?? '127.0.0.1');
    return bracketed(host);
  }
}

function isRtmp(protocol: AcceptorConfig['protocol']): boolean {
  return protocol === 'rtmp' || protocol === 'rtmps' || protocol === 'rtmpt';
}

/** Where every application is answered, the one that people expect. */
function appOf(apps: readonly string[]): string {
  const [app = '*'] = apps;
  return app === '*' ? 'live' : encodeURIComponent(app);
}

function asWebSocket(url: string): string {
  return url.replace(/^http/, 'ws');
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The first that others can reach, in the order of the interfaces: those of containers come later. */
function ownAddress(): string | undefined {
  const addresses = ownAddresses().filter((address) => !address.startsWith('169.254.'));
  return addresses.find(isIPv4) ?? addresses[0];
}
