/** What cannot be drawn takes nothing else with it: a newer gateway may tell what this page has never heard of. */
import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: {
    failed: 'This screen cannot be drawn ({message}). The others may, or the page loaded anew.',
    reload: 'Load the page anew',
  },
  zh: {
    failed: '无法显示此页面（{message}）。可查看其他页面，或重新载入。',
    reload: '重新载入',
  },
});

export function Boundary({ children }: { readonly children: ComponentChildren }) {
  const [error] = useErrorBoundary();
  if (error === undefined) return <>{children}</>;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div class="notice notice-bad stack" role="alert">
      <p>{t('failed', { message })}</p>
      <button type="button" onClick={() => location.reload()}>
        {t('reload')}
      </button>
    </div>
  );
}
