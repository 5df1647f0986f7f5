/** Language and theme. */
import { THEMES, type Theme, theme } from './preferences.ts';
import { LANGUAGES, type Language, language, type Words, wordsOf } from './words.ts';

const t: Words<'language' | 'theme' | Theme> = wordsOf({
  en: { language: 'Language', theme: 'Theme', auto: 'Auto', light: 'Light', dark: 'Dark' },
  zh: { language: '语言', theme: '主题', auto: '自动', light: '浅色', dark: '深色' },
});

export function PreferenceSwitches() {
  return (
    <div class="row">
      <label>
        <span class="visually-hidden">{t('language')}</span>
        <select
          value={language.value}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            language.value = languageNames.find((name) => name === value) ?? 'en';
          }}
        >
          {languageNames.map((name) => (
            <option key={name} value={name} lang={name === 'zh' ? 'zh-Hans' : name}>
              {LANGUAGES[name]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="visually-hidden">{t('theme')}</span>
        <select
          value={theme.value}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            theme.value = THEMES.find((name) => name === value) ?? 'auto';
          }}
        >
          {THEMES.map((name) => (
            <option key={name} value={name}>
              {t(name)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

const languageNames = Object.keys(LANGUAGES) as readonly Language[];
