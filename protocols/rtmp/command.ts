/**
 * Command messages: a name, a transaction id, values. RTMP 1.0 §7.1.1 and §7.2.
 *
 * Reading is tolerant. `ffmpeg -listen 1` sends onBWDone without a transaction id, and some
 * servers put AMF3 into a value: what can be read counts, the rest is left out.
 */

import { ParseError } from '../../codecs/errors.ts';
import {
  type Amf0Object,
  Amf0Reader,
  type Amf0Value,
  isAmf0Object,
  serializeAmf0,
} from '../../codecs/flv/amf0.ts';
import { MessageType, type RtmpMessage } from './message.ts';

/** Words of the server in our messages. */
const MAX_QUOTED_CHARACTERS = 200;

export interface RtmpCommand {
  readonly name: string;
  /** 0 when none was sent. */
  readonly transactionId: number;
  /** The command object first, where there is one. */
  readonly values: readonly Amf0Value[];
}

/** undefined when the message is no command, or does not begin with a name. */
export function parseCommand(message: RtmpMessage): RtmpCommand | undefined {
  const bytes = commandBytes(message);
  if (bytes === undefined) return undefined;
  const [name, ...rest] = readableValues(bytes);
  if (typeof name !== 'string') return undefined;
  const [transactionId, ...values] = rest;
  if (typeof transactionId !== 'number') return { name, transactionId: 0, values: rest };
  return { name, transactionId, values };
}

export function commandMessage(
  messageStreamId: number,
  name: string,
  transactionId: number,
  ...values: readonly Amf0Value[]
): RtmpMessage {
  const payload = serializeAmf0(name, transactionId, ...values);
  return { typeId: MessageType.commandAmf0, timestampMs: 0, messageStreamId, payload };
}

export interface CommandStatus {
  readonly code: string;
  readonly level: string;
  /** The server's own words, as they came: they may hold secrets. */
  readonly text: string;
  /** Code and text for people: no control characters, and no queries, which may hold secrets. */
  readonly words: string;
}

/** The information object of a status or an error: the first that has a code or a description. */
export function statusOf(command: RtmpCommand): CommandStatus {
  const info = command.values.find(isStatus);
  const code = stringIn(info, 'code');
  const text = stringIn(info, 'description') || stringIn(info, 'details');
  return { code, level: stringIn(info, 'level'), text, words: quoted(code, text) };
}

function commandBytes({ typeId, payload }: RtmpMessage): Uint8Array | undefined {
  if (typeId === MessageType.commandAmf0) return payload;
  // AMF3 commands begin with a zero byte; what follows is AMF0 all the same.
  if (typeId === MessageType.commandAmf3) return payload.subarray(payload[0] === 0 ? 1 : 0);
  return undefined;
}

function readableValues(bytes: Uint8Array): Amf0Value[] {
  const values: Amf0Value[] = [];
  try {
    const reader = new Amf0Reader(bytes);
    while (!reader.isAtEnd) values.push(reader.read());
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
  return values;
}

function isStatus(value: Amf0Value): value is Amf0Object {
  return isAmf0Object(value) && ('code' in value || 'description' in value);
}

function stringIn(object: Amf0Object | undefined, key: string): string {
  const value = object?.[key];
  return typeof value === 'string' ? value : '';
}

function quoted(code: string, text: string): string {
  const words = text
    .replace(/\?\S*/g, '?…')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_QUOTED_CHARACTERS)
    .trim();
  const name = code.slice(0, MAX_QUOTED_CHARACTERS) || 'no reason given';
  return words === '' ? name : `${name} (${words})`;
}
