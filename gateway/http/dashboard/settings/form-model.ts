/**
 * From the configuration's JSON Schema (draft 2020-12, as zod writes it) to the fields of a form. What it does not know it does not
 * hide: such a field is edited as JSON.
 */
import { isList, isMap, type Json, type JsonMap, valueIn } from './json.ts';
import { isSecretKey } from './secrets.ts';

interface Common {
  readonly description: string | undefined;
  /** What holds when it is left out. */
  readonly fallback: Json | undefined;
  readonly isRequired: boolean;
}

export type TextField = Common & {
  readonly kind: 'text';
  /** A password or a token: never shown, and a mask stands for the one that is set. */
  readonly isSecret: boolean;
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: string | undefined;
};
export type NumberField = Common & {
  readonly kind: 'number';
  readonly isWhole: boolean;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
};
export type ChoiceField = Common & { readonly kind: 'choice'; readonly options: readonly string[] };
export type FlagField = Common & { readonly kind: 'flag' };
export type GroupField = Common & {
  readonly kind: 'group';
  /** False: it holds by being there, such as a login. True: it is only a heading. */
  readonly isAlwaysThere: boolean;
  readonly fields: ReadonlyMap<string, Field>;
};
export type ListField = Common & {
  readonly kind: 'list';
  readonly item: Field;
  readonly minItems: number;
  readonly maxItems: number;
};
export type MapField = Common & {
  readonly kind: 'map';
  readonly item: Field;
  readonly keyPattern: string | undefined;
};
/** One of some words, or a group: `profile: main`, or limits. */
export type EitherField = Common & {
  readonly kind: 'either';
  readonly words: readonly string[];
  readonly group: GroupField;
};
export type AnyField = Common & { readonly kind: 'any' };

export type Field =
  | TextField
  | NumberField
  | ChoiceField
  | FlagField
  | GroupField
  | ListField
  | MapField
  | EitherField
  | AnyField;

/** Deeper schemas are none of ours. */
const MAX_DEPTH = 12;

/** Throws where it is no schema of a configuration. */
export function formOf(schema: unknown): GroupField {
  if (!isMap(schema)) throw new Error('expected a JSON Schema');
  const field = fieldOf(schema, '', true, 0);
  if (field.kind !== 'group') throw new Error('expected the JSON Schema of a map with known keys');
  return field;
}

function fieldOf(schema: Json, key: string, isRequired: boolean, depth: number): Field {
  const node = isMap(schema) ? schema : {};
  const common: Common = {
    description: textAt(node, 'description'),
    fallback: valueIn(node, 'default'),
    isRequired,
  };
  if (depth > MAX_DEPTH) return { ...common, kind: 'any' };
  const options = wordsOf(node);
  if (options !== undefined) return { ...common, kind: 'choice', options };
  const alternatives = valueIn(node, 'anyOf') ?? valueIn(node, 'oneOf');
  if (isList(alternatives)) return either(alternatives, common, depth);
  switch (valueIn(node, 'type')) {
    case 'boolean':
      return { ...common, kind: 'flag' };
    case 'integer':
    case 'number':
      return {
        ...common,
        kind: 'number',
        isWhole: valueIn(node, 'type') === 'integer',
        minimum: numberAt(node, 'minimum'),
        maximum: numberAt(node, 'maximum'),
      };
    case 'string':
      return {
        ...common,
        kind: 'text',
        isSecret: isSecretKey(key),
        minLength: numberAt(node, 'minLength') ?? 0,
        maxLength: numberAt(node, 'maxLength') ?? Number.POSITIVE_INFINITY,
        pattern: textAt(node, 'pattern'),
      };
    case 'array':
      return {
        ...common,
        kind: 'list',
        item: fieldOf(valueIn(node, 'items') ?? {}, key, true, depth + 1),
        minItems: numberAt(node, 'minItems') ?? 0,
        maxItems: numberAt(node, 'maxItems') ?? Number.POSITIVE_INFINITY,
      };
    case 'object':
      return objectField(node, common, depth);
    default:
      return { ...common, kind: 'any' };
  }
}

function objectField(node: JsonMap, common: Common, depth: number): Field {
  const properties = valueIn(node, 'properties');
  if (isMap(properties)) {
    const required = valueIn(node, 'required');
    const needed = new Set(isList(required) ? required : []);
    const fields = Object.entries(properties).map(
      ([key, schema]) => [key, fieldOf(schema, key, needed.has(key), depth + 1)] as const,
    );
    const isAlwaysThere = common.isRequired || common.fallback !== undefined;
    return { ...common, kind: 'group', isAlwaysThere, fields: new Map(fields) };
  }
  const item = valueIn(node, 'additionalProperties');
  // Whatever is handed to somebody else as it is.
  if (!isMap(item) || Object.keys(item).length === 0) return { ...common, kind: 'any' };
  const names = valueIn(node, 'propertyNames');
  return {
    ...common,
    kind: 'map',
    item: fieldOf(item, '', true, depth + 1),
    keyPattern: isMap(names) ? textAt(names, 'pattern') : undefined,
  };
}

function either(alternatives: readonly Json[], common: Common, depth: number): Field {
  const words = alternatives.flatMap((one) => (isMap(one) ? (wordsOf(one) ?? []) : []));
  const others = alternatives.filter((one) => !isMap(one) || wordsOf(one) === undefined);
  const [only] = others;
  if (only === undefined) return { ...common, kind: 'choice', options: words };
  const group = fieldOf(only, '', true, depth + 1);
  if (others.length > 1 || group.kind !== 'group') return { ...common, kind: 'any' };
  return { ...common, kind: 'either', words, group };
}

/** The words that it may be; undefined: it is not of some words. */
function wordsOf(node: JsonMap): readonly string[] | undefined {
  const constant = valueIn(node, 'const');
  const options = constant === undefined ? valueIn(node, 'enum') : [constant];
  if (!isList(options)) return undefined;
  const words = options.filter((option): option is string => typeof option === 'string');
  return words.length === options.length ? words : undefined;
}

function textAt(node: JsonMap, key: string): string | undefined {
  const value = valueIn(node, key);
  return typeof value === 'string' ? value : undefined;
}

function numberAt(node: JsonMap, key: string): number | undefined {
  const value = valueIn(node, key);
  return typeof value === 'number' ? value : undefined;
}
