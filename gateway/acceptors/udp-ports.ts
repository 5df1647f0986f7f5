/**
 * Pairs of UDP ports for the tracks of RTSP sessions, out of a range that a firewall can be told of. A pair whose ports
 * another program holds is passed over.
 */
import { UdpMedia, type UdpMediaHandler } from '../../drivers/udp-media.ts';

/** Below the ports that Linux gives away by itself (32768 to 60999): a thousand pairs, 500 players with sound. */
const FIRST_PORT = 30_000;
const LAST_PORT = 31_999;
const PAIRS = (LAST_PORT - FIRST_PORT + 1) / 2;
/** Each is a system call; a range that is this full has none to spare. */
const MAX_TRIES = 64;

export class UdpPorts {
  readonly #taken = new Set<number>();
  #next: number;

  /** `start`: 0 to 1: where in the range the first pair is looked for. */
  constructor(start: number) {
    this.#next = Math.floor(start * PAIRS);
  }

  /** Undefined: there is none. What comes from other addresses than `peer` is not taken. */
  async open(peer: string, handler: UdpMediaHandler): Promise<UdpPair | undefined> {
    for (let tries = 0; tries < Math.min(MAX_TRIES, PAIRS); tries += 1) {
      const port = FIRST_PORT + 2 * this.#next;
      this.#next = (this.#next + 1) % PAIRS;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      const media = await listen(port, peer, handler);
      if (media !== undefined) return new UdpPair(media, port, () => this.#taken.delete(port));
      this.#taken.delete(port);
    }
    return undefined;
  }
}

export class UdpPair {
  readonly media: UdpMedia;
  readonly port: number;
  readonly #release: () => void;

  constructor(media: UdpMedia, port: number, release: () => void) {
    this.media = media;
    this.port = port;
    this.#release = release;
  }

  close(): void {
    this.media.close();
    this.#release();
  }
}

async function listen(
  port: number,
  source: string,
  handler: UdpMediaHandler,
): Promise<UdpMedia | undefined> {
  const family = source.includes(':') ? 'udp6' : 'udp4';
  try {
    return await UdpMedia.listen({ family, port, rtcpPort: port + 1, source }, handler);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
