/** What can be asked of the configuration: the arguments of those verbs, and what they answer. */
import * as z from 'zod/mini';
import { name, text } from '../config/fields.ts';
import type { StreamStatus } from './status.ts';

export const CONFIG_COMMANDS = {
  'config/get': z.object({}),
  'config/set': z.object({
    /** JSON Merge Patch (RFC 7396); a mask that `config/get` gave stands for its secret. */
    patch: z.record(z.string(), z.unknown(), { error: 'a map of keys' }),
    /** That `config/get` or the last `config/set` gave. */
    revision: text('the revision that config/get gave'),
  }),
  /** Beside the name: the keys of `streams.<name>`. */
  'stream/add': z.looseObject({ name: name() }),
  'stream/remove': z.object({ name: name() }),
} as const;

export interface ConfigGetReply {
  /** What the file says, defaults not filled in, each secret replaced by a mask. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the file's text. */
  readonly revision: string;
  /** Paths of keys that were changed and take effect at the next start. */
  readonly restartNeeded: readonly string[];
  /** One line: why the file, as somebody has edited it, is not taken. */
  readonly problem?: string;
}

export interface ConfigSetReply {
  readonly revision: string;
  /** Paths of keys that took effect. */
  readonly applied: readonly string[];
  /** All that take effect at the next start, from earlier changes, too. */
  readonly restartNeeded: readonly string[];
}

export interface StreamAddReply extends ConfigSetReply {
  readonly name: string;
  /** How the stream does. */
  readonly state?: StreamStatus['state'];
  readonly code?: StreamStatus['code'];
  readonly reason?: string;
}

export interface StreamRemoveReply {
  readonly name: string;
  /** `removed`: from the file; `ignored`: it was an adopted camera, which is not adopted again until the command `adopt`. */
  readonly outcome: 'removed' | 'ignored';
  readonly message: string;
  /** Where the file was changed. */
  readonly revision?: string;
}
