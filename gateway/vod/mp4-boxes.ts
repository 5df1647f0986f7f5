/** The boxes of a file by their headers alone, for those who go from one to the next. */
import { ParseError } from '../../codecs/errors.ts';
import { MAX_BOX_HEADER_BYTES, parseBoxHeader } from '../../codecs/mp4/boxes.ts';
import type { FileRanges } from './file-ranges.ts';

export interface BoxPlace {
  readonly type: string;
  readonly at: number;
  readonly headerBytes: number;
  /** Past the file's end where it is torn. */
  readonly end: number;
}

/** undefined: the file ends, or is damaged there. */
export async function boxAt(file: FileRanges, at: number): Promise<BoxPlace | undefined> {
  if (at < 0 || at >= file.size) return undefined;
  try {
    const header = parseBoxHeader(await file.view(at, MAX_BOX_HEADER_BYTES));
    if (header === undefined) return undefined;
    const { type, headerBytes, size } = header;
    const end = size === Number.POSITIVE_INFINITY ? file.size : at + size;
    return { type, at, headerBytes, end };
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
