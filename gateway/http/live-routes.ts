/**
 * Live streams for players: `/live/<name>.flv`, the same as WebSocket, and `/live/<name>.ts`. The body has no length and no
 * chunks and ends with the connection, so that one block of memory is one write for every viewer.
 */
import { WebSocketServer } from 'ws';
import { codecName } from '../../codecs/codec-name.ts';
import { flvFileHeader } from '../../codecs/flv/tag.ts';
import type { Track } from '../../codecs/track.ts';
import { elementaryForm } from '../../protocols/mpegts/elementary-form.ts';
import { TsMuxer } from '../../protocols/mpegts/muxer.ts';
import {
  binaryFrameHeaderBytes,
  writeBinaryFrameHeader,
} from '../../protocols/websocket/binary-frame.ts';
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import { toName } from '../names.ts';
import { FanOut, type FanOutContext } from '../viewers/fan-out.ts';
import { FlvFramer, isCarriedInFlv, NO_ENVELOPE } from '../viewers/flv-framer.ts';
import { SocketViewer } from '../viewers/socket-viewer.ts';
import { type Answer, problem, sendAnswer } from './answer.ts';
import type { HttpCall, Route, UpgradeCall } from './route.ts';

/** Players say nothing; what they say is thrown away. */
const MAX_MESSAGE_BYTES = 4 * 1024;
/** A player behind a proxy that forgets silent connections is noticed, and kept. */
const PING_EVERY_MS = 20_000;
/** RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;

const WEBSOCKET_ENVELOPE = {
  headerBytes: binaryFrameHeaderBytes,
  writeHeader: writeBinaryFrameHeader,
};

interface Format {
  readonly name: string;
  carries(track: Track): boolean;
}

const FLV: Format = { name: 'FLV', carries: isCarriedInFlv };
const MPEG_TS: Format = {
  name: 'MPEG-TS',
  carries: (track) => elementaryForm(track) !== undefined,
};

export class LiveRoutes {
  readonly routes: readonly Route[];
  readonly #hub: Hub;
  readonly #flv: FanOut;
  readonly #webSocketFlv: FanOut;
  readonly #ts: FanOut;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });

  constructor(hub: Hub, context: FanOutContext) {
    this.#hub = hub;
    this.#flv = new FanOut(hub, () => new FlvFramer(NO_ENVELOPE), context);
    this.#webSocketFlv = new FanOut(hub, () => new FlvFramer(WEBSOCKET_ENVELOPE), context);
    this.#ts = new FanOut(hub, () => new TsMuxer(), context);
    this.routes = [
      {
        path: /^\/live\/([^/]+)\.flv$/,
        access: 'viewer',
        handle: (call) => this.#playFlv(call),
        upgrade: (call) => this.#playWebSocket(call),
      },
      {
        path: /^\/live\/([^/]+)\.ts$/,
        access: 'viewer',
        handle: (call) => this.#playTs(call),
      },
    ];
  }

  #playFlv(call: HttpCall): void {
    const stream = this.#streamFor(call.captured, FLV);
    if ('status' in stream) sendAnswer(call.response, stream);
    else play(call, stream, this.#flv, 'video/x-flv', flvBeginning(stream));
  }

  #playTs(call: HttpCall): void {
    const stream = this.#streamFor(call.captured, MPEG_TS);
    if ('status' in stream) sendAnswer(call.response, stream);
    else play(call, stream, this.#ts, 'video/mp2t', undefined);
  }

  #playWebSocket({ request, socket, head, captured, refuse }: UpgradeCall): void {
    const stream = this.#streamFor(captured, FLV);
    if ('status' in stream) {
      refuse(stream);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.setTimeout(0);
      webSocket.on('error', () => socket.destroy());
      webSocket.send(flvBeginning(stream));
      const viewer = new SocketViewer(socket, () => {
        leave();
        webSocket.close(GOING_AWAY);
      });
      const ping = setInterval(() => webSocket.ping(), PING_EVERY_MS);
      const viewing = this.#webSocketFlv.join(stream.name, viewer);
      const leave = () => {
        clearInterval(ping);
        viewing[Symbol.dispose]();
      };
      webSocket.once('close', leave);
    });
  }

  /** The stream, or why it cannot be played. */
  #streamFor(captured: readonly string[], format: Format): Stream | Answer {
    const name = toName(captured[0] ?? '', '');
    const stream = this.#hub.get(name);
    if (stream === undefined) return problem(404, 'not-found', 'there is no stream of that name');
    if (!stream.isOnline) {
      const words = 'the stream has no source at the moment; try again later';
      return problem(503, 'offline', words, { 'retry-after': '5' });
    }
    if (stream.tracks.some(format.carries)) return stream;
    const codecs = stream.tracks.map(codecName).join(', ');
    return problem(406, 'codec', `${format.name} has no form for ${codecs}`);
  }
}

function play(
  { request, response }: HttpCall,
  stream: Stream,
  fanOut: FanOut,
  contentType: string,
  beginning: Uint8Array | undefined,
): void {
  const { socket } = request;
  response.shouldKeepAlive = false;
  response.useChunkedEncodingByDefault = false;
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  // Whoever watches decides how long is too long.
  socket.setTimeout(0);
  if (beginning !== undefined) socket.write(beginning);
  const viewing = fanOut.join(stream.name, new SocketViewer(socket, () => response.end()));
  response.once('close', () => viewing[Symbol.dispose]());
}

/** Some players wait for what it announces. */
function flvBeginning({ tracks }: Stream): Uint8Array {
  const carried = tracks.filter(isCarriedInFlv);
  const has = (kind: Track['kind']) => carried.some((track) => track.kind === kind);
  return flvFileHeader(has('video'), has('audio'));
}
