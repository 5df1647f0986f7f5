import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { TunnelSocket } from '../../../drivers/rtmp/tunnel-socket.ts';
import { until } from '../../support/until.ts';

interface Request {
  readonly path: string;
  readonly body: Buffer;
  readonly headers: IncomingMessage['headers'];
}

/** A tunnel's server on top of Node's HTTP: what is sent comes back. */
class EchoServer {
  readonly requests: Request[] = [];
  connections = 0;
  /** Called before each answer; true: it has answered itself. */
  answerOtherwise: (request: Request, response: ServerResponse) => boolean = () => false;
  said = Buffer.alloc(0);
  interval = 1;
  readonly #server = createHttpServer((request, response) => void this.#serve(request, response));

  static async listen(context: TestContext): Promise<EchoServer> {
    const server = new EchoServer();
    server.#server.on('connection', () => {
      server.connections += 1;
    });
    await listen(context, server.#server);
    context.after(() => server.#server.closeAllConnections());
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get paths(): string[] {
    return this.requests.map(({ path }) => path);
  }

  get sent(): string {
    const sends = this.requests.filter(({ path }) => path.startsWith('/send/'));
    return Buffer.concat(sends.map(({ body }) => body)).toString();
  }

  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const { url: path = '', headers } = incoming;
    const request = { path, headers, body: Buffer.concat(parts) };
    this.requests.push(request);
    if (this.answerOtherwise(request, response)) return;
    if (path.startsWith('/open/')) {
      this.#answer(response, Buffer.from('n-1\n'));
      return;
    }
    if (path.startsWith('/send/')) this.said = Buffer.concat([this.said, request.body]);
    const said = this.said;
    this.said = Buffer.alloc(0);
    this.#answer(response, Buffer.concat([Uint8Array.of(this.interval), said]));
  }

  #answer(response: ServerResponse, body: Buffer): void {
    response.writeHead(200, { 'Content-Type': 'application/x-fcs', 'Content-Length': body.length });
    response.end(body);
  }
}

async function listen(context: TestContext, server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
}

class Opened {
  received = '';
  readonly events: string[] = [];
  error: Error | undefined;
  readonly socket: TunnelSocket;

  constructor(port: number) {
    this.socket = new TunnelSocket({ host: '127.0.0.1', port, tls: undefined }, (bytes) => {
      this.received += Buffer.from(bytes).toString();
    });
    this.socket.on('error', (error) => {
      this.error = error;
      this.events.push('error');
    });
    this.socket.on('end', () => this.events.push('end'));
    this.socket.on('close', () => this.events.push('close'));
  }
}

async function open(context: TestContext, port: number): Promise<Opened> {
  const opened = new Opened(port);
  context.after(() => opened.socket.destroy());
  await opened.socket.open(new AbortController().signal);
  return opened;
}

test('what is written in one turn goes out in one POST, and the answer comes in', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  const flushed = once(tunnel.socket, 'close').then(() => 'closed');
  const first = new Promise<string>((resolve) => {
    tunnel.socket.write(Buffer.from('hello '), () => resolve('flushed'));
  });
  tunnel.socket.write(Buffer.from('world'));
  assert.equal(await Promise.race([first, flushed]), 'flushed');
  await until(() => tunnel.received === 'hello world');
  const [opening, send] = server.requests;
  assert.deepEqual([opening?.path, opening?.body.toString('hex')], ['/open/1', '00']);
  assert.deepEqual([send?.path, send?.body.toString()], ['/send/n-1/0', 'hello world']);
  assert.equal(send?.headers['content-type'], 'application/x-fcs');
  assert.equal(send?.headers.host, `127.0.0.1:${server.port}`);
  assert.equal(server.connections, 1);
  assert.equal(tunnel.error, undefined);
});

test('what the caller does with its bytes later changes nothing', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  const bytes = Buffer.from('hello');
  tunnel.socket.write(bytes);
  bytes.fill(0);
  await until(() => tunnel.received === 'hello');
});

test('end sends what waits, says goodbye and closes', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  tunnel.socket.write(Buffer.from('bye'));
  tunnel.socket.end();
  await once(tunnel.socket, 'close');
  await until(() => server.requests.length === 3);
  assert.deepEqual(server.paths, ['/open/1', '/send/n-1/0', '/close/n-1/1']);
  assert.deepEqual(tunnel.events, ['close']);
  assert.ok(tunnel.socket.destroyed);
});

test('polls as often as the server wishes', async (context) => {
  const server = await EchoServer.listen(context);
  server.interval = 3;
  const tunnel = await open(context, server.port);
  server.said = Buffer.from('news');
  await until(() => tunnel.received === 'news');
  server.interval = 0x21;
  const count = server.requests.length;
  await until(() => server.requests.length > count);
  await sleep(200);
  assert.ok(server.requests.length <= count + 1, 'half a second between polls');
  const numbers = server.paths.slice(1).map((path) => Number(path.split('/').at(-1)));
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );
});

for (const [name, close] of [
  [
    'announced',
    (_: Request, response: ServerResponse) => response.setHeader('Connection', 'close'),
  ],
  [
    'not announced',
    (_: Request, response: ServerResponse) => {
      const { socket } = response;
      response.on('finish', () => setImmediate(() => socket?.destroy()));
    },
  ],
] as const) {
  test(`a proxy that ends every connection, ${name}`, async (context) => {
    const server = await EchoServer.listen(context);
    server.answerOtherwise = (request, response) => {
      close(request, response);
      return false;
    };
    const tunnel = await open(context, server.port);
    let sent = '';
    for (let count = 0; count < 20; count += 1) {
      sent += `${count} `;
      tunnel.socket.write(Buffer.from(`${count} `));
      await until(() => tunnel.received === sent);
    }
    assert.ok(server.connections >= 20);
    assert.equal(tunnel.error, undefined);
  });
}

test('a POST into a connection that has just ended is sent once more, with its number', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  let isCut = false;
  server.answerOtherwise = (request, response) => {
    if (isCut || !request.path.startsWith('/send/')) return false;
    isCut = true;
    server.requests.pop();
    response.socket?.destroy();
    return true;
  };
  tunnel.socket.write(Buffer.from('hello'));
  await until(() => tunnel.received === 'hello');
  assert.ok(isCut);
  const numbers = server.paths.slice(1).map((path) => Number(path.split('/').at(-1)));
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
    'no number is missing',
  );
});

test('a connection that breaks again and again ends the session', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  server.answerOtherwise = (_, response) => {
    response.socket?.destroy();
    return true;
  };
  tunnel.socket.write(Buffer.from('hello'));
  await once(tunnel.socket, 'close');
  assert.deepEqual(tunnel.events, ['end', 'close']);
});

test('an answer in chunks, byte by byte', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  server.answerOtherwise = (request, response) => {
    if (!request.path.startsWith('/send/')) return false;
    response.writeHead(200);
    for (const byte of Buffer.concat([Uint8Array.of(1), request.body])) {
      response.write(Uint8Array.of(byte));
    }
    response.end();
    return true;
  };
  tunnel.socket.write(Buffer.from('hello'));
  await until(() => tunnel.received === 'hello');
});

test('three megabytes go out in POSTs of a quarter, and count as waiting', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  let flushed = 0;
  for (let count = 0; count < 48; count += 1) {
    tunnel.socket.write(new Uint8Array(65_536).fill(count), () => {
      flushed += 1;
    });
  }
  assert.equal(tunnel.socket.writableLength, 48 * 65_536);
  await until(() => flushed === 48);
  assert.equal(tunnel.socket.writableLength, 0);
  const sizes = server.requests.filter(({ path }) => path.startsWith('/send/'));
  assert.deepEqual(
    sizes.map(({ body }) => body.length),
    Array.from({ length: 12 }, () => 262_144),
  );
});

test('pictures that are written while a POST is on its way do not count as waiting', async (context) => {
  const server = await EchoServer.listen(context);
  const tunnel = await open(context, server.port);
  for (let count = 0; count < 4; count += 1) tunnel.socket.write(new Uint8Array(50_000));
  assert.equal(tunnel.socket.writableLength, 0);
  for (let count = 0; count < 4; count += 1) tunnel.socket.write(new Uint8Array(50_000));
  assert.equal(tunnel.socket.writableLength, 400_000);
});

for (const status of [404, 500]) {
  test(`status ${status} within the session ends it in words`, async (context) => {
    const server = await EchoServer.listen(context);
    const tunnel = await open(context, server.port);
    server.answerOtherwise = (_, response) => {
      response.writeHead(status);
      response.end();
      return true;
    };
    tunnel.socket.write(Buffer.from('hello'));
    await until(() => tunnel.events.includes('close'));
    assert.deepEqual(tunnel.events, ['error', 'close']);
    assert.ok(tunnel.error instanceof ProtocolError && tunnel.error.status === status);
  });
}

test('a web server without tunnels: its status', async (context) => {
  const server = await EchoServer.listen(context);
  server.answerOtherwise = (_, response) => {
    response.writeHead(404);
    response.end('not here');
    return true;
  };
  await assert.rejects(
    open(context, server.port),
    (error) => error instanceof ProtocolError && error.code === 'RTMPT_STATUS',
  );
});

for (const [name, answer] of [
  ['a name with a blank', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na b\n'],
  ['no name', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\n'],
  ['an endless name', `HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`],
  ['another protocol', 'SSH-2.0-x\r\n\r\n'],
] as const) {
  test(`a server that answers the opening with ${name}`, async (context) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(answer);
    });
    await listen(context, server);
    await assert.rejects(open(context, (server.address() as AddressInfo).port), ParseError);
  });
}

test('an answer nobody asked for ends the HTTP connection, and no more', async (context) => {
  const server = await EchoServer.listen(context);
  server.interval = 0x21;
  const tunnel = await open(context, server.port);
  await until(() => server.requests.length >= 2);
  server.answerOtherwise = (_, response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\x01');
    server.answerOtherwise = () => false;
    return false;
  };
  tunnel.socket.write(Buffer.from('hello'));
  await until(() => server.sent === 'hello');
  assert.equal(tunnel.error, undefined);
});

test('an abort while it opens leaves nothing behind, and neither does a session that is destroyed', async (context) => {
  const server = await EchoServer.listen(context);
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
  const abort = new AbortController();
  server.answerOtherwise = () => {
    abort.abort(new Error('stopped'));
    return true;
  };
  const opening = new Opened(server.port);
  await assert.rejects(opening.socket.open(abort.signal), /stopped/);
  server.answerOtherwise = () => false;
  const tunnel = await open(context, server.port);
  tunnel.socket.write(Buffer.from('x'));
  tunnel.socket.destroy();
  await once(tunnel.socket, 'close');
  assert.equal(tunnel.socket.write(Buffer.from('y')), false);
  await until(
    () => process.getActiveResourcesInfo().every((name) => name !== 'TCPSocketWrap'),
    2_000,
  ).catch(() => undefined);
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
  assert.ok(timers.length <= before.length + 1, String(timers));
  assert.deepEqual(tunnel.events, ['close']);
});
