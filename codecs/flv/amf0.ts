/**
 * AMF0 values, as RTMP commands and FLV script data carry them. AMF 0 specification §2.
 *
 * The reader takes what servers really send: the count of an ECMA array is a hint, and an object at
 * the very end may lack its end marker. Typed objects lose their class name, XML documents become
 * strings. Not handled: references, movie clips, record sets, the switch to AMF3.
 */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError } from '../errors.ts';

export const Amf0Marker = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xmlDocument: 0x0f,
  typedObject: 0x10,
} as const;

/** Real messages nest three deep; more is an attack on the stack. */
export const MAX_AMF0_DEPTH = 32;
/** A `releaseStream` has four values, a rich onMetaData some hundred. */
export const MAX_AMF0_VALUES = 10_000;
const MAX_SHORT_STRING_BYTES = 0xffff;

export type Amf0Value =
  | number
  | boolean
  | string
  | null
  | undefined
  | Date
  | EcmaArray
  | readonly Amf0Value[]
  | Amf0Object;

/** Has no prototype when it was read: `__proto__` is a key like any other. */
export interface Amf0Object {
  readonly [key: string]: Amf0Value;
}

/** Written with the ECMA array marker, which is what players expect of onMetaData. Read as an object. */
export class EcmaArray {
  readonly entries: Amf0Object;

  constructor(entries: Amf0Object) {
    this.entries = entries;
  }
}

/** All the values of one message. */
export function parseAmf0(bytes: Uint8Array): Amf0Value[] {
  const reader = new Amf0Reader(bytes);
  const values: Amf0Value[] = [];
  while (!reader.isAtEnd) values.push(reader.read());
  return values;
}

export function serializeAmf0(...values: readonly Amf0Value[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writeValue(writer, value);
  return writer.toBytes();
}

export function isAmf0Object(value: Amf0Value): value is Amf0Object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof EcmaArray)
  );
}

/** Reads value by value, for callers that want the first ones even when the rest is damaged. */
export class Amf0Reader {
  readonly #reader: ByteReader;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
  }

  get isAtEnd(): boolean {
    return this.#reader.remaining === 0;
  }

  read(): Amf0Value {
    return this.#value(0);
  }

  #value(depth: number): Amf0Value {
    const reader = this.#reader;
    this.#checkLimits(depth);
    const at = reader.offset;
    const marker = reader.u8();
    switch (marker) {
      case Amf0Marker.number:
        return reader.f64();
      case Amf0Marker.boolean:
        return reader.u8() !== 0;
      case Amf0Marker.string:
        return this.#string(reader.u16());
      case Amf0Marker.longString:
      case Amf0Marker.xmlDocument:
        return this.#string(reader.u32());
      case Amf0Marker.null:
        return null;
      case Amf0Marker.undefined:
      case Amf0Marker.unsupported:
        return undefined;
      case Amf0Marker.date:
        return this.#date();
      case Amf0Marker.object:
        return this.#properties(depth);
      case Amf0Marker.typedObject:
        this.#string(reader.u16()); // class-name
        return this.#properties(depth);
      case Amf0Marker.ecmaArray:
        reader.u32(); // associative-count: wrong in many encoders, the end marker decides
        return this.#properties(depth);
      case Amf0Marker.strictArray:
        return this.#array(depth);
      default:
        throw new ParseError(`AMF0 marker 0x${marker.toString(16)} is not supported`, at);
    }
  }

  #checkLimits(depth: number): void {
    if (depth > MAX_AMF0_DEPTH) {
      throw new ParseError(`AMF0 values nest deeper than ${MAX_AMF0_DEPTH}`, this.#reader.offset);
    }
    this.#values += 1;
    if (this.#values > MAX_AMF0_VALUES) {
      throw new ParseError(`more than ${MAX_AMF0_VALUES} AMF0 values`, this.#reader.offset);
    }
  }

  #properties(depth: number): Amf0Object {
    const reader = this.#reader;
    const object: Record<string, Amf0Value> = Object.create(null);
    while (reader.remaining > 0) {
      const key = this.#string(reader.u16());
      if (key === '' && this.#skipObjectEnd()) break;
      object[key] = this.#value(depth + 1);
    }
    return object;
  }

  /** Behind an empty key; the end of the message will do, too. */
  #skipObjectEnd(): boolean {
    const next = this.#reader.peek();
    if (next === Amf0Marker.objectEnd) this.#reader.u8();
    return next === Amf0Marker.objectEnd || next === undefined;
  }

  #array(depth: number): Amf0Value[] {
    const count = this.#reader.u32();
    const values: Amf0Value[] = [];
    for (let index = 0; index < count; index += 1) values.push(this.#value(depth + 1));
    return values;
  }

  #date(): Date {
    const date = new Date(this.#reader.f64());
    this.#reader.i16(); // time-zone: reserved, always UTC
    return date;
  }

  #string(length: number): string {
    return new TextDecoder().decode(this.#reader.take(length));
  }
}

function writeValue(writer: ByteWriter, value: Amf0Value): void {
  if (typeof value === 'number') writer.u8(Amf0Marker.number).f64(value);
  else if (typeof value === 'boolean') writer.u8(Amf0Marker.boolean).u8(value ? 1 : 0);
  else if (typeof value === 'string') writeString(writer, value);
  else if (value === null) writer.u8(Amf0Marker.null);
  else if (value === undefined) writer.u8(Amf0Marker.undefined);
  else if (value instanceof Date) writer.u8(Amf0Marker.date).f64(value.getTime()).i16(0);
  else if (value instanceof EcmaArray) writeEcmaArray(writer, value.entries);
  else if (isArray(value)) writeArray(writer, value);
  else {
    writer.u8(Amf0Marker.object);
    writeProperties(writer, value);
  }
}

function writeString(writer: ByteWriter, value: string): void {
  const bytes = new TextEncoder().encode(value);
  if (bytes.length > MAX_SHORT_STRING_BYTES) writer.u8(Amf0Marker.longString).u32(bytes.length);
  else writer.u8(Amf0Marker.string).u16(bytes.length);
  writer.bytes(bytes);
}

function writeEcmaArray(writer: ByteWriter, entries: Amf0Object): void {
  writer.u8(Amf0Marker.ecmaArray).u32(Object.keys(entries).length);
  writeProperties(writer, entries);
}

function writeArray(writer: ByteWriter, values: readonly Amf0Value[]): void {
  writer.u8(Amf0Marker.strictArray).u32(values.length);
  for (const value of values) writeValue(writer, value);
}

function writeProperties(writer: ByteWriter, object: Amf0Object): void {
  for (const [key, value] of Object.entries(object)) {
    const bytes = new TextEncoder().encode(key);
    if (bytes.length > MAX_SHORT_STRING_BYTES) {
      throw new RangeError(`an AMF0 key has at most ${MAX_SHORT_STRING_BYTES} bytes`);
    }
    writer.u16(bytes.length).bytes(bytes);
    writeValue(writer, value);
  }
  writer.u16(0).u8(Amf0Marker.objectEnd);
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: Amf0Object | readonly Amf0Value[]): value is readonly Amf0Value[] {
  return Array.isArray(value);
}
