/**
 * Cuts the byte stream of an RTSP connection into messages and interleaved frames (RFC 2326 §10.12).
 *
 * Frames that lie whole within a pushed chunk are handed on in place; only what a chunk leaves
 * unfinished is copied, because the chunk's buffer is read into again. Bytes that are neither are
 * skipped and counted, up to a limit.
 */
import { concat } from '../../codecs/bytes.ts';
import { ParseError } from '../../codecs/errors.ts';
import { parseHead, parseHttpHead, type RtspHead, type RtspMessage } from './message.ts';

/** The longest header block seen in the field is about 2 KiB. */
const MAX_HEAD_BYTES = 16 * 1024;
/** SDP of a recorder with many medias stays below 16 KiB. */
const MAX_BODY_BYTES = 64 * 1024;
/** Junk between frames is a camera's slip; more than a read's worth is another protocol. */
const MAX_CAMERA_JUNK_BYTES = 256 * 1024;

const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const FRAME_HEADER_BYTES = 4;
const EMPTY = new Uint8Array(0);

export interface RtspHandler {
  /** An interleaved frame: `bytes[start…end)`, valid during the call only. */
  frame(channel: number, bytes: Uint8Array, start: number, end: number): void;
  message(message: RtspMessage): void;
  /** A web server has answered, and nothing else has come: the wrong port, most often. */
  webServer(status: number): void;
  /** Whether frames may come on this channel: tells a frame from a stray dollar sign. */
  isChannel(channel: number): boolean;
}

/** What the other side may send between frames. */
export interface RtspGrammar {
  /** True as long as the bytes that are there may begin a message. */
  readonly canBegin: (bytes: Uint8Array, at: number) => boolean;
  /** With so many bytes `canBegin` is sure. */
  readonly longestStartBytes: number;
  readonly maxJunkBytes: number;
}

export class RtspParser {
  skippedBytes = 0;
  readonly #handler: RtspHandler;
  readonly #grammar: RtspGrammar;
  /** An unfinished frame or message: the first `#heldLength` bytes. */
  #held: Uint8Array = EMPTY;
  #heldLength = 0;
  /** How long the held message is, once its head is there. */
  #messageLength = 0;
  #junkInARow = 0;
  #hasUnderstood = false;

  constructor(handler: RtspHandler, grammar: RtspGrammar = CAMERA) {
    this.#handler = handler;
    this.#grammar = grammar;
  }

  /** Whether anything that came was RTSP or an interleaved frame. */
  get hasUnderstood(): boolean {
    return this.#hasUnderstood;
  }

  /** Throws ParseError when the connection carries something else. */
  push(chunk: Uint8Array): void {
    const from = this.#heldLength === 0 ? 0 : this.#finishHeld(chunk);
    if (from < chunk.length) this.#parse(chunk, from);
  }

  /** Completes what is held with the chunk's first bytes; returns how many were used. */
  #finishHeld(chunk: Uint8Array): number {
    if (this.#held[0] !== DOLLAR) return this.#parseJoined(chunk);
    let used = this.#addToHeld(chunk, 0, FRAME_HEADER_BYTES);
    if (this.#heldLength < FRAME_HEADER_BYTES) return used;
    if (!this.#handler.isChannel(this.#held[1] ?? 0)) {
      return used + this.#parseJoined(chunk.subarray(used));
    }
    const end = FRAME_HEADER_BYTES + lengthAt(this.#held, 0);
    used = this.#addToHeld(chunk, used, end);
    if (this.#heldLength < end) return used;
    this.#heldLength = 0;
    this.#handler.frame(this.#held[1] ?? 0, this.#held, FRAME_HEADER_BYTES, end);
    return used;
  }

  /** What is held and the chunk as one: for what is rare. Returns how many bytes of the chunk were used: all. */
  #parseJoined(chunk: Uint8Array): number {
    if (this.#tellsNothing(chunk))
      return this.#addToHeld(chunk, 0, this.#heldLength + chunk.length);
    const joined = concat(this.#held.subarray(0, this.#heldLength), chunk);
    this.#heldLength = 0;
    this.#parse(joined, 0);
    return chunk.length;
  }

  /** It neither ends the head that is held nor completes the message: what comes in drops is not read anew with each. */
  #tellsNothing(chunk: Uint8Array): boolean {
    const length = this.#heldLength + chunk.length;
    if (this.#messageLength > 0) return length < this.#messageLength;
    const isMessage = this.#heldLength >= this.#grammar.longestStartBytes;
    return isMessage && length <= MAX_HEAD_BYTES && !chunk.includes(LF);
  }

  /** Copies from `chunk[from…)` until `want` bytes are held; returns where it stopped. */
  #addToHeld(chunk: Uint8Array, from: number, want: number): number {
    const count = Math.min(want - this.#heldLength, chunk.length - from);
    if (count <= 0) return from;
    this.#makeRoom(want);
    this.#held.set(chunk.subarray(from, from + count), this.#heldLength);
    this.#heldLength += count;
    return from + count;
  }

  #makeRoom(byteLength: number): void {
    if (this.#held.length >= byteLength) return;
    const larger = new Uint8Array(Math.max(byteLength, 2 * this.#held.length, 2048));
    larger.set(this.#held.subarray(0, this.#heldLength));
    this.#held = larger;
  }

  #hold(bytes: Uint8Array, from: number, messageLength = 0): void {
    this.#messageLength = messageLength;
    this.#heldLength = 0;
    const rest = bytes.subarray(from);
    this.#makeRoom(rest.length);
    this.#held.set(rest);
    this.#heldLength = rest.length;
  }

  #parse(bytes: Uint8Array, from: number): void {
    let at = from;
    while (at < bytes.length) {
      const first = bytes[at];
      if (first === DOLLAR) {
        const next = this.#frame(bytes, at);
        if (next < 0) return;
        at = next;
      } else if (first === CR || first === LF) {
        at += 1;
      } else if (this.#grammar.canBegin(bytes, at)) {
        const next = this.#message(bytes, at);
        if (next < 0) return;
        at = next;
      } else {
        at = this.#skip(bytes, at);
      }
    }
  }

  /** The position after the frame, or −1 when it is held for more. */
  #frame(bytes: Uint8Array, at: number): number {
    if (at + FRAME_HEADER_BYTES > bytes.length) {
      this.#hold(bytes, at);
      return -1;
    }
    const channel = bytes[at + 1] ?? 0;
    if (!this.#handler.isChannel(channel)) return this.#skip(bytes, at);
    const start = at + FRAME_HEADER_BYTES;
    const end = start + lengthAt(bytes, at);
    if (end > bytes.length) {
      this.#hold(bytes, at);
      return -1;
    }
    this.#junkInARow = 0;
    this.#hasUnderstood = true;
    this.#handler.frame(channel, bytes, start, end);
    return end;
  }

  #message(bytes: Uint8Array, at: number): number {
    const bodyStart = findBody(bytes, at);
    if (bodyStart < 0) {
      if (bytes.length - at > MAX_HEAD_BYTES) {
        throw new ParseError(`RTSP header block longer than ${MAX_HEAD_BYTES} bytes`);
      }
      this.#hold(bytes, at);
      return -1;
    }
    const text = toText(bytes.subarray(at, bodyStart)).trimEnd();
    const head = headOrUndefined(text);
    if (head === undefined) {
      const answer = this.#hasUnderstood ? undefined : parseHttpHead(text);
      if (answer !== undefined) this.#handler.webServer(answer.status);
      return this.#skip(bytes, at);
    }
    const bodyEnd = bodyStart + bodyLength(head.headers.get('content-length'));
    if (bodyEnd > bytes.length) {
      this.#hold(bytes, at, bodyEnd - at);
      return -1;
    }
    this.#junkInARow = 0;
    this.#hasUnderstood = true;
    const body = bytes.slice(bodyStart, bodyEnd);
    this.#handler.message({ ...head, body });
    return bodyEnd;
  }

  /** Passes over what cannot be the start of anything. */
  #skip(bytes: Uint8Array, at: number): number {
    let next = at + 1;
    const { canBegin, maxJunkBytes } = this.#grammar;
    while (next < bytes.length && bytes[next] !== DOLLAR && !canBegin(bytes, next)) next += 1;
    this.skippedBytes += next - at;
    this.#junkInARow += next - at;
    if (this.#junkInARow > maxJunkBytes) {
      throw new ParseError(`${this.#junkInARow} bytes that are neither RTSP nor interleaved RTP`);
    }
    return next;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const UNDERSCORE = 0x5f;
const BLANK = 0x20;

/** The methods a camera may send us, the start of an answer, and that of a web server's. */
const STARTS = [
  'RTSP/',
  'HTTP/',
  'OPTIONS ',
  'ANNOUNCE ',
  'GET_PARAMETER ',
  'SET_PARAMETER ',
  'TEARDOWN ',
  'REDIRECT ',
  'PAUSE ',
].map((text) => new TextEncoder().encode(text));

/** Cameras have slips; to find the way back, only what they really send counts as a message. */
const CAMERA: RtspGrammar = {
  canBegin: fitsOneOf,
  longestStartBytes: Math.max(...STARTS.map(({ length }) => length)),
  maxJunkBytes: MAX_CAMERA_JUNK_BYTES,
};

/** GET_PARAMETER has 13. */
const MAX_METHOD_BYTES = 20;

/**
 * Clients may ask for anything, and are told what is not known here; but what is neither a request, an answer nor a
 * frame is no slip of theirs: it ends the session.
 */
export const CLIENT_GRAMMAR: RtspGrammar = {
  canBegin: (bytes, at) => fitsOneOf(bytes, at) || fitsMethod(bytes, at),
  longestStartBytes: MAX_METHOD_BYTES + 1,
  maxJunkBytes: 0,
};

/** A method, and the blank behind it. */
function fitsMethod(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i <= MAX_METHOD_BYTES && at + i < bytes.length; i += 1) {
    const byte = bytes[at + i] ?? 0;
    if (byte === BLANK) return i > 0;
    if (byte !== UNDERSCORE && (byte < UPPER_A || byte > UPPER_Z)) return false;
  }
  return bytes.length - at <= MAX_METHOD_BYTES;
}

function fitsOneOf(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0;
  if (first < UPPER_A || first > UPPER_Z) return false;
  const available = bytes.length - at;
  return STARTS.some((start) => {
    for (let i = 0; i < start.length && i < available; i += 1) {
      if (bytes[at + i] !== start[i]) return false;
    }
    return true;
  });
}

/** Where the body begins: after the first empty line; −1 when there is none within the limit. */
function findBody(bytes: Uint8Array, at: number): number {
  const end = Math.min(bytes.length, at + MAX_HEAD_BYTES);
  for (let i = bytes.indexOf(LF, at); i >= 0 && i < end; i = bytes.indexOf(LF, i + 1)) {
    if (bytes[i + 1] === LF) return i + 2;
    if (bytes[i + 1] === CR && bytes[i + 2] === LF) return i + 3;
  }
  return -1;
}

function bodyLength(contentLength: string | undefined): number {
  if (contentLength === undefined) return 0;
  const length = Number(contentLength);
  if (!Number.isInteger(length) || length < 0 || length > MAX_BODY_BYTES) {
    throw new ParseError(
      `RTSP Content-Length ${contentLength.slice(0, 20)}, at most ${MAX_BODY_BYTES} is taken`,
    );
  }
  return length;
}

/** Undefined: it only looked like a message, and is junk. */
function headOrUndefined(text: string): RtspHead | undefined {
  try {
    return parseHead(text);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
