/** What is wrong with an edited configuration, before the gateway is asked, which looks at more. */

import { type FieldPath, formatPath } from './field-path.ts';
import type {
  Field,
  GroupField,
  ListField,
  MapField,
  NumberField,
  TextField,
} from './form-model.ts';
import { isList, isMap, type Json, valueIn } from './json.ts';
import { isMask } from './secrets.ts';

export interface FieldProblem {
  readonly path: string;
  readonly code: ProblemCode;
  /** What its words tell: bounds, options. */
  readonly values: Readonly<Record<string, string | number>>;
}

export type ProblemCode =
  | 'missing'
  | 'text'
  | 'too-short'
  | 'too-long'
  | 'name'
  | 'pattern'
  | 'choice'
  | 'flag'
  | 'number'
  | 'whole-number'
  | 'number-between'
  | 'whole-number-between'
  | 'group'
  | 'list'
  | 'too-few'
  | 'too-many'
  | 'map';

/** Names in topics and URLs; the one pattern for which there are words. */
const NAME_PATTERN = '^[a-z0-9-]{1,48}$';

export function problemsOf(
  field: Field,
  value: Json | undefined,
  path: FieldPath = [],
): FieldProblem[] {
  if (value === undefined || value === null) return field.isRequired ? [at(path, 'missing')] : [];
  // The environment's value is not known here.
  if (typeof value === 'string' && value.includes('${')) return [];
  switch (field.kind) {
    case 'text':
      return textProblems(field, value, path);
    case 'number':
      return numberProblems(field, value, path);
    case 'flag':
      return typeof value === 'boolean' ? [] : [at(path, 'flag')];
    case 'choice':
      return typeof value === 'string' && field.options.includes(value)
        ? []
        : [at(path, 'choice', { options: field.options.join(', ') })];
    case 'either':
      if (typeof value !== 'string') return groupProblems(field.group, value, path);
      return field.words.includes(value)
        ? []
        : [at(path, 'choice', { options: field.words.join(', ') })];
    case 'group':
      return groupProblems(field, value, path);
    case 'list':
      return listProblems(field, value, path);
    case 'map':
      return mapProblems(field, value, path);
    case 'any':
      return [];
  }
}

function textProblems(field: TextField, value: Json, path: FieldPath): FieldProblem[] {
  if (typeof value !== 'string') return [at(path, 'text')];
  if (field.isSecret && isMask(value)) return [];
  const { minLength, maxLength, pattern } = field;
  if (value.length < minLength) {
    return [at(path, minLength === 1 ? 'missing' : 'too-short', { count: minLength })];
  }
  if (value.length > maxLength) return [at(path, 'too-long', { count: maxLength })];
  if (pattern === undefined || new RegExp(pattern, 'u').test(value)) return [];
  return [pattern === NAME_PATTERN ? at(path, 'name') : at(path, 'pattern', { pattern })];
}

function numberProblems(field: NumberField, value: Json, path: FieldPath): FieldProblem[] {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, isWhole } = field;
  const isRight =
    typeof value === 'number' &&
    (!isWhole || Number.isSafeInteger(value)) &&
    value >= minimum &&
    value <= maximum;
  if (isRight) return [];
  if (Number.isFinite(minimum) && Number.isFinite(maximum)) {
    const code = isWhole ? 'whole-number-between' : 'number-between';
    return [at(path, code, { minimum, maximum })];
  }
  return [at(path, isWhole ? 'whole-number' : 'number')];
}

function groupProblems(field: GroupField, value: Json, path: FieldPath): FieldProblem[] {
  if (!isMap(value)) return [at(path, 'group')];
  return [...field.fields].flatMap(([key, inner]) =>
    problemsOf(inner, valueIn(value, key), [...path, key]),
  );
}

function listProblems(field: ListField, value: Json, path: FieldPath): FieldProblem[] {
  if (!isList(value)) return [at(path, 'list')];
  const { minItems, maxItems, item } = field;
  const counts =
    value.length < minItems
      ? [at(path, 'too-few', { count: minItems })]
      : value.length > maxItems
        ? [at(path, 'too-many', { count: maxItems })]
        : [];
  return [...counts, ...value.flatMap((one, index) => problemsOf(item, one, [...path, index]))];
}

function mapProblems(field: MapField, value: Json, path: FieldPath): FieldProblem[] {
  if (!isMap(value)) return [at(path, 'map')];
  return Object.entries(value).flatMap(([key, one]) => [
    ...(isRightKey(field, key) ? [] : [at([...path, key], 'name')]),
    ...problemsOf(field.item, one, [...path, key]),
  ]);
}

export function isRightKey({ keyPattern }: MapField, key: string): boolean {
  return keyPattern === undefined || new RegExp(keyPattern, 'u').test(key);
}

function at(path: FieldPath, code: ProblemCode, values: FieldProblem['values'] = {}): FieldProblem {
  return { path: formatPath(path), code, values };
}
