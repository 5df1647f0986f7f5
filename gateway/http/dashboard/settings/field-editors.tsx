/** The controls for one value each: text, secret, number, choice, yes or no, JSON. */
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { controlId, type EditorProps } from './editor-props.ts';
import { formatPath } from './field-path.ts';
import type {
  AnyField,
  ChoiceField,
  Field,
  FlagField,
  NumberField,
  TextField,
} from './form-model.ts';
import { isList, isMap, type Json } from './json.ts';
import { numberOrText, unitWords } from './number-words.ts';
import { descriptionWords } from './schema-words.ts';
import { isMask } from './secrets.ts';
import { settingsWords as t } from './settings-words.ts';

export function TextEditor(props: EditorProps<TextField>) {
  const { field, value, set } = props;
  if (field.isSecret) return <SecretEditor {...props} />;
  return (
    <Labelled {...props}>
      {(attributes) => (
        <input
          {...attributes}
          type="text"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder={placeholderOf(field)}
          value={textOf(value)}
          onInput={({ currentTarget }) =>
            set(currentTarget.value === '' ? undefined : currentTarget.value)
          }
        />
      )}
    </Labelled>
  );
}

/** What is set never comes to the page: a mask stands for it, and empty means that it stays. */
function SecretEditor(props: EditorProps<TextField>) {
  const { value, set, path } = props;
  const [mask] = useState(isMask(value) ? value : undefined);
  const isRemoved = mask !== undefined && value === undefined;
  const typed = isMask(value) ? '' : textOf(value);
  return (
    <Labelled {...props}>
      {(attributes) => (
        <>
          <div class="setting-control">
            <input
              {...attributes}
              type="password"
              autocomplete="new-password"
              placeholder={mask === undefined ? t('secretUnset') : t('secretSet')}
              value={typed}
              onInput={({ currentTarget }) =>
                set(currentTarget.value === '' ? mask : currentTarget.value)
              }
            />
            {mask !== undefined && (
              <button type="button" onClick={() => set(isRemoved ? mask : undefined)}>
                {isRemoved ? t('keepSecret') : t('removeSecret')}
                <span class="visually-hidden"> {formatPath(path)}</span>
              </button>
            )}
          </div>
          {isRemoved && (
            <span role="status" class="small tone-warn">
              {t('secretRemoved')}
            </span>
          )}
        </>
      )}
    </Labelled>
  );
}

export function NumberEditor(props: EditorProps<NumberField>) {
  const { field, path, value, set } = props;
  const key = String(path.at(-1) ?? '');
  return (
    <Labelled {...props} more={unitWords(key, value ?? field.fallback)}>
      {(attributes) => (
        <input
          {...attributes}
          type="text"
          inputMode={field.isWhole ? 'numeric' : 'decimal'}
          autocomplete="off"
          placeholder={placeholderOf(field)}
          value={textOf(value)}
          onInput={({ currentTarget }) => set(numberOrText(currentTarget.value))}
        />
      )}
    </Labelled>
  );
}

export function ChoiceEditor(props: EditorProps<ChoiceField>) {
  const { field, value, set } = props;
  const text = textOf(value);
  // Such as ${NAME}, or a word of a newer gateway: not to be lost by looking at it.
  const isOther = text !== '' && !field.options.includes(text);
  return (
    <Labelled {...props}>
      {(attributes) => (
        <select
          {...attributes}
          value={text}
          onChange={({ currentTarget }) =>
            set(currentTarget.value === '' ? undefined : currentTarget.value)
          }
        >
          <option value="">{leftOutWords(field)}</option>
          {isOther && <option value={text}>{text}</option>}
          {field.options.map((option) => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

export function FlagEditor(props: EditorProps<FlagField>) {
  const { field, path, value, set } = props;
  const { attributes, below } = labelling(props);
  const change = (isOn: boolean) => set(isOn === (field.fallback ?? false) ? undefined : isOn);
  return (
    <div class="field">
      <label class="check" for={attributes.id}>
        <input
          {...attributes}
          type="checkbox"
          checked={(value ?? field.fallback) === true}
          onChange={({ currentTarget }) => change(currentTarget.checked)}
        />
        <span class="setting-key">{path.at(-1)}</span>
      </label>
      {below}
    </div>
  );
}

/** What there is no form for. */
export function JsonEditor(props: EditorProps<AnyField>) {
  const { field, value, set } = props;
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, undefined, 2));
  const input = useRef<HTMLTextAreaElement>(null);
  const change = (typed: string) => {
    setText(typed);
    const parsed = parsedJson(typed);
    // The browser says so, and goes there, when the form is sent.
    input.current?.setCustomValidity(parsed === 'wrong' ? t('json') : '');
    if (parsed !== 'wrong') set(parsed.value);
  };
  return (
    <Labelled {...props} more={t('json')}>
      {(attributes) => (
        <textarea
          {...attributes}
          ref={input}
          rows={4}
          spellcheck={false}
          placeholder={placeholderOf(field)}
          value={text}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
      )}
    </Labelled>
  );
}

function parsedJson(text: string): 'wrong' | { readonly value: Json | undefined } {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    return 'wrong';
  }
}

interface ControlAttributes {
  readonly id: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string;
  readonly 'aria-required': boolean;
}

interface LabelledProps extends EditorProps {
  /** Beside the description. */
  readonly more?: string | undefined;
}

function Labelled({
  children,
  ...props
}: LabelledProps & { readonly children: (attributes: ControlAttributes) => ComponentChildren }) {
  const { attributes, below } = labelling(props);
  const part = props.path.at(-1);
  return (
    <div class="field">
      <label for={attributes.id}>
        <span class="setting-key">{typeof part === 'number' ? part + 1 : part}</span>
        {props.field.isRequired && typeof part !== 'number' && (
          <span class="muted small"> · {t('required')}</span>
        )}
      </label>
      {children(attributes)}
      {below}
    </div>
  );
}

/** What ties description and problem to a control. */
export function labelling({ field, path, problems, more }: Omit<LabelledProps, 'value' | 'set'>) {
  const key = formatPath(path);
  const id = controlId(key);
  const problem = problems.get(key);
  const hint = [descriptionWords(path, field.description), more].filter((one) => one !== undefined);
  const attributes: ControlAttributes = {
    id,
    'aria-invalid': problem !== undefined,
    'aria-describedby': `${id}-hint ${id}-problem`,
    'aria-required': field.isRequired,
  };
  const below = (
    <>
      <span id={`${id}-hint`} class="hint">
        {hint.join(' · ')}
      </span>
      <span id={`${id}-problem`} class="error">
        {problem}
      </span>
    </>
  );
  return { attributes, below };
}

export function leftOutWords(field: Field): string {
  return field.fallback === undefined
    ? t('leftOut')
    : t('useDefault', { value: placeholderOf(field) });
}

function placeholderOf({ fallback }: Field): string {
  if (fallback === undefined || isMap(fallback) || (isList(fallback) && fallback.length === 0))
    return '';
  return textOf(fallback);
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
