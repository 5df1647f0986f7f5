/** The web page's files and a broker's WebSocket under one origin, as a web server in front of both gives them. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { basename, extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
};

export class PageBesideBroker {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `policy`: the Content-Security-Policy; `config`: what config.json says. */
  static async start(
    brokerPort: number,
    { policy, config }: { readonly policy: string; readonly config: object },
  ): Promise<PageBesideBroker> {
    const server = createServer(async ({ url = '/' }, response) => {
      const name = basename(new URL(url, 'http://page').pathname) || 'index.html';
      const body =
        name === 'config.json'
          ? JSON.stringify(config)
          : await readFile(join(process.cwd(), 'dist/dashboard', name)).catch(() => undefined);
      response.writeHead(body === undefined ? 404 : 200, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': policy,
      });
      response.end(body);
    });
    server.on('upgrade', ({ url, rawHeaders }, socket) => {
      const broker = connect(brokerPort, '127.0.0.1');
      const headers = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      broker.write(`GET ${url} HTTP/1.1\r\n${headers.join('')}\r\n`);
      broker.on('error', () => socket.destroy());
      socket.on('error', () => broker.destroy());
      broker.pipe(socket).pipe(broker);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PageBesideBroker(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
