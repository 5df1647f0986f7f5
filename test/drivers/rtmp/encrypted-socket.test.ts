import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { dialRtmp } from '../../../drivers/rtmp/rtmp-dial.ts';
import type { RtmpSocket } from '../../../drivers/rtmp/rtmp-socket.ts';
import { ServerHandshake } from '../../../protocols/rtmp/server-handshake.ts';
import { until } from '../../support/until.ts';

async function listen(context: TestContext, accept: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    context.after(() => socket.destroy());
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Decrypts, and says the same again, together with the handshake's end and afterwards. */
function echo(socket: Socket, greeting = ''): void {
  const handshake = new ServerHandshake();
  let ciphers: ReturnType<ServerHandshake['push']>['ciphers'];
  const say = (bytes: Uint8Array) => {
    const copy = new Uint8Array(bytes);
    ciphers?.encrypt(copy);
    socket.write(copy);
  };
  socket.on('data', (chunk: Uint8Array) => {
    if (ciphers !== undefined) {
      ciphers.decrypt(chunk);
      say(chunk);
      return;
    }
    const step = handshake.push(chunk);
    if (step.reply !== undefined) socket.write(step.reply);
    ciphers = step.ciphers;
    if (step.rest !== undefined) say(concat(Buffer.from(greeting), step.rest));
  });
}

async function open(
  context: TestContext,
  port: number,
  signal = new AbortController().signal,
): Promise<{ socket: RtmpSocket; received: () => string }> {
  let received = '';
  const onData = (bytes: Uint8Array) => {
    received += Buffer.from(bytes).toString();
  };
  const address = { scheme: 'rtmpe', host: '127.0.0.1', port, tls: undefined } as const;
  const socket = await dialRtmp({ ...address, onData }, signal);
  context.after(() => void socket.destroy());
  socket.on('error', () => undefined);
  return { socket, received: () => received };
}

test('what is written is encrypted, what comes is decrypted, and lent bytes stay as they are', async (context) => {
  const seen: Buffer[] = [];
  const port = await listen(context, (socket) => {
    socket.on('data', (chunk) => seen.push(Buffer.from(chunk)));
    echo(socket);
  });
  const { socket, received } = await open(context, port);
  const bytes = Buffer.from('hello');
  await new Promise<void>((resolve) => {
    socket.cork();
    socket.write(bytes);
    socket.write(bytes, resolve);
    socket.uncork();
  });
  await until(() => received() === 'hellohello');
  assert.equal(bytes.toString(), 'hello');
  assert.ok(!Buffer.concat(seen).includes('hello'));
  assert.equal(socket.writableLength, 0);
  socket.end();
  await until(() => socket.destroyed);
});

test('what comes with the end of the handshake is not lost', async (context) => {
  const port = await listen(context, (socket) => echo(socket, 'welcome '));
  const { socket, received } = await open(context, port);
  socket.write(Buffer.from('back'));
  await until(() => received() === 'welcome back');
});

for (const [name, accept, check] of [
  [
    'answers in plain RTMP',
    (socket: Socket) => socket.write(Uint8Array.of(3)),
    (error: unknown) => error instanceof ProtocolError && error.code === 'RTMPE_REFUSED',
  ],
  [
    'hangs up',
    (socket: Socket) => socket.once('data', () => socket.destroy()),
    (error: unknown) =>
      error instanceof Error && /closed the connection|ECONNRESET/.test(error.message),
  ],
  [
    'has no digest',
    (socket: Socket) => socket.write(concat(Uint8Array.of(6), new Uint8Array(3072))),
    (error: unknown) => error instanceof ParseError,
  ],
] as const) {
  test(`a server that ${name}: told, and nothing stays open`, async (context) => {
    let peer: Socket | undefined;
    const port = await listen(context, (socket) => {
      peer = socket;
      socket.resume();
      accept(socket);
    });
    await assert.rejects(open(context, port), check);
    await until(() => peer?.destroyed === true);
  });
}

test('an abort during the handshake closes the connection', async (context) => {
  const abort = new AbortController();
  let peer: Socket | undefined;
  const port = await listen(context, (socket) => {
    peer = socket;
    socket.once('data', () => abort.abort(new Error('stopped')));
  });
  await assert.rejects(open(context, port, abort.signal), /stopped/);
  await until(() => peer?.destroyed === true);
});
