/** Why a camera did not do what it was asked: a closed list of codes, and what to do in plain words. */
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../codecs/errors.ts';
import { explain } from '../causes.ts';
import { CommandError } from '../report/commands.ts';

type RefusalCode = 'not-found' | 'unsupported' | 'refused' | 'unreachable' | 'busy' | 'bad-request';

const PROTOCOL_CODES: ReadonlyMap<string, RefusalCode> = new Map([
  ['PTZ_BUSY', 'busy'],
  ['PTZ_REPLACED', 'busy'],
  ['PTZ_NO_SUCH_PRESET', 'bad-request'],
  ['PTZ_NO_ANSWERS', 'unsupported'],
  ['PTZ_CLOSED', 'unreachable'],
  ['VISCA_TIMEOUT', 'unreachable'],
  ['VISCA_BUFFER_FULL', 'busy'],
  ['SERIAL_LINE_DOWN', 'unreachable'],
  ['ONVIF_NO_ADDRESS', 'unreachable'],
  ['ENCODER_LIMITS', 'bad-request'],
  ['NTP_SERVER', 'bad-request'],
]);

/** `who` begins the sentence. A fault of our own is thrown on as it is. */
export function refusal(error: unknown, who: string): unknown {
  if (error instanceof CommandError) return error;
  if (error instanceof UnsupportedError) {
    return new CommandError('unsupported', sentence(`${who} cannot do that: ${error.message}`));
  }
  if (error instanceof ProtocolError) {
    const code = PROTOCOL_CODES.get(error.code) ?? 'refused';
    const words = code === 'refused' ? `${who} refused: ${error.message}` : error.message;
    return new CommandError(code, sentence(words));
  }
  if (error instanceof AuthenticationError) {
    return new CommandError('refused', explain(error, who, 'camera').reason);
  }
  if (error instanceof ParseError) {
    const words = `${who} answered something that cannot be understood: ${error.message}`;
    return new CommandError('refused', sentence(words));
  }
  if (!isOfTheNetwork(error)) return error;
  return new CommandError('unreachable', explain(error, who, 'camera').reason);
}

function isOfTheNetwork(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || 'code' in error);
}

/** What a device said is quoted in some: it must not steer the terminal of who reads it. */
function sentence(words: string): string {
  const clean = words.replace(/\p{Cc}+/gu, ' ');
  return /[.?!]$/.test(clean) ? clean : `${clean}.`;
}
