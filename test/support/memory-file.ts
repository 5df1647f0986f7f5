/** Bytes as a file that is read by ranges. */
import { FileRanges, type ReadableFile } from '../../gateway/vod/file-ranges.ts';

export function memoryFile(bytes: Uint8Array): FileRanges {
  const read = async (target: Uint8Array, offset: number, length: number, position: number) => {
    const piece = bytes.subarray(position, position + length);
    target.set(piece, offset);
    return { bytesRead: piece.length, buffer: target };
  };
  // Of the ways to call it, only this one is used.
  const file = { read, close: async () => undefined } as unknown as ReadableFile;
  return new FileRanges(file, bytes.length);
}
