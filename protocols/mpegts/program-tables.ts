/**
 * The tables that say what is in a transport stream: which programmes (PAT, ISO/IEC 13818-1
 * §2.4.4.3) and of which elementary streams each consists (PMT, §2.4.4.8). Sections come without CRC.
 */
import { ByteReader } from '../../codecs/byte-reader.ts';
import { ParseError } from '../../codecs/errors.ts';

const TableId = { pat: 0x00, pmt: 0x02 } as const;
/** Its PID is that of the network information table. */
const NETWORK_PROGRAM = 0;

export interface PatSection {
  readonly version: number;
  readonly sectionNumber: number;
  readonly programs: readonly ProgramEntry[];
}

export interface ProgramEntry {
  readonly program: number;
  readonly pmtPid: number;
}

export interface ProgramMap {
  readonly program: number;
  readonly pcrPid: number;
  readonly streams: readonly ElementaryStreamEntry[];
}

export interface ElementaryStreamEntry {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
}

export interface Descriptor {
  readonly tag: number;
  readonly body: Uint8Array;
}

/** Undefined for another table, and for one that is not in force yet. */
export function parsePat(section: Uint8Array): PatSection | undefined {
  const reader = new ByteReader(section);
  const header = readTableHeader(reader, TableId.pat);
  if (header === undefined) return undefined;
  const programs: ProgramEntry[] = [];
  while (reader.remaining >= 4) {
    const program = reader.u16();
    const pmtPid = reader.u16() & 0x1fff;
    if (program !== NETWORK_PROGRAM) programs.push({ program, pmtPid });
  }
  return { version: header.version, sectionNumber: header.sectionNumber, programs };
}

/** Undefined for another table, and for one that is not in force yet. Descriptors are copies. */
export function parsePmt(section: Uint8Array): ProgramMap | undefined {
  const reader = new ByteReader(section.slice());
  const header = readTableHeader(reader, TableId.pmt);
  if (header === undefined) return undefined;
  const pcrPid = reader.u16() & 0x1fff;
  reader.take(reader.u16() & 0x0fff); // program_info
  const streams: ElementaryStreamEntry[] = [];
  while (reader.remaining >= 5) {
    const streamType = reader.u8();
    const pid = reader.u16() & 0x1fff;
    const descriptors = parseDescriptors(reader.take(reader.u16() & 0x0fff));
    streams.push({ pid, streamType, descriptors });
  }
  return { program: header.extension, pcrPid, streams };
}

/** The eight bytes all long sections begin with, §2.4.4.11. */
function readTableHeader(
  reader: ByteReader,
  wanted: number,
): { extension: number; version: number; sectionNumber: number } | undefined {
  if (reader.u8() !== wanted) return undefined;
  reader.u16(); // section_length, looked at by the assembler
  const extension = reader.u16();
  const flags = reader.u8();
  const sectionNumber = reader.u8();
  reader.u8(); // last_section_number
  const isCurrent = (flags & 0x01) !== 0;
  return isCurrent ? { extension, version: (flags >> 1) & 0x1f, sectionNumber } : undefined;
}

/** One that is cut short ends the list: what a stream is, its type tells as well. */
function parseDescriptors(bytes: Uint8Array): Descriptor[] {
  const reader = new ByteReader(bytes);
  const descriptors: Descriptor[] = [];
  try {
    while (reader.remaining > 0) {
      descriptors.push({ tag: reader.u8(), body: reader.take(reader.u8()) });
    }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
  return descriptors;
}
