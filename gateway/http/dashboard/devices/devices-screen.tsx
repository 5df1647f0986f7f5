import type { Fleet } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({ en: { title: 'Devices' }, zh: { title: 'Devices' } });

/** `gateway`: of which; undefined: of all. */
export interface DevicesScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function DevicesScreen({ gateway }: DevicesScreenProps) {
  return (
    <h1>
      {t('title')} {gateway}
    </h1>
  );
}
