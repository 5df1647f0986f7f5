/** What can be asked of the configuration: the arguments of those verbs. */
import * as z from 'zod/mini';
import { name, text } from '../config/fields.ts';

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
