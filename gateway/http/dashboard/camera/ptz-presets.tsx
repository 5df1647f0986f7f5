/** Where a camera was told to look before: a list where it tells, else numbers that whoever asks has to know. */
import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import type { PtzInfo } from '../../../report/status.ts';
import { failureWords } from '../parts/failure-words.ts';
import { wordsOf } from '../words.ts';
import { type Preset, presetsIn } from './ptz-preset-list.ts';

const t = wordsOf({
  en: {
    title: 'Presets',
    preset: 'Preset',
    number: 'Preset number',
    go: 'Go there',
    set: 'Set to where it looks',
    new: 'New preset',
    name: 'Name of a new preset',
    remove: 'Remove',
    'remove-question': 'Remove preset {preset}?',
    again: 'Read again',
    none: 'It has none.',
    went: 'It goes to preset {preset}.',
    'was-set': 'Preset {preset} is where it looks now.',
    removed: 'Preset {preset} is gone.',
  },
  zh: {
    title: '预置位',
    preset: '预置位',
    number: '预置位编号',
    go: '转到',
    set: '设为当前位置',
    new: '新建预置位',
    name: '新预置位的名称',
    remove: '删除',
    'remove-question': '删除预置位 {preset}？',
    again: '重新读取',
    none: '没有预置位。',
    went: '正在转到预置位 {preset}。',
    'was-set': '预置位 {preset} 已设为当前位置。',
    removed: '预置位 {preset} 已删除。',
  },
});

type Ask = (args: Readonly<Record<string, unknown>>) => Promise<unknown>;

export function PtzPresets({
  ask,
  kind,
}: {
  readonly ask: Ask;
  readonly kind: PtzInfo['presets'];
}) {
  const id = useId();
  const known = useSignal<readonly Preset[] | undefined>(undefined);
  const chosen = useSignal('1');
  const name = useSignal('');
  const words = useSignal('');
  const isBad = useSignal(false);
  const run = async (args: Readonly<Record<string, unknown>>, done: string) => {
    words.value = '';
    try {
      const data = await ask(args);
      isBad.value = false;
      words.value = done;
      return data;
    } catch (error) {
      isBad.value = true;
      words.value = failureWords(error);
      return undefined;
    }
  };
  const read = async () => {
    const data = await run({ action: 'presets' }, '');
    if (data === undefined) return;
    known.value = presetsIn(data);
    const isThere = known.value.some(({ token }) => token === chosen.value);
    if (!isThere) chosen.value = known.value[0]?.token ?? '';
  };
  useEffect(() => {
    if (kind === 'list') void read();
  }, [kind]);
  const preset = chosen.value;
  const isChosen = preset !== '';
  const change = async (args: Readonly<Record<string, unknown>>, done: string) => {
    if ((await run(args, done)) === undefined || kind !== 'list') return;
    const said = words.value;
    await read();
    words.value = said;
  };
  const remove = () => {
    if (!confirm(t('remove-question', { preset }))) return;
    void change({ action: 'remove-preset', preset }, t('removed', { preset }));
  };
  return (
    <fieldset class="stack ptz-presets" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{t('title')}</h3>
      <div class="row">
        <label class="row" for={`${id}-preset`}>
          {kind === 'list' ? t('preset') : t('number')}
        </label>
        {kind === 'list' ? (
          <select
            id={`${id}-preset`}
            value={preset}
            onChange={({ currentTarget }) => {
              chosen.value = currentTarget.value;
            }}
          >
            {(known.value ?? []).map((one) => (
              <option key={one.token} value={one.token}>
                {one.name}
              </option>
            ))}
          </select>
        ) : (
          <input
            id={`${id}-preset`}
            class="ptz-number"
            type="number"
            min="0"
            max="65535"
            value={preset}
            onInput={({ currentTarget }) => {
              chosen.value = currentTarget.value;
            }}
          />
        )}
        <button
          type="button"
          disabled={!isChosen}
          onClick={() => void run({ action: 'preset', preset }, t('went', { preset }))}
        >
          {t('go')}
        </button>
        <button
          type="button"
          disabled={!isChosen}
          onClick={() => void change({ action: 'set-preset', preset }, t('was-set', { preset }))}
        >
          {t('set')}
        </button>
        <button type="button" class="danger" disabled={!isChosen} onClick={remove}>
          {t('remove')}
        </button>
      </div>
      {kind === 'list' && (
        <div class="row">
          <label for={`${id}-name`}>{t('name')}</label>
          <input
            id={`${id}-name`}
            maxLength={64}
            value={name.value}
            onInput={({ currentTarget }) => {
              name.value = currentTarget.value;
            }}
          />
          <button
            type="button"
            disabled={name.value.trim() === ''}
            onClick={() => {
              const presetName = name.value.trim();
              const done = t('was-set', { preset: presetName });
              void change({ action: 'set-preset', presetName }, done);
            }}
          >
            {t('new')}
          </button>
          <button type="button" onClick={() => void read()}>
            {t('again')}
          </button>
        </div>
      )}
      <p role="status" class={isBad.value ? 'tone-bad' : 'tone-ok'}>
        {words.value === '' && known.value?.length === 0 ? t('none') : words.value}
      </p>
    </fieldset>
  );
}
