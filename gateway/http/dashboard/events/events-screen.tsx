import type { Fleet } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({ en: { title: 'Events' }, zh: { title: 'Events' } });

/** `gateway`: of which; undefined: of all. */
export interface EventsScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function EventsScreen({ gateway }: EventsScreenProps) {
  return (
    <h1>
      {t('title')} {gateway}
    </h1>
  );
}
