/**
 * Connections on which nothing is being answered: new ones, and those kept alive between two requests. When
 * there are too many the one that has waited longest goes, so that whoever opens connections and says nothing
 * keeps nobody out: a real client asks within milliseconds.
 */
import type { Socket } from 'node:net';

/** A few hundred viewers that come at once still find room until their requests are read. */
const MAX_WAITING = 1024;

export class WaitingRoom {
  /** In the order of their coming. */
  readonly #sockets = new Set<Socket>();

  enter(socket: Socket): void {
    this.#sockets.add(socket);
    if (this.#sockets.size <= MAX_WAITING) return;
    for (const longest of this.#sockets) {
      this.#sockets.delete(longest);
      longest.destroy();
      return;
    }
  }

  leave(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}
