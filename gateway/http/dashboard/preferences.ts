/**
 * What whoever looks has chosen, remembered by the browser: language and theme. A browser that remembers nothing (its owner forbids
 * it) loses the choice with the page, nothing else.
 */
import { effect, type Signal, signal } from '@preact/signals';
import { LANGUAGES, type Language, language } from './words.ts';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>('auto');

const LANGUAGE_KEY = 'sluice-language';
const THEME_KEY = 'sluice-theme';

/** Of what the browser remembers, else of the languages that it asks for, the best first. */
export function chooseLanguage(kept: string | null, wished: readonly string[]): Language {
  const known = [kept ?? '', ...wished].map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return known.find(isLanguage) ?? 'en';
}

export function chooseTheme(kept: string | null): Theme {
  return THEMES.find((name) => name === kept) ?? 'auto';
}

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(LANGUAGES, tag);
}

/** Puts both on the document, now and whenever one changes. */
export function applyPreferences(): void {
  language.value = chooseLanguage(recall(LANGUAGE_KEY), navigator.languages);
  theme.value = chooseTheme(recall(THEME_KEY));
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = signal(prefersDark.matches);
  prefersDark.addEventListener('change', ({ matches }) => {
    isDark.value = matches;
  });
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-Hans' : 'en';
  });
  effect(() => {
    const { value } = theme;
    document.documentElement.dataset['theme'] =
      value === 'auto' ? (isDark.value ? 'dark' : 'light') : value;
  });
  keep(LANGUAGE_KEY, language);
  keep(THEME_KEY, theme);
}

/** What is merely the default is not written: another default may follow. */
function keep(key: string, choice: Signal<string>): void {
  const first = choice.value;
  let isChosen = false;
  effect(() => {
    const { value } = choice;
    isChosen ||= value !== first;
    if (!isChosen) return;
    try {
      localStorage.setItem(key, value);
    } catch {
      // Forbidden or full.
    }
  });
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
