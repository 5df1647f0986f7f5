/**
 * The same bytes to many TCP sockets, with one call into our native addon: a write through Node's streams costs more than
 * half as much as the kernel's part of it, and hundreds of players are written to for every picture.
 *
 * It writes to the sockets' own descriptors, which Node does not hand out officially (`_handle.fd`). So it is careful: without
 * a descriptor, and for all that the kernel does not take at once, errors included, there is Node's own way.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { NATIVE_ADDON } from './native-addon.ts';

const FIRST_CAPACITY = 64;
const NO_DESCRIPTOR = -1;

interface WithHandle {
  readonly _handle?: { readonly fd?: unknown } | null;
}

/** Bytes may go to its descriptor as they are. */
export function canBeSentTo(socket: Socket): boolean {
  return NATIVE_ADDON !== undefined && !(socket instanceof TLSSocket);
}

let descriptors = new Int32Array(FIRST_CAPACITY);
let taken = new Int32Array(FIRST_CAPACITY);

/**
 * No socket twice; none holds anything that is still to be written (`writableLength` 0). `rest` is called for each that has
 * not taken everything, with what is left: for Node to write, or to find out what is wrong.
 */
export function sendToAll(
  sockets: readonly (Socket | undefined)[],
  bytes: Buffer,
  rest: (index: number, bytes: Buffer) => void,
): void {
  const count = sockets.length;
  if (NATIVE_ADDON === undefined) {
    for (let index = 0; index < count; index += 1) rest(index, bytes);
    return;
  }
  if (count > descriptors.length) {
    descriptors = new Int32Array(2 * count);
    taken = new Int32Array(2 * count);
  }
  for (let index = 0; index < count; index += 1) descriptors[index] = descriptorOf(sockets[index]);
  NATIVE_ADDON.sendToAll(descriptors, count, bytes, taken);
  for (let index = 0; index < count; index += 1) {
    const took = taken[index] ?? 0;
    if (took !== bytes.length) rest(index, took > 0 ? bytes.subarray(took) : bytes);
  }
}

function descriptorOf(socket: Socket | undefined): number {
  const fd = (socket as WithHandle | undefined)?._handle?.fd;
  return typeof fd === 'number' ? fd : NO_DESCRIPTOR;
}
