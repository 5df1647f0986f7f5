import type { Fleet } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({ en: { title: 'Settings' }, zh: { title: 'Settings' } });

/** `gateway`: of which; undefined: of all. */
export interface SettingsScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function SettingsScreen({ gateway }: SettingsScreenProps) {
  return (
    <h1>
      {t('title')} {gateway}
    </h1>
  );
}
