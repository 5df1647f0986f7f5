import type { EventEmitter } from 'node:events';

/** When a socket is closed, by a reset, too: that is what comes where the peer closes it with something unread. */
export function untilClosed(socket: EventEmitter): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
