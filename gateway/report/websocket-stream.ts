/** The byte stream that MQTT has in a WebSocket (MQTT 3.1.1 §6). */
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';

/** Packets are written in pieces; each would be a message of its own. */
export function streamOn(webSocket: WebSocket): Duplex {
  return createWebSocketStream(webSocket, {
    writev: (pieces, done) => {
      webSocket.send(Buffer.concat(pieces.map(({ chunk }) => chunk)), done);
    },
  });
}
