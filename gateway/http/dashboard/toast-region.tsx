/** Where toasts are shown; always there, because screen readers read aloud only what changes in it. */
import { dismissToast, toasts } from './toasts.ts';
import { wordsOf } from './words.ts';

const t = wordsOf({ en: { dismiss: 'Dismiss' }, zh: { dismiss: '关闭' } });

export function ToastRegion() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone }) => (
        <div key={id} class="toast">
          <span class={`tone-${tone}`}>
            <span aria-hidden="true">{tone === 'ok' ? '●' : '✕'}</span> {text}
          </span>
          <button type="button" class="plain" onClick={() => dismissToast(id)}>
            <span aria-hidden="true">×</span>
            <span class="visually-hidden">{t('dismiss')}</span>
          </button>
        </div>
      ))}
    </div>
  );
}
