/** The controls for what holds other values: groups, lists, maps, and what is a word or a group. */
import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { orLeftOut, withValue } from './draft.ts';
import { controlId, type EditorProps, isTroubled } from './editor-props.ts';
import {
  ChoiceEditor,
  FlagEditor,
  JsonEditor,
  labelling,
  leftOutWords,
  NumberEditor,
  TextEditor,
} from './field-editors.tsx';
import { type FieldPath, formatPath } from './field-path.ts';
import type { EitherField, Field, GroupField, ListField, MapField } from './form-model.ts';
import { isList, isMap, type Json, valueIn } from './json.ts';
import { descriptionWords } from './schema-words.ts';
import { isSecretKey, withoutSecrets } from './secrets.ts';
import { settingsWords as t } from './settings-words.ts';
import { isRightKey } from './validate.ts';

export function FieldEditor({ field, ...rest }: EditorProps) {
  switch (field.kind) {
    case 'text':
      return <TextEditor field={field} {...rest} />;
    case 'number':
      return <NumberEditor field={field} {...rest} />;
    case 'choice':
      return <ChoiceEditor field={field} {...rest} />;
    case 'flag':
      return <FlagEditor field={field} {...rest} />;
    case 'either':
      return <EitherEditor field={field} {...rest} />;
    case 'group':
      return <GroupEditor field={field} {...rest} />;
    case 'list':
      return <ListEditor field={field} {...rest} />;
    case 'map':
      return <MapEditor field={field} {...rest} />;
    case 'any':
      return <JsonEditor field={field} {...rest} />;
  }
}

function GroupEditor(props: EditorProps<GroupField>) {
  const { field, path, value, set } = props;
  const name = String(path.at(-1) ?? '');
  if (field.isAlwaysThere) {
    return (
      <Frame {...props} title={name}>
        <GroupFields {...props} />
      </Frame>
    );
  }
  const isThere = value !== undefined;
  return (
    <Frame {...props} title={name}>
      <label class="check">
        <input
          id={controlId(formatPath(path))}
          type="checkbox"
          checked={isThere}
          onChange={({ currentTarget }) => set(currentTarget.checked ? {} : undefined)}
        />
        {t('isSet', { name })}
      </label>
      {isThere && <GroupFields {...props} />}
    </Frame>
  );
}

export function GroupFields({ field, path, value, set, problems }: EditorProps<GroupField>) {
  const map = isMap(value) ? value : {};
  return (
    <div class="setting-fields">
      {[...field.fields].map(([key, inner]) => (
        <FieldEditor
          key={key}
          field={inner}
          path={[...path, key]}
          value={valueIn(map, key) ?? undefined}
          set={(one) => set(orLeftOut(withValue(map, [key], one), field.fallback))}
          problems={problems}
        />
      ))}
    </div>
  );
}

function ListEditor(props: EditorProps<ListField>) {
  const { field, path, set, problems } = props;
  const items = isList(props.value) ? props.value : [];
  const ids = useStableIds(items.length);
  const name = String(path.at(-1) ?? '');
  const change = (next: readonly Json[]) => set(orLeftOut(next, field.fallback));
  const remove = (at: number) => {
    ids.remove(at);
    change(items.filter((_, index) => index !== at));
  };
  return (
    <Frame {...props} title={name}>
      {items.length === 0 && <FallbackLine field={field} />}
      {items.map((item, at) => (
        <Item
          key={ids.of(at)}
          field={field.item}
          path={[...path, at]}
          value={item}
          set={(one) =>
            change(items.map((old, index) => (index === at ? (one ?? emptyOf(field.item)) : old)))
          }
          problems={problems}
          title={`${name} ${at + 1}`}
          remove={() => remove(at)}
        />
      ))}
      <button
        type="button"
        id={controlId(formatPath(path))}
        disabled={items.length >= field.maxItems}
        onClick={() => change([...items, emptyOf(field.item)])}
      >
        + {t('add', { name })}
      </button>
    </Frame>
  );
}

function MapEditor(props: EditorProps<MapField>) {
  const { field, path, set, problems } = props;
  const map = isMap(props.value) ? props.value : {};
  const [typed, setTyped] = useState('');
  const id = useId();
  const name = String(path.at(-1) ?? '');
  const change = (key: string, one: Json | undefined) =>
    set(orLeftOut(withValue(map, [key], one), field.fallback));
  const isFree = typed !== '' && isRightKey(field, typed) && !Object.hasOwn(map, typed);
  const add = () => {
    if (!isFree) return;
    change(typed, emptyOf(field.item));
    setTyped('');
  };
  return (
    <Frame {...props} title={name}>
      {Object.entries(map).map(([key, item]) => (
        <Item
          key={key}
          field={field.item}
          path={[...path, key]}
          value={item}
          set={(one) => change(key, one ?? emptyOf(field.item))}
          problems={problems}
          title={key}
          remove={() => change(key, undefined)}
        />
      ))}
      <div class="row setting-add">
        <label for={id}>{t('name')}</label>
        <input
          id={id}
          type="text"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-label={`${t('name')} (${name})`}
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            add();
          }}
        />
        <button
          type="button"
          id={controlId(formatPath(path))}
          aria-disabled={!isFree}
          onClick={add}
        >
          + {t('add', { name })}
        </button>
      </div>
    </Frame>
  );
}

function EitherEditor(props: EditorProps<EitherField>) {
  const { field, path, value, set, problems } = props;
  const { attributes, below } = labelling(props);
  const isGroup = isMap(value);
  const chosen = isGroup ? GROUP : typeof value === 'string' ? value : '';
  const isOther = chosen !== '' && !isGroup && !field.words.includes(chosen);
  const choose = (option: string) =>
    set(option === GROUP ? {} : option === '' ? undefined : option);
  return (
    <div class="field">
      <label for={attributes.id}>
        <span class="setting-key">{path.at(-1)}</span>
      </label>
      <select
        {...attributes}
        value={chosen}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">{leftOutWords(field)}</option>
        {isOther && <option value={chosen}>{chosen}</option>}
        {field.words.map((word) => (
          <option key={word} value={word}>
            {word}
          </option>
        ))}
        <option value={GROUP}>{t('byGroup')}</option>
      </select>
      {below}
      {isGroup && (
        <div class="setting-inner">
          <GroupFields
            field={field.group}
            path={path}
            value={value}
            set={(one) => set(one ?? {})}
            problems={problems}
          />
        </div>
      )}
    </div>
  );
}

/** No word of a schema has a space in front. */
const GROUP = ' group';

interface FrameProps extends EditorProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

function Frame({ title, children, ...props }: FrameProps) {
  const path = formatPath(props.path);
  const problem = props.problems.get(path);
  return (
    <fieldset class={props.path.length > 1 ? 'setting-frame' : 'setting-frame-top'}>
      <legend class={props.path.length > 1 ? undefined : 'visually-hidden'}>
        <span class="setting-key">{title}</span>
      </legend>
      <FrameHint field={props.field} path={props.path} />
      {problem !== undefined && <p class="error">{problem}</p>}
      {children}
    </fieldset>
  );
}

function FrameHint({ field, path }: { readonly field: Field; readonly path: FieldPath }) {
  // A section has said it at its head.
  const words = path.length > 1 ? descriptionWords(path, field.description) : undefined;
  return words === undefined ? null : <p class="muted small">{words}</p>;
}

function FallbackLine({ field }: { readonly field: ListField }) {
  const { fallback } = field;
  if (!isList(fallback) || fallback.length === 0) return null;
  return <p class="muted small">{t('fallback', { value: fallback.join(', ') })}</p>;
}

interface ItemProps extends EditorProps {
  readonly title: string;
  readonly remove: () => void;
}

function Item({ title, remove, ...props }: ItemProps) {
  const button = (
    <button type="button" class="danger" onClick={remove}>
      {t('remove', { name: title })}
    </button>
  );
  if (props.field.kind !== 'group') {
    return (
      <div class="setting-item-plain">
        <FieldEditor {...props} />
        {button}
      </div>
    );
  }
  return <GroupItem {...props} field={props.field} title={title} button={button} />;
}

interface GroupItemProps extends EditorProps<GroupField> {
  readonly title: string;
  readonly button: ComponentChildren;
}

/** Folded, so that many can be looked over; a new one is there to be filled in. */
function GroupItem({ title, button, ...props }: GroupItemProps) {
  const [isNew] = useState(() => isMap(props.value) && Object.keys(props.value).length === 0);
  const problem = props.problems.get(formatPath(props.path));
  return (
    <details class="setting-item" aria-label={title} open={isNew}>
      <summary>
        <strong>{title}</strong>
        {isTroubled(props) && <span class="badge badge-bad">✕</span>}
        <span class="muted small">{gistOf(props)}</span>
      </summary>
      {problem !== undefined && <p class="error">{problem}</p>}
      <GroupFields {...props} />
      {button}
    </details>
  );
}

/** What is needed in it says what it is: the source of a stream, the protocol and the port of an acceptor. */
function gistOf({ field, value }: EditorProps<GroupField>): string {
  const map = isMap(value) ? value : {};
  return [...field.fields]
    .filter(([key, { isRequired }]) => isRequired && !isSecretKey(key))
    .map(([key]) => valueIn(map, key))
    .filter((one) => typeof one === 'string')
    .map(withoutSecrets)
    .join(' · ');
}

/** What a new item begins with: what is needed in it is asked for when it is saved. */
function emptyOf(field: Field): Json {
  switch (field.kind) {
    case 'group':
    case 'map':
      return {};
    case 'list':
      return [];
    default:
      return '';
  }
}

/** Items keep their controls when one before them goes. */
function useStableIds(length: number) {
  const ids = useRef<number[]>([]);
  const next = useRef(0);
  while (ids.current.length < length) {
    ids.current.push(next.current);
    next.current += 1;
  }
  ids.current.length = length;
  return {
    of: (at: number) => ids.current[at],
    remove: (at: number) => {
      ids.current.splice(at, 1);
    },
  };
}
