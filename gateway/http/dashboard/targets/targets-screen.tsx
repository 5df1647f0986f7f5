import type { Fleet } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({ en: { title: 'Targets' }, zh: { title: 'Targets' } });

/** `gateway`: of which; undefined: of all. */
export interface TargetsScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function TargetsScreen({ gateway }: TargetsScreenProps) {
  return (
    <h1>
      {t('title')} {gateway}
    </h1>
  );
}
