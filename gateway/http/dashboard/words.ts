/**
 * The page's words in each language. A screen has a table of its own, beside it, and asks it for words while it draws:
 * `const t = wordsOf({ en: { found: '{count} devices found' }, zh: { found: '发现 {count} 台设备' } })`, then `t('found', { count })`.
 */
import { signal } from '@preact/signals';

export const LANGUAGES = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;

/** Components that read it through `wordsOf` are drawn again when it changes. */
export const language = signal<Language>('en');

export type Words<Key extends string> = (
  key: Key,
  values?: Readonly<Record<string, string | number>>,
) => string;

export function wordsOf<const Key extends string>(
  table: Readonly<Record<Language, Readonly<Record<Key, string>>>>,
): Words<Key> {
  return (key, values = {}) =>
    table[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
      String(values[name] ?? whole),
    );
}
