/** The frame around every screen. */
import { wordsOf } from './words.ts';

const t = wordsOf({ en: { title: 'Sluice' }, zh: { title: 'Sluice' } });

export function App() {
  return (
    <main>
      <h1>{t('title')}</h1>
    </main>
  );
}
