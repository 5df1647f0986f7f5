/**
 * The one buffer every media connection reads into: Node hands each read to `callback` before the
 * next one begins, so all sockets can share it and a read allocates nothing.
 */
export const SHARED_READ_BUFFER = new Uint8Array(256 * 1024);
