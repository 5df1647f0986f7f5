/** Our native addon (drivers/native), where it is: what Node cannot do, done in C. Whoever uses it does without it, too. */
import { createRequire } from 'node:module';

export interface NativeSocket {
  readonly isNativeSocket: unique symbol;
}

export interface NativeAddon {
  /** Before all that is about UDP, once in each thread. */
  init(slab: Uint8Array, slotBytes: number, table: Uint32Array): void;
  /** The port it got is in the table's first entry. */
  open(
    address: string,
    port: number,
    receiveBufferBytes: number,
    acceptsAnyone: boolean,
    mayWait: boolean,
    group: string,
    source: string,
    interfaceName: string,
    onBatch: (count: number, error: number) => void,
  ): NativeSocket;
  acceptOnly(socket: NativeSocket, address: string): void;
  /** What waits at sockets that may wait; not more often than it makes sense. */
  readPatient(): void;
  send(socket: NativeSocket, bytes: Uint8Array, port: number, address: string): void;
  close(socket: NativeSocket): void;
  sendToAll(descriptors: Int32Array, count: number, bytes: Uint8Array, taken: Int32Array): void;
  /** Throws ENOTTY where the driver cannot. */
  enableRs485(descriptor: number): void;
  /** One datagram to a Unix socket, '@' for an abstract one. Throws EAGAIN when it would have to wait. */
  notify(path: string, bytes: Uint8Array): void;
}

/** Where deploy/native.mjs leaves it, as seen from the bundle and its chunks, and from the compiled tests. */
const PLACES = ['../native', '../../dist/native'];

export const NATIVE_ADDON = load();

function load(): NativeAddon | undefined {
  const require = createRequire(import.meta.url);
  for (const place of PLACES) {
    try {
      return require(`${place}/${process.platform}-${process.arch}/sluice.node`);
    } catch {
      // Not built, not for this machine, or `node --no-addons`.
    }
  }
  return undefined;
}
