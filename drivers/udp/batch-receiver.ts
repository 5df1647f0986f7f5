/** UDP by our native addon (../native/udp-batch.c): many packets with one system call and one call from it. */
import { getSystemErrorName } from 'node:util';
import { NATIVE_ADDON, type NativeAddon, type NativeSocket } from '../native-addon.ts';
import type { UdpReceiver } from '../udp-receiver.ts';
import { RECEIVE_BUFFER_BYTES, type UdpBinding } from './udp-binding.ts';

/** Holds the largest datagram; the rest spreads the slots over the processor's cache. */
const SLOT_BYTES = 65_536 + 1536;
/** Two P pictures of 1080p; what does not fit comes with the next call. */
const SLOTS = 32;

/** At the latest after this, receivers that may wait are read; mostly they are along with others. */
const PATIENCE_MS = 50;

/** Pages that no packet has touched take no memory. */
const slab = new Uint8Array(SLOTS * SLOT_BYTES);
const table = new Uint32Array(2 * SLOTS);

const addon = NATIVE_ADDON;
addon?.init(slab, SLOT_BYTES, table);

let patientReceivers = 0;
let patience: NodeJS.Timeout | undefined;

export const isBatchingAvailable = addon !== undefined;

export async function openBatchReceiver(binding: UdpBinding): Promise<UdpReceiver> {
  if (addon === undefined) throw new Error('the native addon is not there');
  return new BatchReceiver(addon, binding);
}

class BatchReceiver implements UdpReceiver {
  readonly port: number;
  readonly #addon: NativeAddon;
  readonly #socket: NativeSocket;
  readonly #mayWait: boolean;
  #isClosed = false;

  constructor(addon: NativeAddon, binding: UdpBinding) {
    const { address, port, acceptsAnyone, mayWait, membership, onPacket, onError } = binding;
    this.#addon = addon;
    this.#mayWait = mayWait;
    this.#socket = addon.open(
      address,
      port,
      RECEIVE_BUFFER_BYTES,
      acceptsAnyone,
      mayWait,
      membership?.group ?? '',
      membership?.source ?? '',
      membership?.through?.name ?? '',
      (count, error) => {
        if (error !== 0) onError(systemError(error));
        for (let at = 0; at < 2 * count && !this.#isClosed; at += 2) {
          try {
            onPacket(slab, table[at] ?? 0, table[at + 1] ?? 0);
          } catch (error) {
            onError(error instanceof Error ? error : new Error(String(error)));
          }
        }
      },
    );
    this.port = table[0] ?? 0;
    if (!mayWait) return;
    patientReceivers += 1;
    patience ??= setInterval(() => addon.readPatient(), PATIENCE_MS);
  }

  acceptOnly(address: string): void {
    if (!this.#isClosed) this.#addon.acceptOnly(this.#socket, address);
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    if (!this.#isClosed) this.#addon.send(this.#socket, bytes, port, address);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#addon.close(this.#socket);
    if (!this.#mayWait) return;
    patientReceivers -= 1;
    if (patientReceivers > 0) return;
    clearInterval(patience);
    patience = undefined;
  }
}

function systemError(error: number): Error {
  const code = getSystemErrorName(error);
  return Object.assign(new Error(`recvmmsg ${code}`), { code });
}
