/**
 * The tables that say what is in a transport stream: which programmes (PAT, ISO/IEC 13818-1
 * §2.4.4.3) and of which elementary streams each consists (PMT, §2.4.4.8). Sections come without CRC,
 * and leave with it.
 */
import { ByteReader } from '../../codecs/byte-reader.ts';
import { ByteWriter } from '../../codecs/byte-writer.ts';
import { ParseError } from '../../codecs/errors.ts';
import { crc32 } from './crc32.ts';

const TableId = { pat: 0x00, pmt: 0x02 } as const;
/** Its PID is that of the network information table. */
const NETWORK_PROGRAM = 0;
/** There is one stream here, and no network of them that could tell it from others. */
const TRANSPORT_STREAM_ID = 1;
/** Reserved bits are set: before a length of 12 bits in a section's head, a PID, a length. */
const RESERVED_2 = 0x3000;
const RESERVED_3 = 0xe000;
const RESERVED_4 = 0xf000;

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

/** The whole table in one section. */
export function serializePat(programs: readonly ProgramEntry[], version: number): Uint8Array {
  const body = new ByteWriter();
  for (const { program, pmtPid } of programs) body.u16(program).u16(RESERVED_3 | pmtPid);
  return serializeSection(TableId.pat, TRANSPORT_STREAM_ID, version, body.toBytes());
}

/** The whole table in one section. */
export function serializePmt(map: ProgramMap, version: number): Uint8Array {
  const body = new ByteWriter().u16(RESERVED_3 | map.pcrPid).u16(RESERVED_4); // no program_info
  for (const { pid, streamType, descriptors } of map.streams) {
    const bytes = new ByteWriter();
    for (const { tag, body: of } of descriptors) bytes.u8(tag).u8(of.length).bytes(of);
    const info = bytes.toBytes();
    body.u8(streamType).u16(RESERVED_3 | pid);
    body.u16(RESERVED_4 | info.length).bytes(info);
  }
  return serializeSection(TableId.pmt, map.program, version, body.toBytes());
}

function serializeSection(
  tableId: number,
  extension: number,
  version: number,
  body: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter().u8(tableId);
  // section_syntax_indicator, and what is counted: the rest of the header, the body, the CRC.
  writer.u16(0x8000 | RESERVED_2 | (5 + body.length + 4));
  writer.u16(extension).u8(0xc1 | ((version & 0x1f) << 1)); // current_next_indicator
  writer.u8(0).u8(0).bytes(body); // section_number, last_section_number
  return writer.u32(crc32(writer.toBytes())).toBytes();
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
