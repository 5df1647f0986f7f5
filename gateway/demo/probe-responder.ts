/** Answers WS-Discovery probes that are sent to this address alone: no group is joined, so nobody else hears of it. */
import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { ParseError } from '../../codecs/errors.ts';
import {
  parseWsDiscoveryMessage,
  WS_DISCOVERY_PORT,
} from '../../protocols/ws-discovery/message.ts';
import {
  type OwnEndpoint,
  serializeProbeMatches,
} from '../../protocols/ws-discovery/probe-matches.ts';

/** What devices of other kinds are asked for is no question to a camera. */
const OWN_TYPES: ReadonlySet<string> = new Set(['NetworkVideoTransmitter', 'Device']);

export class ProbeResponder {
  readonly #endpoint: OwnEndpoint;
  /** The port is shared: the gateway listens there, too. */
  readonly #socket: Socket = createSocket({ type: 'udp4', reuseAddr: true });
  readonly #instanceId = Math.floor(Date.now() / 1000);
  #messageNumber = 0;

  constructor(endpoint: OwnEndpoint) {
    this.#endpoint = endpoint;
  }

  /** Throws where another program has the port and does not share it. */
  async start(address: string): Promise<void> {
    this.#socket.on('message', (bytes, from) => this.#answer(bytes, from));
    this.#socket.bind(WS_DISCOVERY_PORT, address);
    try {
      await once(this.#socket, 'listening');
    } catch (cause) {
      const words = `UDP port ${WS_DISCOVERY_PORT} of this machine, which cameras are found by, cannot be had: another program may have it for itself`;
      throw new Error(words, { cause });
    }
    // Nobody listens for an answer any more.
    this.#socket.on('error', () => undefined);
  }

  stop(): void {
    this.#socket.close();
  }

  #answer(bytes: Uint8Array, from: RemoteInfo): void {
    const relatesTo = readProbe(bytes);
    if (relatesTo === undefined) return;
    this.#messageNumber += 1;
    const answer = serializeProbeMatches(this.#endpoint, {
      relatesTo,
      messageId: randomUUID(),
      instanceId: this.#instanceId,
      messageNumber: this.#messageNumber,
    });
    this.#socket.send(answer, from.port, from.address, () => undefined);
  }
}

/** The id of a probe that is for cameras. */
function readProbe(bytes: Uint8Array): string | undefined {
  try {
    const message = parseWsDiscoveryMessage(bytes);
    if (message.kind !== 'probe') return undefined;
    const { types, messageId } = message;
    return types.length === 0 || types.some((type) => OWN_TYPES.has(type)) ? messageId : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
