/** How much the gateway writes to its log, until it starts anew. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Fleet } from '../model.ts';
import { CommandButton } from '../parts/command-button.tsx';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: {
    level: 'Log level',
    set: 'Set it',
    done: 'The log level is {level} until the next start.',
  },
  zh: { level: '日志级别', set: '设定', done: '日志级别为 {level}，直到下次启动。' },
});

/** As the verb `log/level` takes them, the loudest first. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export function LogLevelForm({
  fleet,
  gateway,
}: {
  readonly fleet: Fleet;
  readonly gateway: string;
}) {
  const level = useSignal('info');
  const id = useId();
  return (
    <div class="row">
      <label for={id}>{t('level')}</label>
      <select
        id={id}
        value={level.value}
        onChange={({ currentTarget }) => {
          level.value = currentTarget.value;
        }}
      >
        {LEVELS.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <CommandButton
        fleet={fleet}
        gateway={gateway}
        verb="log/level"
        args={{ level: level.value }}
        doneWords={t('done', { level: level.value })}
      >
        {t('set')}
      </CommandButton>
    </div>
  );
}
