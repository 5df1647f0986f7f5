/**
 * `/mqtt`: MQTT 3.1.1 over WebSocket (§6), for pages. They hear everything and publish commands; who may come is what the
 * HTTP server has asked already.
 */
import { type WebSocket, WebSocketServer } from 'ws';
import { problem, sendAnswer } from '../http/answer.ts';
import type { Route, UpgradeCall } from '../http/route.ts';
import { type LocalBroker, MAX_PACKET_BYTES, type PublishProblem } from './local-broker.ts';
import type { Topics } from './topics.ts';
import { streamOn } from './websocket-stream.ts';

/** Pages that are open at one time; a wall of screens, and everybody's telephone. */
const MAX_CLIENTS = 32;
/** One that does not answer until the next is gone; and proxies forget silent connections. */
const PING_EVERY_MS = 20_000;

const ENOUGH = problem(503, 'busy', `${MAX_CLIENTS} pages are connected already`, {
  'retry-after': '5',
});
const UPGRADE_REQUIRED = problem(426, 'upgrade-required', 'MQTT over WebSocket is spoken here', {
  upgrade: 'websocket',
});

export class WebBroker {
  readonly routes: readonly Route[];
  readonly #broker: LocalBroker;
  readonly #publishProblem: PublishProblem;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  #clients = 0;

  constructor(broker: LocalBroker, topics: Topics) {
    this.#broker = broker;
    this.#publishProblem = ({ topic, qos, retain }) =>
      topics.verbOf(topic) !== undefined && qos < 2 && !retain
        ? undefined
        : 'only commands, QoS 0 or 1, not retained';
    this.routes = [
      {
        path: /^\/mqtt$/,
        access: 'admin',
        handle: ({ response }) => sendAnswer(response, UPGRADE_REQUIRED),
        upgrade: (call) => this.#connect(call),
      },
    ];
  }

  #connect({ request, socket, head, refuse }: UpgradeCall): void {
    if (this.#clients >= MAX_CLIENTS) {
      refuse(ENOUGH);
      return;
    }
    this.#clients += 1;
    socket.once('close', () => {
      this.#clients -= 1;
    });
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.setTimeout(0);
      keepAsking(webSocket);
      webSocket.on('message', (_data, isBinary) => {
        // MQTT-6.0.0-1.
        if (!isBinary) webSocket.terminate();
      });
      this.#broker.take(streamOn(webSocket), this.#publishProblem);
    });
  }
}

function keepAsking(webSocket: WebSocket): void {
  let isThere = true;
  const ping = setInterval(() => {
    if (!isThere) {
      webSocket.terminate();
      return;
    }
    isThere = false;
    webSocket.ping();
  }, PING_EVERY_MS);
  ping.unref();
  webSocket.on('pong', () => {
    isThere = true;
  });
  webSocket.once('close', () => clearInterval(ping));
}
