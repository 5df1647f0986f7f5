/** The form for one gateway's configuration: a section for each of its first keys, and the way to saving it. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { failureWords } from '../parts/failure-words.ts';
import type { Change } from './changes.ts';
import { orLeftOut, withValue } from './draft.ts';
import { controlId, isTroubled } from './editor-props.ts';
import type { Field, GroupField } from './form-model.ts';
import { FieldEditor, GroupFields } from './holder-editors.tsx';
import { isList, isMap, type Json, valueIn } from './json.ts';
import { ReviewDialog } from './review-dialog.tsx';
import { descriptionWords } from './schema-words.ts';
import type { SaveOutcome, SettingsSession } from './settings-session.ts';
import { problemWords, settingsWords as t } from './settings-words.ts';
import { problemsOf } from './validate.ts';

export interface SettingsFormProps {
  readonly form: GroupField;
  readonly session: SettingsSession;
}

type Said =
  | Exclude<SaveOutcome, { at: 'invalid' }>
  | { readonly at: 'failed'; readonly words: string };

interface ShownProblem {
  readonly path: string | undefined;
  readonly words: string;
}

export function SettingsForm({ form, session }: SettingsFormProps) {
  const problems = useSignal<readonly ShownProblem[]>([]);
  const reviewed = useSignal<readonly Change[] | undefined>(undefined);
  const said = useSignal<Said | undefined>(undefined);
  const element = useRef<HTMLFormElement>(null);
  const draft = session.draft.value;
  const { changes } = session;
  const byPath = new Map(
    problems.value.flatMap(({ path, words }) =>
      path === undefined ? [] : [[path, words] as const],
    ),
  );
  useUnsavedWarning(changes.length > 0);
  const review = (event: Event) => {
    event.preventDefault();
    said.value = undefined;
    problems.value = problemsOf(form, draft).map((one) => ({
      path: one.path,
      words: problemWords(one),
    }));
    if (problems.value.length > 0) goTo(problems.value[0]?.path, element.current);
    else if (changes.length > 0) reviewed.value = changes;
  };
  const save = async () => {
    try {
      const outcome = await session.save();
      if (outcome.at === 'invalid') {
        const words = t('invalid', { message: outcome.message });
        problems.value = [{ path: outcome.path, words }];
      } else said.value = outcome;
    } catch (error) {
      said.value = { at: 'failed', words: failureWords(error) };
    }
    reviewed.value = undefined;
  };
  const discard = () => {
    problems.value = [];
    said.value = undefined;
    session.discard();
  };
  return (
    <form ref={element} class="stack settings" autocomplete="off" onSubmit={review}>
      <Outcome said={said.value} />
      <Problems problems={problems.value} form={element.current} />
      <div class="stack">
        {[...form.fields].map(([key, field]) => (
          <Section
            key={key}
            name={key}
            field={field}
            epoch={session.epoch.value}
            value={valueIn(draft, key) ?? undefined}
            set={(value) =>
              session.edit(withValue(session.draft.value, [key], orLeftOut(value, field.fallback)))
            }
            problems={byPath}
          />
        ))}
      </div>
      <div class="row settings-bar">
        <span role="status" class={changes.length === 0 ? 'muted' : 'tone-warn'}>
          {countWords(changes.length)}
        </span>
        {changes.length > 0 && (
          <button type="button" onClick={discard}>
            {t('discard')}
          </button>
        )}
        <button type="submit" class="primary" aria-disabled={changes.length === 0}>
          {t('review')}
        </button>
      </div>
      {reviewed.value !== undefined && (
        <ReviewDialog
          changes={reviewed.value}
          save={save}
          closed={() => {
            reviewed.value = undefined;
          }}
        />
      )}
    </form>
  );
}

/** The browser asks before what is not saved goes with the page. */
function useUnsavedWarning(isUnsaved: boolean): void {
  useEffect(() => {
    if (!isUnsaved) return undefined;
    const ask = (event: Event) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isUnsaved]);
}

interface SectionProps {
  readonly name: string;
  readonly field: Field;
  /** With another one its controls begin anew; it stays open or closed. */
  readonly epoch: number;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
  readonly problems: ReadonlyMap<string, string>;
}

function Section({ name, field, epoch, value, set, problems }: SectionProps) {
  const count = isMap(value) ? Object.keys(value).length : isList(value) ? value.length : 0;
  const props = { path: [name], value, set, problems };
  return (
    <details class="card settings-section">
      <summary>
        <h2>{name}</h2>
        {isTroubled(props) && <span class="badge badge-bad">✕</span>}
        {count > 0 && <span class="badge badge-off">{t('setHere', { count })}</span>}
        <span class="muted small">{descriptionWords([name], field.description)}</span>
      </summary>
      {field.kind === 'group' ? (
        <GroupFields key={epoch} field={field} {...props} />
      ) : (
        <FieldEditor key={epoch} field={field} {...props} />
      )}
    </details>
  );
}

function Problems({
  problems,
  form,
}: {
  readonly problems: readonly ShownProblem[];
  readonly form: HTMLFormElement | null;
}) {
  return (
    <div role="alert">
      {problems.length > 0 && (
        <div class="notice notice-bad">
          <p>{t('problems')}</p>
          <ul>
            {problems.map(({ path, words }) => (
              <li key={`${path} ${words}`}>
                {path !== undefined && (
                  <button type="button" class="plain link" onClick={() => goTo(path, form)}>
                    <span class="visually-hidden">{t('goTo', { path: '' })}</span>
                    {path}
                  </button>
                )}{' '}
                {words}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Outcome({ said }: { readonly said: Said | undefined }) {
  return (
    <div role="status">
      {said?.at === 'failed' && <p class="notice notice-bad">{said.words}</p>}
      {said?.at === 'conflict' && <p class="notice notice-warn">{t('conflict')}</p>}
      {said?.at === 'saved' && (
        <div class="notice">
          <p>
            <strong>{t('saved')}</strong>
          </p>
          <Paths title={t('applied')} paths={said.applied} />
          <Paths title={t('restartNeeded')} paths={said.restartNeeded} />
        </div>
      )}
    </div>
  );
}

export function Paths({
  title,
  paths,
}: {
  readonly title: string;
  readonly paths: readonly string[];
}) {
  if (paths.length === 0) return null;
  return (
    <p>
      {title} <code>{paths.join(', ')}</code>
    </p>
  );
}

function countWords(count: number): string {
  if (count === 0) return t('noChanges');
  return count === 1 ? t('oneChange') : t('changes', { count });
}

/** To the control at the path, or to the nearest that holds it, however deep it is folded away. */
function goTo(path: string | undefined, form: HTMLFormElement | null): void {
  let at = path;
  while (at !== undefined && at !== '') {
    const control = document.getElementById(controlId(at));
    if (control !== null && form?.contains(control)) {
      unfold(control);
      control.focus();
      return;
    }
    at = /^(.*)(?:\.[^.[]+|\[\d+\])$/.exec(at)?.[1];
  }
}

function unfold(element: Element): void {
  const details = element.closest('details');
  if (details === null) return;
  details.open = true;
  if (details.parentElement !== null) unfold(details.parentElement);
}
