/** What of a box's health somebody should look at. */
import type { Health } from '../../../report/box-status.ts';
import { wordsOf } from '../words.ts';

/** A Raspberry Pi slows down at 80 °C. */
const HOT_C = 75;
const LOW_DISK_SHARE = 0.1;

export function isHot({ temperatureC }: Health): boolean {
  return temperatureC !== null && temperatureC >= HOT_C;
}

export function isDiskLow({ diskFreeMb, diskTotalMb }: Health): boolean {
  return diskFreeMb !== null && diskTotalMb !== null && diskFreeMb < diskTotalMb * LOW_DISK_SHARE;
}

const t = wordsOf({
  en: {
    fine: 'fine',
    undervoltage: 'supply too weak now',
    throttled: 'slowed down now',
    hot: 'too hot now',
    was: 'supply was too weak, or it was too hot, since the start',
  },
  zh: {
    fine: '正常',
    undervoltage: '当前供电不足',
    throttled: '当前已降频',
    hot: '当前过热',
    was: '启动以来曾供电不足或过热',
  },
});

/** Bits of the firmware's `get_throttled`. */
const UNDERVOLTAGE = 0x1;
const THROTTLED = 0x4;
const SOFT_TEMPERATURE_LIMIT = 0x8;
const WAS_ANY = 0xf0000;

/** Flags that are no number are shown as they came. */
export function throttledWords(flags: string): string {
  const bits = Number.parseInt(flags.replace(/^0x/, ''), 16);
  if (Number.isNaN(bits)) return flags;
  const words = [
    ...(bits & UNDERVOLTAGE ? [t('undervoltage')] : []),
    ...(bits & THROTTLED ? [t('throttled')] : []),
    ...(bits & SOFT_TEMPERATURE_LIMIT ? [t('hot')] : []),
  ];
  if (words.length === 0 && bits & WAS_ANY) words.push(t('was'));
  return words.length === 0 ? t('fine') : words.join(', ');
}
