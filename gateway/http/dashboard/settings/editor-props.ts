/** What every editor of a field is given. */

import { type FieldPath, formatPath, isWithin } from './field-path.ts';
import type { Field } from './form-model.ts';
import type { Json } from './json.ts';

export interface EditorProps<F extends Field = Field> {
  readonly field: F;
  readonly path: FieldPath;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
  /** In words, by path. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Of its control, by which a problem finds it. */
export function controlId(path: string): string {
  return `setting-${path}`;
}

/** Whether something is wrong there, or in what it holds. */
export function isTroubled({ problems, path }: Pick<EditorProps, 'problems' | 'path'>): boolean {
  const holder = formatPath(path);
  return [...problems.keys()].some((one) => isWithin(one, holder));
}
